"""Nobody gives, takes or changes more than they hold, one permission after another (P21)."""

from collections.abc import Callable, Mapping

import pytest

from flaskart.accounts.models import StaffRole
from flaskart.kit.actor import OF_STAFF, Permission
from tests.authorization.things import unique
from tests.callers import Answer, Caller, Make

# Without these two nobody comes as far as to grant anything.
ROOT_OF_RIGHTS = frozenset({Permission.STAFF_WRITE, Permission.KEYS_WRITE})
GRANTABLE = sorted(OF_STAFF - ROOT_OF_RIGHTS)


def role_of(make: Make, permission: Permission) -> StaffRole:
    role = StaffRole(name=unique("role"), permissions=permission, is_built_in=False)
    with make.db.write() as session:
        session.add(role)
    return role


def grant_a_role(make: Make, actor: Caller, permission: Permission) -> Answer:
    account = make.customer(unique("account"))
    return actor.put(f"/admin/staff/{account.customer_id}/roles", {"roles": [role_of(make, permission).name]})


def grant_a_role_to_oneself(make: Make, actor: Caller, permission: Permission) -> Answer:
    return actor.put(f"/admin/staff/{actor.customer_id}/roles", {"roles": [role_of(make, permission).name]})


def take_a_role_away(make: Make, actor: Caller, permission: Permission) -> Answer:
    account = make.staff(unique("account"), {permission})
    return actor.put(f"/admin/staff/{account.customer_id}/roles", {"roles": []})


def make_a_role(_make: Make, actor: Caller, permission: Permission) -> Answer:
    return actor.post("/admin/roles", {"name": unique("role"), "permissions": [permission, "staff.write"]})


def widen_a_role(make: Make, actor: Caller, permission: Permission) -> Answer:
    role = role_of(make, Permission.STAFF_WRITE)
    return actor.patch(f"/admin/roles/{role.id}", {"permissions": ["staff.write", permission]})


def narrow_a_role(make: Make, actor: Caller, permission: Permission) -> Answer:
    return actor.patch(f"/admin/roles/{role_of(make, permission).id}", {"permissions": ["staff.write"]})


def rename_a_role(make: Make, actor: Caller, permission: Permission) -> Answer:
    return actor.patch(f"/admin/roles/{role_of(make, permission).id}", {"name": unique("role")})


def delete_a_role(make: Make, actor: Caller, permission: Permission) -> Answer:
    return actor.delete(f"/admin/roles/{role_of(make, permission).id}")


def make_a_key(_make: Make, actor: Caller, permission: Permission) -> Answer:
    return actor.post("/admin/keys", {"name": "robot", "scopes": [permission]})


def widen_a_key(_make: Make, actor: Caller, permission: Permission) -> Answer:
    key_id = actor.post("/admin/keys", {"name": "robot", "scopes": ["shopping"]}).json["key"]["id"]
    return actor.patch(f"/admin/keys/{key_id}", {"scopes": ["shopping", permission]})


WAYS: Mapping[str, Callable[[Make, Caller, Permission], Answer]] = {
    "grant a role": grant_a_role,
    "grant a role to oneself": grant_a_role_to_oneself,
    "take a role away": take_a_role_away,
    "make a role": make_a_role,
    "widen a role": widen_a_role,
    "narrow a role": narrow_a_role,
    "rename a role": rename_a_role,
    "delete a role": delete_a_role,
    "make a key": make_a_key,
    "widen a key": widen_a_key,
}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_grants_more_than_they_hold(make: Make, way: str) -> None:
    for permission in GRANTABLE:
        without = make.staff(unique("without"), OF_STAFF - {permission})
        holder = make.staff(unique("holder"), ROOT_OF_RIGHTS | {permission})

        refused, done = WAYS[way](make, without, permission), WAYS[way](make, holder, permission)

        assert (refused.status, refused.json["code"]) == (403, "more_than_held"), (way, permission)
        assert refused.json["missing"] == [permission], (way, permission)
        assert done.status in (200, 201), (way, permission, done.json)


def test_what_an_owner_holds_only_an_owner_gives_or_takes(make: Make) -> None:
    boss, deputy, alice = make.staff(), make.staff("deputy", OF_STAFF - {Permission.AUDIT_READ}), make.customer()
    before = make.everything()

    promoted = deputy.put(f"/admin/staff/{alice.customer_id}/roles", {"roles": ["owner"]})
    demoted = deputy.put(f"/admin/staff/{boss.customer_id}/roles", {"roles": []})

    assert [(answer.status, answer.json["missing"]) for answer in (promoted, demoted)] == [(403, ["audit.read"])] * 2
    assert make.everything() == before
    assert boss.put(f"/admin/staff/{alice.customer_id}/roles", {"roles": ["owner"]}).status == 200
