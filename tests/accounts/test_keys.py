"""`/admin/keys`: machines that act for staff, with no more than staff may do, and never for long unnoticed."""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import event, text

from flaskart.kit.actor import OF_KEYS, Permission
from flaskart.kit.db import Database
from flaskart.web.http import KEY
from flaskart.web.openapi import ShopApp
from tests.callers import Answer, Caller, Make, MakeWith
from tests.races.crowd import at_once
from tests.test_statement_counts import counted

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MUG = {"name": "Mug", "price": 5}


@pytest.fixture
def boss(make: Make) -> Caller:
    return make.staff()


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def machine(boss: Caller, **members: object) -> tuple[Caller, int]:
    """Make a key through the API; return who uses it, and its id."""
    answer = boss.post("/admin/keys", {"name": "Warehouse", "scopes": ["shopping", "catalog.write"]} | members)
    assert answer.status == 201, answer.json
    return Caller(boss.send, answer.json["secret"], boss.customer_id), answer.json["key"]["id"]


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def test_a_key_is_shown_once_and_stored_as_a_hash(noon: time_machine.Traveller, boss: Caller, make: Make) -> None:
    operations = ["place_order", "add_product"]
    body = {"name": "Robot", "scopes": ["shopping"], "operations": operations, "spend_cap": 50}

    added = boss.post("/admin/keys", body)

    secret, key = added.json["secret"], added.json["key"]
    assert (added.status, added.json["msg"]) == (201, "API key added")
    assert secret.startswith("flk_live_")
    assert len(secret) == len("flk_live_") + 43
    assert key == {
        "id": 1,
        "customer_id": boss.customer_id,
        "name": "Robot",
        "hint": f"flk_live_…{secret[-4:]}",
        "scopes": ["shopping"],
        "operations": ["add_product", "place_order"],
        "spend_cap": Decimal("50.00"),
        "spent": Decimal("0.00"),
        "currency": "USD",
        "created_at": "2026-11-24T12:00:00Z",
        "expires_at": "2027-11-24T12:00:00Z",
        "last_used_at": None,
        "revoked_at": None,
    }
    assert boss.get("/admin/keys/1").json == {"key": key}
    assert boss.get("/admin/keys").json["keys"] == [key]


def test_an_answer_with_a_secret_is_not_kept_under_an_idempotency_key(boss: Caller) -> None:
    body = {"name": "Robot", "scopes": ["shopping"]}

    first, second = (boss.post("/admin/keys", body, Idempotency_Key="k").json for _ in range(2))

    assert first["secret"] != second["secret"]
    assert (first["key"]["id"], second["key"]["id"]) == (1, 2)


@pytest.mark.parametrize(
    ("member", "value", "pointer", "code"),
    [
        ("name", "", "/name", "string_too_short"),
        ("scopes", [], "/scopes", "too_short"),
        ("scopes", ["catalog.eat"], "/scopes/0", "enum"),
        ("scopes", ["staff.write"], "/scopes/0", "permission"),
        ("scopes", ["keys.write"], "/scopes/0", "permission"),
        ("scopes", ["account"], "/scopes/0", "permission"),
        ("operations", [], "/operations", "too_short"),
        ("operations", ["rob_the_bank"], "/operations", "operation_unknown"),
        ("expires_in_days", 0, "/expires_in_days", "greater_than_equal"),
        ("expires_in_days", True, "/expires_in_days", "int_type"),
        ("spend_cap", Decimal("0.001"), "/spend_cap", "too_many_decimals"),
        ("spend_cap", -1, "/spend_cap", "out_of_range"),
        ("customer_id", 7, "/customer_id", "extra_forbidden"),
    ],
)
def test_a_bad_field_of_a_key_is_named(
    boss: Caller, make: Make, member: str, value: object, pointer: str, code: str
) -> None:
    before = make.everything()

    answer = boss.post("/admin/keys", {"name": "Robot", "scopes": ["shopping"]} | {member: value})

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]
    assert make.everything() == before


def test_a_key_does_what_its_scopes_allow_and_no_more(boss: Caller, make: Make) -> None:
    robot, _ = machine(boss, scopes=["catalog.write"])
    shopper, _ = machine(boss, scopes=["shopping"])
    mug = robot.post("/products", MUG).json["product_id"]

    assert shopper.post("/cart", {"product_id": mug}).status == 409  # none in stock, but it may try
    assert refusal(robot.get("/cart")) == (403, "forbidden")
    assert refusal(shopper.post("/products", MUG)) == (403, "forbidden")


