"""The made-up goods of the demo catalogue."""

from flaskart.cli.goods import make_goods


def test_no_two_goods_share_a_name_or_a_slug() -> None:
    goods = list(make_goods(100_000))

    assert len({good.name for good in goods}) == 100_000
    assert len({good.slug for good in goods}) == 100_000


def test_the_same_number_gives_the_same_goods() -> None:
    assert list(make_goods(20)) == list(make_goods(40))[:20]
