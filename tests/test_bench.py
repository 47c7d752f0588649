"""The benchmark measures what it says; a whole run of it is `make bench`."""

import json
import os
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench.__main__ import main
from bench.chart import Bar, draw
from bench.goals import Goal
from bench.load import NotMeasured, Outcome, Request, read_outcome
from bench.measuring import Cpu, Measured, Subject, minimal_orders, subject
from bench.operations import operations
from bench.references import bare, lock_first
from bench.results import Results, goals_of
from bench.servers import Engine, Family, cpu_between
from bench.shops import LINES, Shop, prepared
from sqlalchemy import text

from flaskart.checkout import actions as checkout
from flaskart.kit.db import Database
from flaskart.listings.actions import NewListing, add_listings
from flaskart.web.openapi import ShopApp
from tests.callers import Make
from tests.test_statement_counts import counted

PRINTED = {
    "operations": 1200,
    "seconds": 1.5,
    "p50_ms": 1.25,
    "p99_ms": 9.5,
    "max_ms": 31.0,
    "failed": 0,
    "failure": "",
}


def printed(**changed: object) -> str:
    return "Running 60s test\n  4 threads and 4 connections\n" + json.dumps(PRINTED | changed) + "\n"


def measured(x_r1: float, *, r2_ms: float = 0.0) -> Measured:
    return Measured(Outcome(100, 0.5, 1.0, 2.0, 3.0), Cpu(x_r1 * 0.06, x_r1 * 0.04), r1_ms=0.1, r2_ms=r2_ms)


@pytest.fixture
def shop(app: ShopApp, db: Database, database_url: str, make: Make) -> Shop:
    products = LINES + 100
    goods = [NewListing(f"Thing {n}", f"thing-{n}", "", 100 + n, "USD", stock=5) for n in range(products)]
    with db.write() as session:
        add_listings(session, goods)
    return prepared(Shop(database_url, products, app, make, make.staff(), items=[]))


def test_without_wrk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["bench", "--quick"])

    code = main()

    assert code == 1
    told = capsys.readouterr()
    assert told.err.strip() == "bench: `wrk`, which makes the load, is not installed: apt-get install wrk"
    assert told.out == ""


def test_what_the_flow_prints_is_read() -> None:
    outcome = read_outcome(printed())

    assert outcome == Outcome(operations=1200, seconds=1.5, p50_ms=1.25, p99_ms=9.5, max_ms=31.0)
    assert outcome.per_second == 800


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it printed nothing"),
        ("unable to connect to 127.0.0.1:1 Connection refused", "Connection refused"),
        (printed(failed=3, failure="409 sold out"), "3 requests failed: 409 sold out"),
        (printed(operations=0, seconds=0.0), "no operation was finished"),
    ],
)
def test_a_load_that_failed_is_no_measurement(text: str, reason: str) -> None:
    with pytest.raises(NotMeasured, match=reason):
        read_outcome(text)


def test_a_request_is_sent_as_http_has_it() -> None:
    request = Request("POST", "/cart", "abc", b'{"product_id": 7}')

    assert request.as_sent() == (
        b"POST /cart HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer abc\r\n"
        b'Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{"product_id": 7}'
    )


@pytest.mark.parametrize(
    ("found", "limit", "is_floor", "holds"),
    [(2.0, 2, False, True), (2.01, 2, False, False), (2.0, 2, True, True), (1.99, 2, True, False)],
)
def test_a_goal_holds_up_to_its_limit(found: float, limit: float, *, is_floor: bool, holds: bool) -> None:
    assert Goal("rate", found, limit, "x", is_floor=is_floor).holds is holds


def test_cpu_time_of_a_process_is_what_it_used() -> None:
    family = Family.of(os.getpid())

    earliest = time.process_time()
    before = family.cpu_seconds()
    began = time.process_time()
    while time.process_time() - began < 0.05:
        pass
    used = cpu_between(before, family.cpu_seconds())

    assert 0.05 <= used <= time.process_time() - earliest


def test_each_operation_can_be_done_and_keeps_to_its_statements(shop: Shop) -> None:
    subjects = [subject(shop, operation) for operation in operations(shop, shop.sign_in("buyer", 8))]

    assert [goal for found in subjects for goal in goals_of_statements(found) if not goal.holds] == []
    sizes = {found.operation.name: found.answer_bytes for found in subjects}
    assert sizes["list of 20, not modified (304)"] == 0
    assert sizes["order of 500 lines"] > 50 * sizes["order of 1 line"]


