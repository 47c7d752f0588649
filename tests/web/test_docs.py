"""The interactive documentation works without the internet."""

import re

from tests.callers import Caller


def test_the_pages_load_local_files_only(anyone: Caller) -> None:
    page = anyone.get("/docs")

    assets = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())
    assert page.status == 200
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert len(assets) == 5
    for asset in assets:
        answer = anyone.get(f"/{asset}")
        assert answer.status == 200
        assert answer.body


def test_nothing_but_the_assets_can_be_read(anyone: Caller) -> None:
    for path in ("/docs/own/../docs.py", "/docs/own/%2e%2e/docs.py", "/docs/swagger/../__init__.py", "/docs/own/no.js"):
        assert anyone.get(path).status == 404


def test_the_document_is_not_sent_twice(anyone: Caller) -> None:
    document = anyone.get("/openapi.json")

    again = anyone.get("/openapi.json", If_None_Match=document.headers["ETag"])

    assert document.json["openapi"] == "3.1.0"
    assert again.status == 304
