"""`flaskart demo`: a catalogue to try the shop with."""

from sqlalchemy import func, select

from flaskart.catalog.models import Product, ProductStatus, Variant
from flaskart.cli.goods import make_goods
from flaskart.kit.db import Database
from tests.accounts.sign_ins import rows_of
from tests.callers import Make
from tests.cli.shells import Shell

# Eight departments, each with 14 looks, 14 materials and 30 things.
ALL_COMBINATIONS = 8 * 14 * 14 * 30


def test_sixty_products_are_loaded_by_default(shop: Shell, db: Database) -> None:
    result = shop.run("demo")

    assert (result.returncode, result.stdout) == (0, "Loaded 60 products.\n")
    products = rows_of(db, "product")
    assert len(products) == 60
    assert {product["status"] for product in products} == {ProductStatus.PUBLISHED}
    assert [(product["name"], product["slug"]) for product in products] == [
        (good.name, good.slug) for good in make_goods(60)
    ]
    variants = rows_of(db, "variant")
    assert [variant["price_minor"] for variant in variants] == [good.price_cents for good in make_goods(60)]
    assert {variant["currency"] for variant in variants} == {"USD"}
    assert [level["on_hand"] for level in rows_of(db, "stock_level")] == [good.stock for good in make_goods(60)]


def test_a_second_run_loads_nothing(shop: Shell, db: Database) -> None:
    shop.run("demo", "--products", "5")
    before = rows_of(db, "product")

    printed = shop.done("demo", "--products", "9")

    assert printed == "The shop has 5 products already; nothing was loaded.\n"
    assert rows_of(db, "product") == before


def test_a_shop_with_products_of_its_own_stays_as_it_is(shop: Shell, make: Make, db: Database) -> None:
    make.product("Mug")
    before = rows_of(db, "product")

    printed = shop.done("demo")

    assert printed == "The shop has 1 products already; nothing was loaded.\n"
    assert rows_of(db, "product") == before


def test_2500_products_have_names_and_slugs_and_skus_of_their_own(shop: Shell, db: Database) -> None:
    result = shop.run("demo", "--products", "2500")

    assert (result.returncode, result.stdout) == (0, "Loaded 2500 products.\n")
    with db.read() as session:
        names, slugs = session.execute(
            select(func.count(Product.name.distinct()), func.count(Product.slug.distinct()))
        ).one()
        skus = session.scalar(select(func.count(Variant.sku.distinct())))
    assert (names, slugs, skus) == (2_500, 2_500, 2_500)


def test_prices_are_in_the_shops_currency(shop: Shell, db: Database) -> None:
    result = shop.run("demo", "--products", "2", FLASKART_CURRENCY="JPY")

    assert result.returncode == 0
    assert [(variant["price_minor"], variant["currency"]) for variant in rows_of(db, "variant")] == [
        (good.price_cents // 100, "JPY") for good in make_goods(2)
    ]


def test_no_two_goods_are_called_alike_even_when_the_words_run_out() -> None:
    goods = list(make_goods(ALL_COMBINATIONS + 100))

    assert len({good.name for good in goods}) == len(goods)
    assert len({good.slug for good in goods}) == len(goods)
    assert goods[ALL_COMBINATIONS].name == f"{goods[0].name} No. 2"


def test_the_same_number_always_gives_the_same_good() -> None:
    assert list(make_goods(200))[:100] == list(make_goods(100))
