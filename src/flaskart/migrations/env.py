"""Alembic's entry: runs migrations on the engine that `flaskart.migrations` hands over."""

from alembic import context

from flaskart.migrations.runner import engine_of
from flaskart.migrations.tables import METADATA

with engine_of(context.config).connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        transactional_ddl=True,  # SQLite can, once the driver is kept from committing by itself
    )
    with context.begin_transaction():
        context.run_migrations()
