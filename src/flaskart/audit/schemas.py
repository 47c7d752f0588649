"""Public JSON of the audit log."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from flaskart.audit.queries import EntryRow, Filter
from flaskart.kit.audit import ActorKind
from flaskart.kit.paging import MAX_ID, Page
from flaskart.web.fields import NoControls, PageQuery, Pagination, WholeNumber
from flaskart.web.json import decode

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _utc(text: Any) -> datetime:
    try:
        if isinstance(text, str) and _RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("time", "Input should be a time with its offset, like 2026-03-01T12:00:00Z")


Moment = Annotated[datetime, BeforeValidator(_utc)]
RowId = Annotated[int, WholeNumber, Field(ge=0, le=MAX_ID)]
Name = Annotated[str, Field(min_length=1, max_length=60), NoControls]


class AuditQuery(PageQuery):
    actor_kind: ActorKind | None = None
    actor_id: Annotated[RowId | None, Field(description="Give `actor_kind`, too: keys and customers share ids.")] = None
    action: Annotated[Name | None, Field(examples=["product.updated"])] = None
    subject_kind: Annotated[Name | None, Field(examples=["product"])] = None
    subject_id: RowId | None = None
    since: Annotated[Moment | None, Field(description="The earliest time that is wanted.")] = None
    until: Annotated[Moment | None, Field(description="The first time that is not wanted any more.")] = None

    @property
    def wanted(self) -> Filter:
        return Filter(**self.model_dump(exclude={"limit", "after"}))


class AuditPath(BaseModel):
    entry_id: int


class ActorOut(BaseModel):
    """`name` is today's, and null for who has none: the shop itself, and whoever was erased."""

    kind: ActorKind
    id: int | None
    name: str | None


class SubjectOut(BaseModel):
    kind: str
    id: int | None


class AuditEntryOut(BaseModel):
    """`before` and `after` hold the fields that changed; `withheld` names those whose values are never kept."""

    id: int
    at: datetime
    actor: ActorOut
    action: str
    subject: SubjectOut
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    withheld: list[str]
    request_id: str | None
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, entry: EntryRow) -> "AuditEntryOut":
        return cls(
            id=entry.id,
            at=datetime.fromisoformat(entry.at),
            actor=ActorOut(kind=ActorKind(entry.actor_kind), id=entry.actor_id, name=entry.actor_name),
            action=entry.action,
            subject=SubjectOut(kind=entry.subject_kind, id=entry.subject_id),
            before=None if entry.before is None else decode(entry.before),
            after=None if entry.after is None else decode(entry.after),
            withheld=decode(entry.withheld or "[]"),
            request_id=entry.request_id,
            previous_hash=entry.previous_hash,
            hash=entry.hash,
        )


class AuditEntryShown(BaseModel):
    entry: AuditEntryOut


class AuditEntryList(BaseModel):
    entries: list[AuditEntryOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[EntryRow]) -> "AuditEntryList":
        return cls(entries=[AuditEntryOut.of(entry) for entry in page.rows], pagination=Pagination.of(page))
