"""What one may ask about one's own data: a copy of it, or that it be erased."""

from flask import Response

from flaskart.accounts.errors import AccountNotFound, LastOwner
from flaskart.accounts.schemas import Done
from flaskart.kit.actor import Actor
from flaskart.privacy import actions, archives, queries
from flaskart.privacy.errors import ExportNotFound, ExportTooSoon
from flaskart.privacy.schemas import Archive, ExportAskedFor, ExportList, ExportOut, TokenPath
from flaskart.web.auth import anyone, person
from flaskart.web.http import db, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("privacy", __name__, "/account", "account", "One's own account.")


@api.delete("", responses=answers(Done, AccountNotFound, LastOwner))
@person
def delete_account(actor: Actor) -> Response:
    """Delete one's account: personal data is erased and every sign-in ends; orders stay, for the books."""
    with writing() as session:
        actions.erase_account(session, actor)
        return show(Done(msg="Account deleted"))


@api.post("/export", responses=answers(ExportAskedFor, AccountNotFound, ExportTooSoon, status=202))
@person
def ask_for_export(actor: Actor) -> Response:
    """Ask for all that the shop keeps about one; a mail brings the link to it, which works for seven days."""
    with writing() as session:
        export = actions.ask_for_export(session, actor)
        return show(ExportAskedFor(msg="Export is being made", export=ExportOut.of(export)), 202)


@api.get("/exports", responses=answers(ExportList))
@person
def list_exports(actor: Actor) -> Response:
    """List one's exports: the one that is being made, and the last one that is ready."""
    with db().read() as session:
        return show(ExportList.of(queries.list_exports(session, actor)))


@api.get("/exports/<token>", responses=answers(Archive, ExportNotFound))
@anyone
def download_export(path: TokenPath) -> Response:
    """Download an export. Who has the link may; nobody needs to sign in."""
    with db().read() as session:
        export_id, archive = queries.get_archive(session, path.token)
    headers = {"Content-Disposition": f'attachment; filename="export-{export_id}.json"'}
    return Response(archives.read(archive), headers=headers, content_type="application/json")
