"""The shop with one of its guards taken out, for the canaries."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.callers import Make
from tests.conftest import TOKENS, database_at
from tests.races.crowd import is_postgresql
from tests.servers import serving

# Names a factory of `unguarded.py`, the constraint that would catch what it lets pass, and variables of the server.
MakeWithout = Callable[..., Make]


@pytest.fixture
def make_without(database_url: str, tmp_path: Path) -> Iterator[MakeWithout]:
    """Like `make_over_http`, but the shop lacks a guard, and nobody asks for its invariants afterwards."""
    db = database_at(database_url)
    with ExitStack() as opened:
        opened.callback(db.close)

        def make_without(guard: str, *, constraint: tuple[str, str] | None = None, **variables: str) -> Make:
            if constraint is not None and is_postgresql(db):
                table, name = constraint
                with db.write() as session:
                    session.execute(text(f'ALTER TABLE "{table}" DROP CONSTRAINT {name}'))
            broken = serving(database_url, tmp_path, app=f"tests.races.unguarded:{guard}", worker=False, **variables)
            server = opened.enter_context(broken)
            return Make(db, TOKENS, server.send)

        yield make_without