def test_no_key_touches_its_owners_account_or_makes_other_keys(boss: Caller, make: Make) -> None:
    robot = make.key(boss, OF_KEYS)

    for method, path in (("GET", "/account"), ("DELETE", "/account"), ("GET", "/admin/keys"), ("POST", "/admin/keys")):
        assert refusal(robot.call(method, path)) == (403, "forbidden")
    assert refusal(robot.post("/auth/logout")) == (401, "invalid_token")


def test_a_key_bound_to_operations_does_no_others(boss: Caller) -> None:
    robot, _ = machine(boss, operations=["list_orders"])

    refused = robot.get("/cart")

    assert robot.get("/orders").status == 200
    assert (*refusal(refused), refused.json["operation"]) == (403, "operation_not_allowed", "view_cart")


def test_a_key_weakens_with_its_owner_at_once(boss: Caller, make: Make, make_with: MakeWith) -> None:
    helper = make.staff("helper", {Permission.CATALOG_WRITE, Permission.KEYS_WRITE})
    robot, _ = machine(helper)
    elsewhere = Caller(make_with().send, robot.token)
    assert [caller.post("/products", MUG).status for caller in (robot, elsewhere)] == [201, 201]

    boss.put(f"/admin/staff/{helper.customer_id}/roles", {"roles": ["support"]})
    weakened = [refusal(caller.post("/products", MUG)) for caller in (robot, elsewhere)]
    shopping = robot.get("/cart").status
    boss.put(f"/admin/staff/{helper.customer_id}/roles", {"roles": []})

    assert (weakened, shopping) == ([(403, "forbidden")] * 2, 200)
    assert [refusal(caller.get("/cart")) for caller in (robot, elsewhere)] == [(401, "invalid_token")] * 2


@pytest.mark.parametrize("secret", ["flk_", "flk_live_", "flk_live_" + "A" * 43, "flk_test_x", "flk_live_\x7f"])
def test_an_unknown_key_is_nobody(make: Make, secret: str) -> None:
    assert refusal(Caller(make.send, secret).get("/cart")) == (401, "invalid_token")


def test_each_altered_character_of_a_key_is_refused(boss: Caller) -> None:
    robot, _ = machine(boss)
    secret = str(robot.token)

    for place in range(len(secret)):
        altered = f"{secret[:place]}{'x' if secret[place] != 'x' else 'y'}{secret[place + 1 :]}"
        assert Caller(boss.send, altered).get("/cart").status == 401, place
    assert robot.get("/cart").status == 200


def test_a_key_expires(noon: time_machine.Traveller, boss: Caller) -> None:
    robot, _ = machine(boss, expires_in_days=1)
    forever, _ = machine(boss, expires_in_days=None)

    noon.shift(timedelta(days=1, seconds=-1))
    assert robot.get("/cart").status == 200
    noon.shift(timedelta(seconds=1))

    assert refusal(robot.get("/cart")) == (401, "invalid_token")
    assert forever.get("/cart").status == 200


def test_a_revoked_key_is_refused_at_once_and_stays_so(boss: Caller, make_with: MakeWith) -> None:
    robot, key_id = machine(boss)
    elsewhere = Caller(make_with().send, robot.token)

    revoked = boss.delete(f"/admin/keys/{key_id}")
    again = boss.delete(f"/admin/keys/{key_id}")

    assert (revoked.status, revoked.json["msg"]) == (200, "API key revoked")
    assert again.json == revoked.json
    assert [refusal(caller.get("/cart")) for caller in (robot, elsewhere)] == [(401, "invalid_token")] * 2
    assert refusal(boss.patch(f"/admin/keys/{key_id}", {"name": "Back"})) == (409, "key_revoked")
    assert refusal(boss.post(f"/admin/keys/{key_id}/rotate", {})) == (409, "key_revoked")