def goals_of_statements(found: Subject) -> list[Goal]:
    found.rounds.append(measured(1))
    return [goal for goal in goals_of(found) if goal.unit == "SQL statements"]


def test_an_order_may_cost_six_times_r1_and_twice_r2(shop: Shop) -> None:
    [place] = [operation for operation in operations(shop, shop.sign_in("buyer", 8)) if operation.max_r2]

    found = [Subject(place, 800, 13, [measured(x_r1, r2_ms=0.2)]) for x_r1 in (9.9, 10.1)]

    goals = [goal for each in found for goal in goals_of(each) if goal.unit == "x R1"]
    assert [(round(goal.limit, 6), goal.holds) for goal in goals] == [(10, True), (10, False)]


def test_results_tell_every_goal_and_whether_it_holds(shop: Shop) -> None:
    subjects = [
        Subject(operation, 100, 2, [measured(2.0), measured(2.5), measured(9.0)])
        for operation in operations(shop, shop.sign_in("buyer", 8))
    ]
    start = Goal("cold start", 0.8, 1, "s")

    results = Results("sqlite", 600, 3, False, "2026-01-02", "abc1234", {"cores": 2}, subjects, [start], 300_000_000)

    found = json.loads(results.as_json())
    verdicts = {goal["goal"]: goal["holds"] for goal in found["goals"]}
    assert verdicts["product by id: CPU"] is True
    assert verdicts["list of 20, unchanged: CPU"] is False
    assert verdicts["cold start"] is True
    [product] = [each for each in found["operations"] if each["operation"] == "product by id"]
    assert (product["x_r1"], product["cpu_ms"], product["database_cpu_ms"]) == (2.5, 0.25, 0.1)


def test_the_chart_is_svg_with_a_bar_for_each_operation_and_a_stroke_for_each_goal() -> None:
    chart = draw("CPU <per> operation", [Bar("list & page", 1.2, 1.5), Bar("product", 3.4, 3)])

    svg = ET.fromstring(chart)  # noqa: S314 - our own
    name = "{http://www.w3.org/2000/svg}"
    assert [bar.get("class") for bar in svg.iter(f"{name}rect")] == ["within", "beyond"]
    assert len(list(svg.iter(f"{name}line"))) == 2
    texts = [each.text for each in svg.iter(f"{name}text")]
    assert texts[0] == "CPU <per> operation"
    assert "list & page" in texts
    assert "3.4 of 3.0" in texts


def test_r1_answers_with_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_SIZES", "0,817")

    client = bare.wsgi().test_client()

    assert [len(client.get(path).data) for path in ("/0", "/817")] == [0, 817]


def test_r2_makes_orders_of_three_lines_out_of_carts(db: Database, database_url: str, tmp_path: Path) -> None:
    with minimal_orders(database_url, tmp_path) as minimal:
        cost = minimal.cpu_ms(5, Engine("sqlite", tmp_path))

    assert cost > 0
    tables = ("bench_order", "bench_order_line", "bench_cart_line")
    with db.write() as session:
        counts = [session.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables]  # noqa: S608
        taken = session.scalar(text("SELECT sum(allocated) FROM bench_stock"))
        for table in ("bench_order_line", "bench_order", "bench_cart_line", "bench_stock"):
            session.execute(text(f"DROP TABLE {table}"))
    assert (counts, taken) == ([5, 15, 0], 15)


def test_r3_locks_the_stock_before_anything_else(
    app: ShopApp, make: Make, monkeypatch: pytest.MonkeyPatch, db: Database
) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug})
    monkeypatch.setattr(checkout, "place_order", lock_first.place_order)

    with counted(app) as sent:
        assert alice.post("/orders").status == 201

    after_begin = sent[next(number for number, statement in enumerate(sent) if statement.startswith("BEGIN")) + 1]
    assert "FROM stock_level" in after_begin
    assert ("FOR UPDATE" in after_begin) == (db.engine.dialect.name == "postgresql")
    assert make.stock_of(mug) == 9
