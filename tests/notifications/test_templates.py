"""What the shop writes: complete, exact, the same as text and as HTML, and nothing a value could slip in."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flaskart.notifications.errors import TemplateBroken
from flaskart.notifications.messages import Line, Message, OrderPlaced, PasswordChanged, Price
from flaskart.notifications.mime import as_message
from flaskart.notifications.provider import Mail, Mailbox
from flaskart.notifications.samples import SAMPLES
from flaskart.notifications.templates import BUILT_IN, Templates, Written

SHARED = {"shop_name": "Mugs & More", "shop_url": "https://shop.example"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "mail.md"
CHANGED = PasswordChanged(username="alice")
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "--><!-- ]]> <![endif]-->",
    "alice\r\nBcc: everybody@example.com\r\n\r\nPay here",
    "alice\n\n\u2028\x85\x0b\x1b[2J\x00",
    "{{ 7 * 7 }}{% raw %}jinja-0;",
    "x" * 20_000,
]


class Page(HTMLParser):
    """The elements of an HTML document with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, Mapping[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text: str) -> None:
        if self.lasttag != "style":
            self.text += text

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        return [(tag, list(attributes)) for tag, attributes in self.elements]

    @property
    def links(self) -> set[str | None]:
        return {attributes["href"] for tag, attributes in self.elements if tag == "a"}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates(None, SHARED)