def test_a_rotated_key_has_its_old_secret_for_as_long_as_was_asked(noon: time_machine.Traveller, boss: Caller) -> None:
    old, key_id = machine(boss)

    rotated = boss.post(f"/admin/keys/{key_id}/rotate", {"overlap_seconds": 60})
    new = Caller(boss.send, rotated.json["secret"])
    during = (old.get("/cart").status, new.get("/cart").status)
    noon.shift(timedelta(seconds=60))
    after = (old.get("/cart").status, new.get("/cart").status)
    newest = Caller(boss.send, boss.post(f"/admin/keys/{key_id}/rotate", {"overlap_seconds": 0}).json["secret"])

    assert (rotated.status, rotated.json["key"]["hint"]) == (200, f"flk_live_…{rotated.json['secret'][-4:]}")
    assert (during, after) == ((200, 200), (401, 200))
    assert [caller.get("/cart").status for caller in (old, new, newest)] == [401, 401, 200]


def test_a_second_rotation_does_not_prolong_the_first_secret(noon: time_machine.Traveller, boss: Caller) -> None:
    first, key_id = machine(boss)
    boss.post(f"/admin/keys/{key_id}/rotate", {"overlap_seconds": 60})
    second = Caller(boss.send, boss.post(f"/admin/keys/{key_id}/rotate", {"overlap_seconds": 3_600}).json["secret"])

    noon.shift(timedelta(seconds=60))

    assert (first.get("/cart").status, second.get("/cart").status) == (401, 200)


def test_an_edited_key_may_do_what_it_now_says(boss: Caller) -> None:
    robot, key_id = machine(boss, operations=["view_cart"])
    assert robot.post("/products", MUG).status == 403

    changed = boss.patch(f"/admin/keys/{key_id}", {"name": "Editor", "operations": ["add_product"], "spend_cap": 5})

    assert (changed.status, changed.json["key"]["name"]) == (200, "Editor")
    assert changed.json["key"]["spend_cap"] == Decimal("5.00")
    assert changed.json["key"]["scopes"] == ["catalog.write", "shopping"]
    assert (robot.post("/products", MUG).status, robot.get("/cart").status) == (201, 403)


def test_keys_are_seen_by_their_owner_and_by_who_may_change_staff(boss: Caller, make: Make) -> None:
    helper, other = (make.staff(name, {Permission.KEYS_WRITE}) for name in ("helper", "other"))
    robot, key_id = machine(helper, scopes=["shopping"])

    assert [key["id"] for key in boss.get("/admin/keys").json["keys"]] == [key_id]
    assert (other.get("/admin/keys").json["keys"], other.get(f"/admin/keys/{key_id}").status) == ([], 404)
    assert refusal(other.delete(f"/admin/keys/{key_id}")) == (404, "key_not_found")
    assert refusal(boss.post(f"/admin/keys/{key_id}/rotate", {})) == (404, "key_not_found")
    assert refusal(boss.patch(f"/admin/keys/{key_id}", {"scopes": ["catalog.write"]})) == (404, "key_not_found")
    assert robot.get("/cart").status == 200
    assert boss.delete(f"/admin/keys/{key_id}").status == 200
    assert robot.get("/cart").status == 401


def test_the_last_use_is_noted_once_a_minute(noon: time_machine.Traveller, boss: Caller, app: ShopApp) -> None:
    robot, key_id = machine(boss)

    def use() -> tuple[str, int]:
        with counted(app) as sent:
            assert robot.get("/cart").status == 200
        writes = sum(statement.startswith("UPDATE") for statement in sent)
        return boss.get(f"/admin/keys/{key_id}").json["key"]["last_used_at"], writes

    first, noon_again = use(), use()
    noon.shift(timedelta(seconds=59))
    soon = use()
    noon.shift(timedelta(seconds=1))
    later = use()

    assert (first, noon_again, soon) == (
        ("2026-11-24T12:00:00Z", 1),
        ("2026-11-24T12:00:00Z", 0),
        ("2026-11-24T12:00:00Z", 0),
    )
    assert later == ("2026-11-24T12:01:00Z", 1)


