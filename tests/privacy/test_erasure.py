"""Who deletes their account is nowhere any more, and nobody else is touched."""

from pathlib import Path

from sqlalchemy import select, text

from flaskart.cart.actions import add_item
from flaskart.cart.models import Cart
from flaskart.invariants import check_invariants
from flaskart.kit.actor import OF_EVERYONE, Actor, Permission
from flaskart.kit.db import Database
from flaskart.kit.jobs import Job
from flaskart.orders.models import Order
from flaskart.privacy.jobs import erase_again
from flaskart.web.idempotency import IdempotencyKey
from tests.accounts.sign_ins import rows_of
from tests.callers import Make
from tests.privacy.planting import live, plant

ALICE, BOB = "canary-of-alice", "canary-of-bob"


def files_of(db: Database) -> bytes:
    """Return what lies in a SQLite database's files, those pages included that nothing uses any more."""
    assert db.url.database is not None
    with db.read() as session:
        session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return b"".join(path.read_bytes() for path in Path(db.url.database).parent.glob("test.db*"))


def test_nothing_of_an_erased_person_is_left_in_any_column_and_all_of_others(make: Make, db: Database) -> None:
    alice, bob = live(make, "alice"), live(make, "bob")
    of_alice = plant(db, alice.customer_id, ALICE)
    of_bob = plant(db, bob.customer_id, BOB)
    before = repr(make.everything())
    assert [marker for marker in of_alice | of_bob if marker not in before] == []

    answer = alice.delete("/account")

    assert (answer.status, answer.json) == (200, {"msg": "Account deleted"})
    after = repr(make.everything())
    assert ALICE not in after
    assert "alice@example.com" not in after
    assert [marker for marker in of_bob if marker not in after] == []
    if db.engine.dialect.name == "sqlite":
        stored = files_of(db)
        assert ALICE.encode() not in stored
        assert BOB.encode() in stored


def test_the_orders_of_an_erased_person_stay_for_the_books(make: Make, db: Database) -> None:
    alice = live(make, "alice")
    [order] = rows_of(db, "order")
    untouched = {name: rows_of(db, name) for name in ("order_line", "order_event", "stock_level", "stock_movement")}

    alice.delete("/account")

    assert rows_of(db, "order") == [order | {"email": f"@erased-{alice.customer_id}"}]
    assert {name: rows_of(db, name) for name in untouched} == untouched
    with db.read() as session:
        assert check_invariants(session) == []


def test_no_kept_answer_names_an_erased_person(make: Make, db: Database) -> None:
    alice, bob = live(make, "alice"), live(make, "bob")

    alice.delete("/account")

    with db.read() as session:
        kept = session.scalars(select(IdempotencyKey)).all()
    assert {key.caller for key in kept} == {"anonymous", f"customer:{bob.customer_id}"}
    assert len(kept) == 6
    assert {key.subject_id for key in kept if key.caller == "anonymous"} == {bob.customer_id}


def test_what_was_answered_to_a_key_of_an_erased_person_is_forgotten(make: Make, db: Database) -> None:
    alice, boss = make.staff("alice"), make.staff()
    for owner in (alice, boss):
        robot = make.key(owner, {Permission.CATALOG_WRITE})
        answer = robot.post("/products", {"name": "Mug", "price": 5}, Idempotency_Key=f"of {owner.customer_id}")
        assert answer.status == 201

    alice.delete("/account")

    with db.read() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == [f"of {boss.customer_id}"]


def test_the_keys_of_an_erased_person_end_and_have_no_name_even_if_they_are_staff_no_more(
    make: Make, db: Database
) -> None:
    boss, alice = make.staff(), make.staff("alice")
    robot = make.key(alice, {Permission.CATALOG_WRITE})
    renamed = alice.patch("/admin/keys/1", {"name": "till of Alice Liddell"})
    assert renamed.status == 200
    assert boss.put(f"/admin/staff/{alice.customer_id}/roles", {"roles": []}).status == 200

    assert alice.delete("/account").status == 200

    [key] = rows_of(db, "api_key")
    assert key["name"] == ""
    assert "Liddell" not in repr(make.everything())
    assert key["revoked_at"] == rows_of(db, "customer")[1]["erased_at"]
    assert robot.post("/products", {"name": "Mug", "price": 5}).status == 401


def test_nobody_works_on_for_an_erased_person(make: Make, db: Database) -> None:
    alice, bob = live(make, "alice"), live(make, "bob")
    with db.read() as session:
        of_both = session.scalars(select(Job.id).order_by(Job.id)).all()
    assert len(of_both) == 8

    alice.delete("/account")

    with db.read() as session:
        left = session.execute(select(Job.id, Job.name, Job.payload).order_by(Job.id)).all()
    assert [job.id for job in left[:-1]] == of_both[4:]
    assert left[-1][1:] == ("privacy.erase_again", {"erased_id": alice.customer_id})
    assert bob.get("/account").status == 200


def test_a_deletion_under_a_key_keeps_its_own_answer_only(make: Make, db: Database) -> None:
    alice = live(make, "alice")

    assert alice.delete("/account", Idempotency_Key="leaving").status == 200

    with db.read() as session:
        assert session.execute(select(IdempotencyKey.key, IdempotencyKey.body)).all() == [
            ("leaving", b'{"msg":"Account deleted"}')
        ]


def test_erasing_again_clears_what_was_written_meanwhile_and_keeps_the_time(make: Make, db: Database) -> None:
    alice = live(make, "alice")
    alice.delete("/account")
    erased_at = rows_of(db, "customer")[0]["erased_at"]
    with db.write() as session:
        add_item(session, Actor(alice.customer_id, OF_EVERYONE, "gone"), quantity=1, currency="USD", product_id=1)

    with db.write() as session:
        erase_again(session, {"erased_id": alice.customer_id})

    with db.read() as session:
        assert session.scalars(select(Cart.id).where(Cart.completed_at.is_(None))).all() == []
        assert session.scalars(select(Order.email)).all() == [f"@erased-{alice.customer_id}"]
        assert session.scalars(select(Job.name)).all() == ["privacy.erase_again"]
    assert rows_of(db, "customer")[0]["erased_at"] == erased_at
