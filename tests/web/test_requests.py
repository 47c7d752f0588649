"""Bad input of every kind gets a clear 4xx that names the field, and changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from flaskart.kit.db import Database
from flaskart.listings.queries import list_listings
from tests.callers import Answer, Caller, Make, MakeWith

NAME = {"name": "Mug", "price": 1}
MEBIBYTE = 1_048_576


def products_in(db: Database) -> int:
    with db.read() as session:
        return len(list_listings(session, limit=100, after=None).rows)


def assert_problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["msg"] == answer.json["detail"]
    assert answer.json["type"] == f"urn:flaskart:problem:{code}"


BROKEN_JSON = [b"{", b"", b"NaN", b'{"name": NaN}', b"'a'", b"\xff\xfe", b'{"a": 1,}', b"[" * 100_000, b'"\\ud800"']


@pytest.mark.parametrize("body", [body for body in BROKEN_JSON if body])
def test_broken_json_is_a_400(make: Make, db: Database, body: bytes) -> None:
    answer = make.staff().call_raw("POST", "/products", body, Content_Type="application/json")

    assert_problem(answer, 400, "malformed_json")
    assert products_in(db) == 0


@pytest.mark.parametrize("body", [b"[]", b'"{}"', b"1", b"true", b"[{}]", b'"{\\"name\\": \\"Mug\\", \\"price\\": 1}"'])
def test_json_that_is_no_object_is_a_422(make: Make, db: Database, body: bytes) -> None:
    answer = make.staff().call_raw("POST", "/products", body, Content_Type="application/json")

    assert_problem(answer, 422, "invalid_input")
    assert [error["pointer"] for error in answer.json["errors"]] == [""]
    assert products_in(db) == 0


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_a_415(make: Make, db: Database, content_type: str) -> None:
    answer = make.staff().call_raw("POST", "/products", b'{"name": "Mug", "price": 1}', Content_Type=content_type)

    assert_problem(answer, 415, "body_not_json")
    assert products_in(db) == 0


WITHOUT_BODY = [
    ("DELETE", "/account"),
    ("DELETE", "/cart/1"),
    ("DELETE", "/cart/clear"),
    ("POST", "/orders/1/cancel"),
    ("DELETE", "/products/1"),
]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "pointers"),
    [
        (b'{"unknown": 1, "a/b": 2}', "application/json", 422, ["/unknown", "/a~1b"]),
        (b"[]", "application/json", 422, [""]),
        (b"null", "application/json", 422, [""]),
        (b"{", "application/json", 400, None),
        (b"{}", "text/plain", 415, None),
    ],
)
@pytest.mark.parametrize(("method", "path"), WITHOUT_BODY)
def test_an_operation_that_takes_no_body_refuses_one_and_does_nothing(
    make: Make, method: str, path: str, body: bytes, content_type: str, status: int, pointers: list[str] | None
) -> None:
    caller, mug = make.staff(), make.product()
    for _ in range(2):
        caller.post("/cart", {"product_id": mug})
        caller.post("/orders")
    caller.post("/cart", {"product_id": mug})
    before = make.everything()

    answer = caller.call_raw(method, path, body, Content_Type=content_type)

    assert answer.status == status
    assert [error["pointer"] for error in answer.json.get("errors", ())] == (pointers or [])
    assert make.everything() == before


def test_an_empty_object_is_as_good_as_no_body(make: Make) -> None:
    assert make.customer().call_raw("DELETE", "/cart/clear", b"{}", Content_Type="application/json").status == 200


@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=1&limit=1", "limit=1.0", "limit=+1", "limit=%C2%B2"])
def test_a_parameter_given_twice_or_with_no_whole_number_is_refused(anyone: Caller, query: str) -> None:
    answer = anyone.get(f"/products?{query}")

    assert_problem(answer, 422, "invalid_input")
    assert [error["pointer"] for error in answer.json["errors"]] == ["?limit"]


def test_null_does_not_leave_a_thing_as_it_is(make: Make) -> None:
    boss = make.staff()
    make.product()
    before = make.everything()

    product = boss.patch("/products/1", {"name": None, "price": None, "stock": None})
    account = boss.patch("/account", {"username": None, "email": None})

    for answer, members in ((product, ["/name", "/price", "/stock"]), (account, ["/username", "/email"])):
        assert_problem(answer, 422, "invalid_input")
        assert [error["pointer"] for error in answer.json["errors"]] == members
    assert make.everything() == before


def test_a_missing_body_names_every_missing_field(make: Make) -> None:
    answer = make.staff().post("/products")

    assert_problem(answer, 422, "invalid_input")
    assert {error["pointer"]: error["code"] for error in answer.json["errors"]} == {
        "/name": "missing",
        "/price": "missing",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "a" * 201),
        ("name", "a\0b"),
        ("name", "two\nlines"),
        ("name", 7),
        ("name", None),
        ("name", ["Mug"]),
        ("description", "\x07"),
        ("description", "x" * 20_001),
        ("stock", -1),
        ("stock", 1.5),
        ("stock", "3"),
        ("stock", True),
        ("stock", 2**63),
        ("stock", 1_000_000_001),
        ("slug", "Not A Slug"),
        ("slug", "123"),
        ("slug", "-"),
        ("sku", ""),
        ("sku", "s" * 65),
    ],
)
def test_a_bad_field_is_named_and_nothing_changes(make: Make, db: Database, field: str, value: Any) -> None:
    answer = make.staff().post("/products", NAME | {field: value})

    assert_problem(answer, 422, "invalid_input")
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{field}"]
    assert products_in(db) == 0


def test_all_bad_fields_are_named_at_once(make: Make) -> None:
    answer = make.staff().post("/products", {"name": "", "price": "cheap", "stock": -1, "colour": "red"})

    assert [error["pointer"] for error in answer.json["errors"]] == ["/name", "/price", "/stock", "/colour"]


def test_unknown_body_members_are_refused(make: Make, db: Database) -> None:
    answer = make.staff().post("/products", NAME | {"id": 7, "status": "draft"})

    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [
        ("/id", "extra_forbidden"),
        ("/status", "extra_forbidden"),
    ]
    assert products_in(db) == 0


@pytest.mark.parametrize(
    "path", ["/products?page=2", "/products/1?x=1", "/cart?x=1", "/healthz?x=1", "/orders?offset=1"]
)
def test_unknown_query_parameters_are_refused(make: Make, path: str) -> None:
    make.product()

    answer = make.customer().get(path)

    assert_problem(answer, 422, "invalid_input")
    assert answer.json["errors"][0]["pointer"].startswith("?")
    assert answer.json["errors"][0]["code"] == "extra_forbidden"


def test_a_body_over_the_limit_is_a_413(make: Make, db: Database) -> None:
    body = b'{"name": "Mug", "price": 1, "description": "' + b"x" * MEBIBYTE + b'"}'

    answer = make.staff().call_raw("POST", "/products", body, Content_Type="application/json")

    assert_problem(answer, 413, "body_too_large")
    assert answer.json["limit_bytes"] == MEBIBYTE
    assert products_in(db) == 0


def test_a_chunked_body_is_counted_too(make_over_http: Make, db: Database) -> None:
    staff = make_over_http.staff()

    def chunks(size: int) -> Iterator[bytes]:
        yield b'{"name": "Mug", "price": 1, "description": "'
        yield from (b"x" * 1_024 for _ in range(size // 1_024))
        yield b'"}'

    small = staff.call_raw("POST", "/products", chunks(10_240), Content_Type="application/json")
    large = staff.call_raw("POST", "/products", chunks(MEBIBYTE), Content_Type="application/json")

    assert small.status == 201
    assert len(small.json["product"]["description"]) == 10_240
    assert_problem(large, 413, "body_too_large")
    assert products_in(db) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/orders/abc", 404, "not_found"),
        ("GET", "/orders/9223372036854775808", 404, "order_not_found"),
        ("GET", "/orders/0", 404, "order_not_found"),
        ("PATCH", "/products", 405, "method_not_allowed"),
        ("PUT", "/cart", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_what_the_api_has_not_is_a_problem_too(make: Make, method: str, path: str, status: int, code: str) -> None:
    assert_problem(make.customer().call(method, path), status, code)


def test_a_wrong_method_is_told_the_right_ones(make: Make) -> None:
    answer = make.customer().put("/cart")

    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS", "POST"}


def test_whoever_may_not_call_learns_nothing_about_the_input(anyone: Caller, make: Make) -> None:
    assert anyone.post("/cart", {"nonsense": 1}).status == 401
    assert make.customer().post("/products", {"nonsense": 1}).status == 403


def test_every_answer_has_a_request_id_of_its_own(anyone: Caller) -> None:
    ids = {anyone.get(path).headers["Request-Id"] for path in ("/products", "/nothing", "/cart", "/healthz")}

    assert len(ids) == 4
    assert {len(id_) for id_ in ids} == {32}


def test_private_answers_are_not_kept_by_caches(make: Make) -> None:
    assert make.customer().get("/cart").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("proxies", "host"), [(0, "localhost"), (1, "shop.example")])
def test_only_a_trusted_proxy_says_under_which_name_the_shop_is_known(
    make_with: MakeWith, proxies: int, host: str
) -> None:
    make = make_with(trusted_proxies=proxies)
    for name in ("Mug", "Bowl"):
        make.product(name)

    forwarded = {"X_Forwarded_Host": "shop.example", "X_Forwarded_Proto": "https"}
    link = make.anyone().get("/products?limit=1", **forwarded).headers["Link"]

    scheme = "https" if proxies else "http"
    assert link == f'<{scheme}://{host}/products?limit=1&after=MQ>; rel="next"'
