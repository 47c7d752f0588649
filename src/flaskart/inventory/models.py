"""Tables of the inventory room."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit.tables import Id, Table


class MovementKind(StrEnum):
    RECEIVED = "received"
    ADJUSTED = "adjusted"
    ALLOCATED = "allocated"
    RELEASED = "released"


class StockLocation(Table):
    """A place with stock. The first one is where stock set through the API lies."""

    __tablename__ = "stock_location"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))


class StockLevel(Table):
    """How much of a variant lies at a location: there, promised to orders, kept for payments under way.

    The CHECK is the second lock against overselling. No backorder limit means that any number may be promised.
    """

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("variant_id", "location_id"),
        CheckConstraint("on_hand >= 0", name="on_hand"),
        CheckConstraint(
            "allocated >= 0 AND held >= 0 "
            "AND (backorder_limit IS NULL OR allocated + held <= on_hand + backorder_limit)",
            name="never_oversold",
        ),
    )

    id: Mapped[Id]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id", ondelete="CASCADE"))
    location_id: Mapped[int] = mapped_column(ForeignKey("stock_location.id"))
    on_hand: Mapped[int]
    allocated: Mapped[int]
    held: Mapped[int]
    backorder_limit: Mapped[int | None]


class StockMovement(Table):
    """The ledger: each row says how a level changed. Rows are only ever added; their sums are the level."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        CheckConstraint("kind IN ('received', 'adjusted', 'allocated', 'released')", name="kind"),
        Index("ix_stock_movement_reference", "reference"),
    )

    id: Mapped[Id]
    stock_level_id: Mapped[int] = mapped_column(ForeignKey("stock_level.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    on_hand_delta: Mapped[int]
    allocated_delta: Mapped[int]
    held_delta: Mapped[int]
    reference: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
