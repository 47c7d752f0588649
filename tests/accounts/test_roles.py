"""`/admin/roles` and `/admin/staff`: who may do what, from their next request on, in every process."""

from collections.abc import Mapping

import pytest

from flaskart.accounts import queries
from flaskart.kit.actor import OF_STAFF, Permission
from flaskart.kit.db import Database
from tests.callers import Answer, Caller, Make, MakeWith
from tests.races.crowd import at_once

MUG = {"name": "Mug", "price": 5}
OWNER = {"id": 1, "name": "owner", "permissions": sorted(OF_STAFF), "is_built_in": True}


def set_roles(boss: Caller, account: Caller, *names: str) -> Answer:
    return boss.put(f"/admin/staff/{account.customer_id}/roles", {"roles": list(names)})


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def test_a_new_shop_has_an_owner_a_manager_and_support(make: Make) -> None:
    roles = make.staff().get("/admin/roles").json["roles"]

    assert roles[0] == OWNER
    assert [(role["name"], role["is_built_in"]) for role in roles[1:]] == [("manager", True), ("support", True)]
    assert roles[2]["permissions"] == ["customers.read", "orders.read"]
    assert set(roles[1]["permissions"]) == OF_STAFF - {"audit.read", "keys.write", "settings.write", "staff.write"}


def test_a_role_is_made_changed_and_deleted(make: Make) -> None:
    boss = make.staff()

    added = boss.post("/admin/roles", {"name": "packer", "permissions": ["orders.write", "orders.read"]})
    role_id = added.json["role"]["id"]
    changed = boss.patch(f"/admin/roles/{role_id}", {"name": "sender", "permissions": ["orders.read"]})
    deleted = boss.delete(f"/admin/roles/{role_id}")

    packer = {"id": role_id, "name": "packer", "permissions": ["orders.read", "orders.write"], "is_built_in": False}
    assert (added.status, added.json) == (201, {"msg": "Role added", "role": packer})
    assert changed.json == {
        "msg": "Role updated",
        "role": packer | {"name": "sender", "permissions": ["orders.read"]},
    }
    assert (deleted.status, deleted.json) == (200, {"msg": "Role deleted"})
    assert len(boss.get("/admin/roles").json["roles"]) == 3


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"permissions": ["orders.read"]}, "/name", "missing"),
        ({"name": "Packer", "permissions": ["orders.read"]}, "/name", "string_pattern_mismatch"),
        ({"name": "x" * 41, "permissions": ["orders.read"]}, "/name", "string_too_long"),
        ({"name": "packer", "permissions": []}, "/permissions", "too_short"),
        ({"name": "packer", "permissions": ["orders.eat"]}, "/permissions/0", "enum"),
        ({"name": "packer", "permissions": ["orders.read", "*"]}, "/permissions/1", "enum"),
        ({"name": "packer", "permissions": ["shopping"]}, "/permissions/0", "permission"),
        ({"name": "packer", "permissions": ["orders.read"], "is_built_in": True}, "/is_built_in", "extra_forbidden"),
    ],
)
def test_a_bad_field_of_a_role_is_named(make: Make, body: Mapping[str, object], pointer: str, code: str) -> None:
    boss = make.staff()
    before = make.everything()

    answer = boss.post("/admin/roles", body)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]
    assert make.everything() == before


def test_what_is_built_in_taken_or_in_use_stays(make: Make) -> None:
    boss, packer = make.staff(), make.staff("packer", {Permission.ORDERS_READ})
    packers = boss.get("/admin/roles").json["roles"][-1]["id"]
    before = make.everything()

    assert refusal(boss.patch("/admin/roles/2", {"permissions": ["orders.read"]})) == (409, "role_built_in")
    assert refusal(boss.delete("/admin/roles/3")) == (409, "role_built_in")
    assert refusal(boss.post("/admin/roles", {"name": "owner", "permissions": ["orders.read"]})) == (
        409,
        "role_name_taken",
    )
    assert refusal(boss.patch(f"/admin/roles/{packers}", {"name": "owner"})) == (409, "role_name_taken")
    in_use = boss.delete(f"/admin/roles/{packers}")
    assert (in_use.status, in_use.json["code"], in_use.json["accounts"]) == (409, "role_in_use", 1)
    assert refusal(set_roles(boss, packer, "cook")) == (422, "role_unknown")
    assert refusal(boss.put("/admin/staff/99/roles", {"roles": []})) == (404, "account_not_found")
    assert make.everything() == before


