"""Failures that nobody expected: a 500 says nothing to the caller and everything to the log."""

import logging

import pytest
from flask import Response
from pydantic import BaseModel

from flaskart.web import problems
from flaskart.web.auth import anyone as public
from flaskart.web.http import show
from flaskart.web.openapi import ShopApp
from tests.callers import Caller


class Out(BaseModel):
    number: int


def test_a_bug_is_a_500_without_internals(
    app: ShopApp, anyone: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    @public
    def broken() -> Response:
        raise RuntimeError("the secret inside")

    monkeypatch.setitem(app.view_functions, "health.healthz", broken)

    with caplog.at_level(logging.ERROR):
        answer = anyone.get("/healthz")

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert answer.headers["Content-Type"] == problems.PROBLEM_JSON
    assert b"secret" not in answer.body
    assert "the secret inside" in caplog.text
    assert answer.headers["Request-Id"] in caplog.text


def test_a_bug_in_our_output_is_not_the_callers_fault(
    app: ShopApp, anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    @public
    def broken() -> Response:
        return show(Out.model_validate({"number": "many"}))

    monkeypatch.setitem(app.view_functions, "health.healthz", broken)

    assert anyone.get("/healthz").status == 500
