"""What a provider says about a person, as far as the shop has a use for it."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from flaskart.accounts.models import MAX_SUBJECT
from flaskart.accounts.oidc.transport import Trouble
from flaskart.accounts.schemas import EmailAddress

MAX_WISH = 40
_email_address: TypeAdapter[str] = TypeAdapter(EmailAddress)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as a provider knows them: by `subject`, for good. `username` is what they might like to be called.

    `verified_email` is None unless the provider vouches that the address is theirs.
    """

    provider: str
    subject: str
    verified_email: str | None
    username: str


def identity_of(provider: str, claims: Mapping[str, Any]) -> Identity:
    """Read verified claims.

    Raises:
        Trouble: there is no usable subject.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or "\0" in subject:
        raise Trouble("the provider names nobody")
    return Identity(provider, subject, _verified_email(claims), _username(claims))


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    vouches = claims.get("email_verified")
    if vouches is not True and vouches != "true":  # some providers write true as a string
        return None
    try:
        return _email_address.validate_python(claims.get("email"), strict=True)
    except ValidationError:
        return None


def _username(claims: Mapping[str, Any]) -> str:
    for name in ("preferred_username", "nickname", "name", "email"):
        wish = claims.get(name)
        if isinstance(wish, str):
            before_at = unicodedata.normalize("NFKC", wish[:1_000]).partition("@")[0]
            usable = "".join(letter for letter in before_at if letter.isalnum() or letter in "._-")[:MAX_WISH]
            if usable:
                return usable
    return "customer"