def test_staff_are_listed_with_their_roles_page_by_page(make: Make) -> None:
    boss, alice = make.staff(), make.customer()
    granted = set_roles(boss, alice, "support", "manager", "support")
    make.customer("bob")

    first = boss.get("/admin/staff?limit=1").json
    second = boss.get(f"/admin/staff?limit=1&after={first['pagination']['next']}").json

    assert [(staff["username"], staff["roles"]) for staff in first["staff"]] == [("boss", ["owner"])]
    assert second["staff"] == [granted.json["staff"]]
    assert second["pagination"]["has_more"] is False
    assert granted.json["staff"]["roles"] == ["manager", "support"]
    assert granted.json["staff"]["email"] == "alice@example.com"
    assert alice.get("/account").json["user"]["role"] == "staff"


def test_a_change_of_roles_bites_on_the_next_request_in_every_process(make: Make, make_with: MakeWith) -> None:
    boss, alice = make.staff(), make.customer()
    elsewhere = Caller(make_with().send, alice.token)
    assert [caller.post("/products", MUG).status for caller in (alice, elsewhere)] == [403, 403]

    set_roles(boss, alice, "manager")
    promoted = [caller.post("/products", MUG).status for caller in (alice, elsewhere)]
    set_roles(boss, alice, "support")
    demoted = [caller.post("/products", MUG).status for caller in (alice, elsewhere)]

    assert (promoted, demoted) == ([201, 201], [403, 403])


def test_an_edited_role_bites_on_the_next_request_of_whoever_has_it(make: Make) -> None:
    boss, cook = make.staff(), make.staff("cook", {Permission.ORDERS_READ})
    role_id = boss.get("/admin/roles").json["roles"][-1]["id"]
    assert cook.post("/products", MUG).status == 403

    boss.patch(f"/admin/roles/{role_id}", {"permissions": ["catalog.write"]})
    allowed = cook.post("/products", MUG).status
    boss.patch(f"/admin/roles/{role_id}", {"permissions": ["orders.read"]})

    assert (allowed, cook.post("/products", MUG).status) == (201, 403)


def test_several_roles_add_up(make: Make) -> None:
    boss, alice = make.staff(), make.customer()
    for name, permission in (("one", "catalog.write"), ("two", "staff.read")):
        boss.post("/admin/roles", {"name": name, "permissions": [permission]})

    set_roles(boss, alice, "one", "two")

    assert (alice.post("/products", MUG).status, alice.get("/admin/staff").status) == (201, 200)
    assert alice.get("/admin/keys").status == 403


def test_a_refusal_names_the_missing_permission(make: Make) -> None:
    answer = make.staff("helper", {Permission.ORDERS_READ}).post("/products", MUG)

    assert answer.status == 403
    assert answer.json == {
        "type": "urn:flaskart:problem:forbidden",
        "title": "Forbidden",
        "status": 403,
        "detail": "This needs the permission catalog.write",
        "code": "forbidden",
        "msg": "This needs the permission catalog.write",
        "permission": "catalog.write",
    }


def test_the_last_owner_stays(make: Make) -> None:
    boss, deputy = make.staff(), make.staff("deputy", OF_STAFF)
    before = make.everything()

    assert refusal(set_roles(boss, boss, "manager")) == (409, "last_owner")
    assert refusal(set_roles(deputy, boss)) == (409, "last_owner")
    assert refusal(boss.delete("/account")) == (409, "last_owner")
    assert make.everything() == before
    set_roles(boss, deputy, "owner")
    assert boss.delete("/account").status == 200
    assert refusal(set_roles(deputy, deputy, "manager")) == (409, "last_owner")


def test_of_two_owners_who_dismiss_each_other_at_once_one_stays(make_over_http: Make) -> None:
    one, other = make_over_http.staff("one"), make_over_http.staff("other")

    answers = at_once([lambda: set_roles(one, other), lambda: set_roles(other, one)])

    assert sorted(answer.status for answer in answers) == [200, 403]
    owners = [boss for boss in (one, other) if boss.get("/admin/staff").status == 200]
    assert len(owners) == 1


def test_a_member_of_staff_who_leaves_takes_no_rights_along(make: Make, db: Database) -> None:
    make.staff()
    helper = make.staff("helper", {Permission.KEYS_WRITE, Permission.ORDERS_READ})
    key = make.key(helper, {Permission.SHOPPING})
    assert key.get("/orders").status == 200

    assert helper.delete("/account").status == 200

    assert refusal(key.get("/orders")) == (401, "invalid_token")
    with db.read() as session:
        staff = queries.list_staff(session, limit=10, after=None).rows
    assert [account.username for account in staff] == ["boss"]
