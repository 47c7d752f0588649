"""How reading the audit log can fail."""

from flaskart.kit.errors import NotFound


class AuditEntryNotFound(NotFound):
    code = "audit_entry_not_found"
    message = "Audit entry not found"