def test_a_key_reads_on_while_the_database_cannot_write(
    boss: Caller, app: ShopApp, db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    robot, key_id = machine(boss)
    engine = app.extensions[KEY].db.engine
    read_only = "PRAGMA query_only = ON" if db.engine.dialect.name == "sqlite" else "SET TRANSACTION READ ONLY"
    writable = "PRAGMA query_only = OFF" if db.engine.dialect.name == "sqlite" else "SELECT 1"

    def lock(connection: object, *_rest: object) -> None:
        connection.exec_driver_sql(read_only)  # type: ignore[attr-defined]

    event.listen(engine, "begin", lock)
    with caplog.at_level(logging.WARNING):
        answer = robot.get("/cart")
    event.remove(engine, "begin", lock)
    with db.write() as session:
        session.execute(text(writable))

    assert answer.status == 200
    assert [record.getMessage() for record in caplog.records] == [
        f"the use of key {key_id} was not noted: {'OperationalError' if 'PRAGMA' in read_only else 'InternalError'}"
    ]
    assert str(robot.token) not in caplog.text


def cart_of_mugs(boss: Caller, robot: Caller, quantity: int) -> Answer:
    return robot.post("/cart", {"product_id": 1, "quantity": quantity})


def test_a_key_shops_for_its_owner_up_to_its_cap(boss: Caller, make: Make) -> None:
    mug = make.product(price="19.99", stock=10)
    robot, key_id = machine(boss, spend_cap=40)

    cart_of_mugs(boss, robot, 2)
    placed = robot.post("/orders", Idempotency_Key="k")
    replayed = robot.post("/orders", Idempotency_Key="k")
    cart_of_mugs(boss, robot, 1)
    before = make.everything()
    refused = robot.post("/orders")

    assert (placed.status, replayed.body) == (201, placed.body)
    assert boss.get(f"/orders/{placed.json['order_id']}").status == 200
    assert refused.status == 403
    assert {name: refused.json[name] for name in ("code", "total", "currency")} == {
        "code": "spend_cap_reached",
        "total": Decimal("19.99"),
        "currency": "USD",
    }
    assert make.everything() == before
    assert boss.get(f"/admin/keys/{key_id}").json["key"]["spent"] == Decimal("39.98")
    assert make.stock_of(mug) == 8
    assert boss.post("/orders").status == 201  # the person is not bound by it


def test_a_cap_in_another_currency_than_the_orders_stops_them(boss: Caller, make: Make, make_with: MakeWith) -> None:
    make.product(price="1.00", stock=10)
    yen = make_with(currency="JPY")
    robot, _ = machine(Caller(yen.send, boss.token, boss.customer_id), spend_cap=1_000)
    cart_of_mugs(boss, Caller(boss.send, robot.token), 1)

    refused = Caller(boss.send, robot.token).post("/orders")

    assert refusal(refused) == (403, "spend_cap_reached")


def test_orders_at_once_do_not_overspend(make_over_http: Make) -> None:
    boss = make_over_http.staff()
    make_over_http.product(price="10.00", stock=100)
    robot, key_id = machine(boss, spend_cap=30)
    for _ in range(3):
        cart_of_mugs(boss, robot, 1)
        answers = at_once([lambda: robot.post("/orders"), lambda: robot.post("/orders")])
        assert sorted(answer.status for answer in answers) == [201, 400]
    cart_of_mugs(boss, robot, 1)

    refused = robot.post("/orders")

    assert refusal(refused) == (403, "spend_cap_reached")
    assert boss.get(f"/admin/keys/{key_id}").json["key"]["spent"] == Decimal("30.00")


def test_an_idempotency_key_of_a_key_is_not_its_owners(boss: Caller, make: Make) -> None:
    make.product(stock=10)
    robot, _ = machine(boss)
    other, _ = machine(boss)

    answers = [caller.post("/cart", {"product_id": 1}, Idempotency_Key="same") for caller in (boss, robot, other)]

    assert [answer.json["items_count"] for answer in answers] == [1, 2, 3]


def test_a_capped_order_is_one_statement_more_and_any_by_a_key_three_for_the_audit_log(
    boss: Caller, make: Make, app: ShopApp
) -> None:
    make.product(stock=10)
    uncapped, _ = machine(boss)
    capped, _ = machine(boss, spend_cap=1_000)

    def statements(buyer: Caller) -> int:
        cart_of_mugs(boss, buyer, 1)
        with counted(app) as sent:
            assert buyer.post("/orders").status == 201
        return len(sent)

    counts: Mapping[str, int] = {
        name: statements(buyer) for name, buyer in (("boss", boss), ("uncapped", uncapped), ("capped", capped))
    }

    assert counts["uncapped"] == counts["boss"] + 3
    assert counts["capped"] == counts["uncapped"] + 1
