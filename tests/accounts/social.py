"""Somebody who signs in with a provider, through the API and with a browser."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from flaskart.accounts.models import Customer
from flaskart.kit.db import Database
from tests.accounts.oidc_provider import REDIRECT_URI, Provider
from tests.callers import Answer, Caller, Make

SIGN_IN = "/auth/oidc/loop"
LINK = "/account/identities/loop"


@dataclass(frozen=True)
class Social:
    """A shop and the provider people come from."""

    make: Make
    provider: Provider

    def start(self, caller: Caller, path: str = SIGN_IN) -> dict[str, Any]:
        answer = caller.post(f"{path}/start", {"redirect_uri": REDIRECT_URI})
        assert answer.status == 200, answer.body
        return answer.json  # type: ignore[no-any-return]

    def come_back(self, started: dict[str, Any]) -> dict[str, str]:
        """Sign in at the provider; return what the shop is to be told."""
        return self.provider.visit(started["authorization_url"]) | {"flow_token": started["flow_token"]}

    def sign_in(self, *, as_: dict[str, Any] | None = None) -> Answer:
        """Go all the way, as somebody the provider knows."""
        anyone = self.make.anyone()
        if as_ is not None:
            self.provider.person = as_
        return anyone.post(f"{SIGN_IN}/finish", self.come_back(self.start(anyone)))

    def link(self, caller: Caller, *, as_: dict[str, Any] | None = None) -> Answer:
        if as_ is not None:
            self.provider.person = as_
        return caller.post(f"{LINK}/finish", self.come_back(self.start(caller, LINK)))

    def signed_in(self, answer: Answer) -> Caller:
        assert answer.status == 200, answer.body
        return Caller(self.make.send, answer.json["access_token"])


def verify(db: Database, username: str = "ada") -> None:
    """Verify the e-mail address of an account."""
    with db.write() as session:
        own = Customer.username == username
        session.execute(update(Customer).where(own).values(email_verified_at=datetime.now(UTC)))
