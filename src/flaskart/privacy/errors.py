"""How asking for one's data can fail."""

from flaskart.kit.errors import Conflict, NotFound


class ExportTooSoon(Conflict):
    code = "export_too_soon"
    message = "An export is being made, or was made within the last hour"


class ExportNotFound(NotFound):
    code = "export_not_found"
    message = "There is no export at this link, or it has expired"