def own(folder: Path, **files: str) -> Templates:
    """Return the templates of a shop that has files of its own; `__` stands for the dots of a name."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return Templates(folder, SHARED)


def filled_with(value: str, thing: Any) -> Any:
    """Return a copy of a message in which every text is `value`."""
    if isinstance(thing, str):
        return value
    if isinstance(thing, list):
        return [filled_with(value, one) for one in thing]
    if isinstance(thing, Message | Line):
        return replace(thing, **{field.name: filled_with(value, getattr(thing, field.name)) for field in fields(thing)})
    return thing


def test_every_message_has_a_sample_its_templates_and_its_row_in_the_document() -> None:
    kinds = {kind.name: kind for kind in Message.__subclasses__()}
    files = {file.name for file in BUILT_IN.iterdir() if not file.name.startswith("_")}
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", DOCUMENT.read_text(), re.MULTILINE)

    assert {name: type(sample) for name, sample in SAMPLES.items()} == kinds
    assert files == {f"{name}{part}" for name in kinds for part in (".subject.txt", ".txt", ".mjml")}
    assert {name: re.findall(r"`(\w+)`", values) for name, values in rows} == {
        name: [field.name for field in fields(kind)] for name, kind in kinds.items()
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_a_message_says_all_it_has_to_as_text_and_as_html(templates: Templates, name: str) -> None:
    sample = SAMPLES[name]

    written = templates.write(sample)

    page = Page(written.html)
    for text in [value for value in sample.values().values() if isinstance(value, str)] + ["Mugs & More"]:
        assert text in written.text
        assert text in page.text or text in page.links
    assert written.subject
    assert re.search(r"[{}<>]|jinja-|&amp;", written.subject + written.text) is None
    assert re.search(r"\{[{%]|jinja-|mj-(?!column|outlook)", written.html) is None


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mail_loads_nothing_from_anywhere(templates: Templates, name: str) -> None:
    page = Page(templates.write(SAMPLES[name]).html)

    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    assert all("url(" not in str(attributes.get("style")) for _, attributes in page.elements)
    assert all(str(link).startswith("https://shop.example") for link in page.links)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value[:20]))
@pytest.mark.parametrize("name", SAMPLES)
def test_a_value_is_shown_and_never_obeyed(templates: Templates, name: str, value: str) -> None:
    harmless, hostile = (templates.write(filled_with(text, SAMPLES[name])) for text in ("harmless", value))

    shown = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", value)
    page = Page(hostile.html)
    assert page.shape == Page(harmless.html).shape
    assert hostile.html.count("<!--") == harmless.html.count("<!--")
    assert shown.strip() in page.text
    assert page.links <= {shown, "https://shop.example", "https://shop.example/forgot-password"}
    assert hostile.text.splitlines() == [line.replace("harmless", shown) for line in harmless.text.splitlines()]
    assert hostile.subject == harmless.subject.replace("harmless", shown.strip())


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value[:20]))
@pytest.mark.parametrize("name", SAMPLES)
def test_a_value_writes_no_header(templates: Templates, name: str, value: str) -> None:
    written = templates.write(filled_with(value, SAMPLES[name]))

    message = as_message(mail_of(written))

    assert message.keys() == as_message(mail_of(templates.write(SAMPLES[name]))).keys()
    assert max(map(len, message.as_bytes().split(b"\r\n"))) <= 998


def mail_of(written: Written) -> Mail:
    return Mail(Mailbox("shop@example.com"), "alice@example.com", written.subject, written.text, written.html, "1")


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (Price(1999, "USD"), "19.99 USD"),
        (Price(2000, "JPY"), "2000 JPY"),
        (Price(1250, "KWD"), "1.250 KWD"),
        (Price(0, "USD"), "0.00 USD"),
        (Price(-5, "EUR"), "-0.05 EUR"),
        (Price(10**16, "USD"), "100000000000000.00 USD"),
        (Price(1, "CLF"), "0.0001 CLF"),
    ],
)
def test_an_amount_is_exact_with_the_decimals_of_its_currency(price: Price, shown: str) -> None:
    assert str(price) == shown


def test_an_order_lists_what_was_ordered_and_adds_up(templates: Templates) -> None:
    written = templates.write(SAMPLES["order_placed"])

    assert written.subject == "Your order 1001"
    assert written.text.splitlines()[2:9] == [
        "2 x Small walnut mug (MUG-1), 55.95 USD each: 111.90 USD",
        "1 x Linen towel (TOWEL-7), 12.50 USD each: 12.50 USD",
        "",
        "Subtotal: 124.40 USD",
        "Discount: -10.00 USD",
        "Shipping: 4.90 USD",
        "Total: 119.30 USD",
    ]
    cells = [cell for cell in re.split(r"<[^>]+>|\s{2,}", written.html.partition("Small walnut mug")[2]) if cell]
    assert cells[:2] == ["MUG-1, 55.95 USD each", "111.90 USD"]
    assert cells[cells.index("Total") + 1] == "119.30 USD"


def test_a_part_of_the_total_that_is_nothing_is_left_out(templates: Templates) -> None:
    order = SAMPLES["order_placed"]
    assert isinstance(order, OrderPlaced)
    none, some = Price(0, "USD"), Price(100, "USD")

    bare = templates.write(replace(order, discount_total=none, shipping_total=none, tax_total=none))
    taxed = templates.write(replace(order, discount_total=none, shipping_total=none, tax_total=some))

    for part in (bare.text, Page(bare.html).text):
        assert re.search("Discount|Shipping|Tax", part) is None
    for part in (taxed.text, Page(taxed.html).text):
        assert re.search("Discount|Shipping", part) is None
        assert re.search(r"Tax:?\s*1\.00 USD", part)


def test_css_is_inlined_since_many_mail_programs_read_no_style_sheet(templates: Templates) -> None:
    html = templates.write(SAMPLES["order_placed"]).html

    [total, *_] = [attributes for tag, attributes in Page(html).elements if attributes.get("class") == "amount"]
    assert "text-align: right" in str(total["style"])
    assert [rules for rules in re.findall(r"<style[^>]*>(.*?)</style>", html) if not rules.startswith("@media")] == []


def test_a_shop_changes_one_template_and_keeps_the_others(tmp_path: Path) -> None:
    templates = own(
        tmp_path,
        password_changed__txt="Hallo {{ username }}\n{% include '_bottom.txt' %}",
        _bottom__mjml="<mj-section><mj-column><mj-text>Own bottom</mj-text></mj-column></mj-section>",
    )

    written = templates.write(CHANGED)

    assert written.subject == "Your password was changed"
    assert written.text == "Hallo alice\n--\nMugs & More\nhttps://shop.example\n"
    assert "the password of your account was changed" in written.html
    assert "Own bottom" in written.html
    assert [templates.source_of(file).parent for file in ("_bottom.mjml", "_top.mjml")] == [tmp_path, BUILT_IN]


def test_jinja_may_stand_wherever_an_element_or_a_value_may(tmp_path: Path) -> None:
    source = """<mjml><mj-body>
      {# said twice #}
      {% for word in ["a > b", "}}"] %}<mj-wrapper>{% if word != "c" and 1 < 2 %}<mj-section><mj-column>
        <mj-text color="{{ 'red' if word else "blue" }}">{{ word ~ "&" }}</mj-text>
      </mj-column></mj-section>{% endif %}</mj-wrapper>{% endfor %}
      <mj-section><mj-column>
        <mj-table>{% raw %}<tr><td>{{ raw }}</td></tr>{% endraw %}</mj-table>
      </mj-column></mj-section>
    </mj-body></mjml>"""

    page = Page(own(tmp_path, password_changed__mjml=source).write(CHANGED).html)

    assert page.text.split() == ["a", ">", "b&}}&", "{{", "raw", "}}"]
    assert sum("color:red" in str(attributes.get("style")) for _, attributes in page.elements) == 2


def test_templates_are_read_once(tmp_path: Path) -> None:
    templates = own(tmp_path, password_changed__txt="First", password_changed__mjml=(page := small("First")))
    before = templates.write(CHANGED)

    own(tmp_path, password_changed__txt="Second", password_changed__mjml=page.replace("First", "Second"))

    assert templates.write(CHANGED) == before
    assert Templates(tmp_path, SHARED).write(CHANGED).text == "Second\n"


def small(text: str) -> str:
    return f"<mjml>\n<mj-body>\n<mj-section><mj-column>\n{text}\n</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("file", "source", "line", "reason"),
    [
        ("password_changed.subject.txt", "Hi {{ nobody }}", 1, "'nobody' is undefined"),
        ("password_changed.txt", "Hi\n\n{{ username.first }}", 3, "'str object' has no attribute 'first'"),
        ("password_changed.txt", "Hi\n{% if username %}", 2, "Unexpected end of template."),
        ("password_changed.txt", "Hi\n{{ username | shout }}", 2, "No filter named 'shout'."),
        ("password_changed.txt", "Hi\n{{ username + 1 }}", 2, "TypeError"),
        ("_bottom.txt", "Bye\n{{ nobody }}", 2, "'nobody' is undefined"),
        ("password_changed.mjml", small("<mj-text>\n{{ nobody }}</mj-text>"), 5, "'nobody' is undefined"),
        ("password_changed.mjml", small("<mj-text>\n{% if\n%}</mj-text>"), 6, "Expected an expression, got"),
        ("password_changed.mjml", small("<mj-text>{{ 1\n}}\n1 < 2</mj-text>"), 6, "not well-formed (invalid token)"),
        ("password_changed.mjml", small("<mj-text>1 < 2</mj-text>"), 4, "not well-formed (invalid token)"),
        ("password_changed.mjml", small("\n<mj-buton>Go</mj-buton>"), 5, "MJML has no <mj-buton> here"),
        ("password_changed.mjml", "Hello", 1, "not MJML"),
        ("password_changed.mjml", "<mjml>\nHello</mjml>", 2, "not MJML"),
        ("_top.mjml", "<mj-section>\n<mj-column>\n{{ nobody }}</mj-column></mj-section>", 3, "'nobody' is undefined"),
        ("_top.mjml", "<mj-section>\n<mj-column></mj-section>", 2, "mismatched tag"),
        ("_head.mjml", "Hello", 3, "what is included is not MJML"),
        ("_top.mjml", "\n\n<mj-oops />", 3, "MJML has no <mj-oops> here"),
    ],
)
def test_a_broken_template_is_named_with_its_line(
    tmp_path: Path, file: str, source: str, line: int, reason: str
) -> None:
    templates = own(tmp_path, **{file.replace(".", "__"): source})

    for _ in range(2):  # it is not taken for read
        with pytest.raises(TemplateBroken) as broken:
            templates.write(CHANGED)
        including = BUILT_IN / "password_changed.mjml"
        path = including if reason.startswith("what is included") else tmp_path / file
        assert str(broken.value).startswith(f"{path}, line {line}: {reason}")


@pytest.mark.parametrize(
    ("file", "source", "told"),
    [
        ("password_changed.txt", '{% include "_no.txt" %}', "there is no template _no.txt in {folder}"),
        (
            "password_changed.mjml",
            '<mjml><mj-include path="_no.mjml" /></mjml>',
            "there is no template _no.mjml in {folder}",
        ),
        (
            "password_changed.mjml",
            '<mjml><mj-include path="../../secret" /></mjml>',
            "there is no template ../../secret in {folder}",
        ),
        (
            "_top.mjml",
            '<mj-include path="_top.mjml" />',
            "{folder}/_top.mjml: what is included may not include in turn",
        ),
    ],
)
def test_what_cannot_be_included_is_told(tmp_path: Path, file: str, source: str, told: str) -> None:
    templates = own(tmp_path, **{file.replace(".", "__"): source})

    with pytest.raises(TemplateBroken) as broken:
        templates.write(CHANGED)

    assert str(broken.value) == told.format(folder=tmp_path)


def test_a_template_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "password_changed.txt").write_bytes(b"\xff\xfe")

    with pytest.raises(TemplateBroken, match=r"password_changed\.txt: not UTF-8$"):
        Templates(tmp_path, SHARED).write(CHANGED)


def test_what_a_broken_template_tells_has_no_value_in_it(tmp_path: Path) -> None:
    templates = own(tmp_path, reset_password__txt="{{ [].index(link) }}")

    with pytest.raises(TemplateBroken) as broken:
        templates.write(SAMPLES["reset_password"])

    assert str(broken.value) == f"{tmp_path / 'reset_password.txt'}, line 1: ValueError"
    assert broken.value.__cause__ is None
