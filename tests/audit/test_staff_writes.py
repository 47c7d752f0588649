"""Every operation by which staff write leaves one entry: none when refused, repeated, or without effect."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyotp
import pytest

from flaskart.accounts import actions as accounts
from flaskart.cli.reports import describing_app
from flaskart.kit.actor import OF_STAFF
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from flaskart.web.auth import access_of
from tests.audit.logs import entries_of
from tests.callers import PASSWORD, Caller, Make


@dataclass(frozen=True)
class Write:
    """A request of staff in a prepared shop, what it is recorded as, and whether it may be without effect."""

    method: str
    path: str
    body: object
    action: str
    subject: tuple[str, int]
    is_edit: bool = False
    is_replayed: bool = True


EDITED = ("product.updated", ("product", 1), True)
WRITES = {
    "POST /products": Write("POST", "/products", {"name": "Cup", "price": 5}, "product.added", ("product", 2)),
    "PATCH /products/<product_id>": Write("PATCH", "/products/1", {"price": 5}, *EDITED),
    "PUT /products/<product_id>": Write("PUT", "/products/1", {"stock": 5}, *EDITED),
    "DELETE /products/<product_id>": Write("DELETE", "/products/1", None, "product.removed", ("product", 1)),
    "POST /admin/roles": Write(
        "POST", "/admin/roles", {"name": "editor", "permissions": ["catalog.write"]}, "role.added", ("role", 5)
    ),
    "PATCH /admin/roles/<id:role_id>": Write(
        "PATCH", "/admin/roles/4", {"permissions": ["orders.read"]}, "role.updated", ("role", 4), is_edit=True
    ),
    "DELETE /admin/roles/<id:role_id>": Write("DELETE", "/admin/roles/4", None, "role.removed", ("role", 4)),
    "PUT /admin/staff/<id:customer_id>/roles": Write(
        "PUT", "/admin/staff/2/roles", {"roles": ["support"]}, "staff.roles_changed", ("customer", 2), is_edit=True
    ),
    "POST /admin/keys": Write(
        "POST",
        "/admin/keys",
        {"name": "till", "scopes": ["catalog.write"]},
        "api_key.added",
        ("api_key", 2),
        is_replayed=False,
    ),
    "PATCH /admin/keys/<id:key_id>": Write(
        "PATCH", "/admin/keys/1", {"name": "another"}, "api_key.updated", ("api_key", 1), is_edit=True
    ),
    "POST /admin/keys/<id:key_id>/rotate": Write(
        "POST", "/admin/keys/1/rotate", {}, "api_key.rotated", ("api_key", 1), is_replayed=False
    ),
    "DELETE /admin/keys/<id:key_id>": Write(
        "DELETE", "/admin/keys/1", None, "api_key.revoked", ("api_key", 1), is_edit=True
    ),
    "POST /admin/customers/<id:customer_id>/disable": Write(
        "POST",
        "/admin/customers/2/disable",
        {"reason": "Chargebacks"},
        "customer.disabled",
        ("customer", 2),
        is_edit=True,
    ),
    "POST /admin/customers/<id:customer_id>/enable": Write(
        "POST", "/admin/customers/3/enable", None, "customer.enabled", ("customer", 3), is_edit=True
    ),
    "POST /admin/customers/<id:customer_id>/sign-out": Write(
        "POST", "/admin/customers/2/sign-out", None, "customer.signed_out", ("customer", 2)
    ),
    "POST /admin/customers/<id:customer_id>/reset-second-factor": Write(
        "POST",
        "/admin/customers/3/reset-second-factor",
        None,
        "customer.second_factor_reset",
        ("customer", 3),
        is_edit=True,
    ),
}


def prepared(make: Make) -> tuple[Caller, Caller]:
    """Open a shop with a member of staff, a customer, a product, a role of its own and a key; return the first two.

    Besides there is a customer with a second factor, who is disabled.
    """
    boss, alice, _ = make.staff(), make.customer(), make.product()
    bob = make.customer("bob")
    secret = bob.post("/account/second-factor", {"current_password": PASSWORD}).json["secret"]
    assert bob.post("/account/second-factor/confirm", {"otp": pyotp.TOTP(secret).now()}).status == 200
    with make.db.write() as session:
        accounts.disable_customer(session, SYSTEM, bob.customer_id, reason="Chargebacks")
    assert boss.post("/admin/roles", {"name": "clerk", "permissions": ["catalog.write"]}).status == 201
    assert boss.post("/admin/keys", {"name": "robot", "scopes": ["catalog.write"]}).status == 201
    return boss, alice


def operations() -> Iterator[str]:
    """Yield the operations by which staff write."""
    app = describing_app()
    for rule in app.url_map.iter_rules():
        if access_of(app.view_functions[rule.endpoint]) in OF_STAFF:
            for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
                yield f"{method} {rule.rule}"


def test_every_operation_by_which_staff_write_is_tested() -> None:
    assert sorted(operations()) == sorted(WRITES)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_of_staff_is_one_entry_and_its_replay_is_none(make: Make, db: Database, write: Write) -> None:
    boss, _ = prepared(make)
    before = len(entries_of(db))

    answer = boss.call(write.method, write.path, write.body, Idempotency_Key="one")
    if write.is_replayed:
        again = boss.call(write.method, write.path, write.body, Idempotency_Key="one")
        assert again.headers["Idempotency-Replayed"] == "true"

    assert answer.status < 300
    [entry] = entries_of(db)[before:]
    assert (entry.actor_kind, entry.actor_id) == ("customer", boss.customer_id)
    assert (entry.action, (entry.subject_kind, entry.subject_id)) == (write.action, write.subject)
    assert entry.request_id == answer.headers["Request-Id"]


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_refused_write_is_no_entry(make: Make, db: Database, write: Write) -> None:
    boss, alice = prepared(make)
    before = entries_of(db)

    unknown_member = boss.call(write.method, write.path, {"nonsense": 1})
    nobody = alice.call(write.method, write.path, write.body)
    unseen = (
        boss.call(write.method, write.path, write.body, If_Match='"other"') if write.subject == ("product", 1) else None
    )

    assert (unknown_member.status, nobody.status) == (422, 403)
    assert unseen is None or unseen.status == 412
    assert entries_of(db) == before


@pytest.mark.parametrize(
    "write", [write for write in WRITES.values() if write.is_edit], ids=lambda write: f"{write.method} {write.path}"
)
def test_an_edit_without_effect_is_no_entry(make: Make, db: Database, write: Write) -> None:
    boss, _ = prepared(make)
    boss.call(write.method, write.path, write.body)
    before = entries_of(db)

    answer = boss.call(write.method, write.path, write.body)

    assert answer.status == 200
    assert entries_of(db) == before


def test_an_edit_keeps_what_was_and_what_is(make: Make, db: Database) -> None:
    boss, mug = make.staff(), make.product("Mug", price="19.99", stock=10)

    boss.patch(f"/products/{mug}", {"name": "Cup", "price": 5, "stock": 3, "description": ""})

    entry = entries_of(db)[-1]
    assert entry.before == '{"name":"Mug","price_minor":1999,"stock":10}'
    assert entry.after == '{"name":"Cup","price_minor":500,"stock":3}'


def test_what_was_removed_can_be_read_in_the_log(make: Make, db: Database) -> None:
    boss, mug = make.staff(), make.product("Mug", price="19.99", stock=10)
    sku = boss.get(f"/products/{mug}").json["product"]["sku"]

    boss.delete(f"/products/{mug}")

    entry = entries_of(db)[-1]
    assert entry.after is None
    assert entry.before == (
        f'{{"currency":"USD","description":"","name":"Mug","price_minor":1999,"sku":"{sku}","slug":"mug","stock":10}}'
    )
