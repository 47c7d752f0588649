"""What is kept about a person, as a room hands it over: named sections of records, read a page at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import InstrumentedAttribute

from flaskart.kit.db import Session
from flaskart.kit.tables import Table

PAGE = 100

Record = dict[str, object]
Sections = Mapping[str, Iterator[Record]]


def records(
    session: Session,
    table: type[Table],
    owned: ColumnElement[bool],
    *,
    without: Collection[str] = (),
    **parts: InstrumentedAttribute[int],
) -> Iterator[Record]:
    """Yield the rows of a table that are somebody's, by id, with all their columns but those `without`.

    Each of `parts` names what belongs to a row, such as `lines=OrderLine.order_id`: the column that refers to it.
    However many rows there are, `PAGE` of them and what belongs to them are in memory.
    """
    columns, last_id = table.__table__.columns, 0
    while True:
        page = select(*columns).where(owned, columns.id > last_id).order_by(columns.id).limit(PAGE)
        rows = session.execute(page).all()
        belonging = {name: _by_owner(session, reference, rows) for name, reference in parts.items()}
        for row in rows:
            yield _record(row, without) | {name: of.get(row.id, []) for name, of in belonging.items()}
        if len(rows) < PAGE:
            return
        last_id = rows[-1].id


def erased_name(customer_id: int) -> str:
    """Return what stands for an erased person: neither a username nor an address that anybody could register."""
    return f"@erased-{customer_id}"


def _by_owner(
    session: Session, reference: InstrumentedAttribute[int], owners: Sequence[Row[*tuple[Any, ...]]]
) -> dict[int, list[Record]]:
    columns = reference.class_.__table__.columns
    ids = [owner.id for owner in owners]
    parts: dict[int, list[Record]] = {}
    for row in session.execute(select(*columns).where(reference.in_(ids)).order_by(columns.id)):
        parts.setdefault(row._mapping[reference.key], []).append(_record(row, (reference.key,)))
    return parts


def _record(row: Row[*tuple[Any, ...]], without: Collection[str]) -> Record:
    return {name: value for name, value in row._mapping.items() if name not in without}
