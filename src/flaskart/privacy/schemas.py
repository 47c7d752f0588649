"""Public JSON of the privacy room."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from flaskart.privacy.models import Export, ExportState


class ExportOut(BaseModel):
    """`expires_at` is when it is deleted, made or not."""

    id: int
    state: ExportState
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, export: Export) -> "ExportOut":
        return cls(
            id=export.id,
            state=ExportState(export.state),
            created_at=export.created_at,
            expires_at=export.expires_at,
        )


class ExportAskedFor(BaseModel):
    msg: str
    export: ExportOut


class ExportList(BaseModel):
    exports: list[ExportOut]

    @classmethod
    def of(cls, exports: Sequence[Export]) -> "ExportList":
        return cls(exports=[ExportOut.of(export) for export in exports])


class TokenPath(BaseModel):
    token: str


class Archive(BaseModel, extra="allow"):
    """All that is kept about a person: a list for each kind of thing, its members named like the columns."""

    made_at: datetime
    customer_id: int
