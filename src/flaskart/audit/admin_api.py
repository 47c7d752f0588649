"""The staff's door to the audit log. It is for reading alone."""

from flask import Response

from flaskart.audit import queries
from flaskart.audit.errors import AuditEntryNotFound
from flaskart.audit.schemas import AuditEntryList, AuditEntryOut, AuditEntryShown, AuditPath, AuditQuery
from flaskart.kit.actor import Actor, Permission
from flaskart.web.auth import permitted
from flaskart.web.http import db, show, show_page
from flaskart.web.openapi import answers, door

api = door("audit", __name__, "/admin/audit", "audit", "Who changed what.")


@api.get("", responses=answers(AuditEntryList))
@permitted(Permission.AUDIT_READ)
def list_audit_entries(actor: Actor, query: AuditQuery) -> Response:
    """List what staff and API keys have changed, newest first."""
    with db().read() as session:
        page = queries.list_entries(session, query.wanted, limit=query.limit, after=query.after)
    return show_page(AuditEntryList.of(page), page)


@api.get("/<id:entry_id>", responses=answers(AuditEntryShown, AuditEntryNotFound))
@permitted(Permission.AUDIT_READ)
def view_audit_entry(actor: Actor, path: AuditPath) -> Response:
    """View one entry of the audit log."""
    with db().read() as session:
        return show(AuditEntryShown(entry=AuditEntryOut.of(queries.get_entry(session, path.entry_id))))
