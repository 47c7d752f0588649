"""All tables of this version, for what must know every one: migrations and the moving of a shop."""

import flaskart.accounts.models
import flaskart.cart.models
import flaskart.catalog.models
import flaskart.inventory.models
import flaskart.kit.audit
import flaskart.kit.jobs
import flaskart.orders.models
import flaskart.privacy.models
import flaskart.web.counters
import flaskart.web.idempotency  # noqa: F401 - each import adds its tables to the metadata
from flaskart.kit.tables import Table

METADATA = Table.metadata
