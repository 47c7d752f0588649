"""Alembic's entry: runs migrations on the engine that `flaskart.migrations` hands over."""

from alembic import context

import flaskart.accounts.models
import flaskart.cart.models
import flaskart.catalog.models
import flaskart.inventory.models
import flaskart.orders.models
import flaskart.web.idempotency  # noqa: F401 - each import adds its tables to the metadata
from flaskart.kit.tables import Table
from flaskart.migrations.runner import engine_of

with engine_of(context.config).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transactional_ddl=True,  # SQLite can, once the driver is kept from committing by itself
    )
    with context.begin_transaction():
        context.run_migrations()
