"""The providers people may sign in with, as the operator's file names them. Nothing here asks the network."""

import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from flaskart.accounts.errors import ProviderNotFound, RedirectUriNotAllowed
from flaskart.accounts.models import MAX_PROVIDER, MAX_REDIRECT_URI
from flaskart.kit.errors import OperatorError

if TYPE_CHECKING:
    from flaskart.accounts.oidc.client import Client

KEY = "flaskart.oidc"
DISCOVERY = "/.well-known/openid-configuration"
# Talks with providers that a process has at once. One that hangs must not hold every thread that serves requests.
MAX_TALKS = 2

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
ProviderName = Annotated[str, StringConstraints(pattern=rf"^[a-z0-9][a-z0-9-]{{0,{MAX_PROVIDER - 1}}}$")]


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_trustworthy(url: str, *, is_http_on_loopback_allowed: bool) -> bool:
    """Tell whether what is said to and by a URL can be neither read nor changed on the way."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.fragment or port == 0:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_http_on_loopback_allowed and is_loopback(url))


def _redirect_uri(uri: str) -> str:
    scheme = urlsplit(uri).scheme
    is_of_an_app = "." in scheme  # a private-use scheme (RFC 8252, section 7.1)
    if not is_of_an_app and not is_trustworthy(uri, is_http_on_loopback_allowed=True):
        raise ValueError("must be https, http on loopback, or a scheme of an app's own such as com.example.app")
    if "#" in uri:
        raise ValueError("must have no fragment")
    return uri


class Provider(BaseModel):
    """One provider, as whoever runs the shop has registered there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Text
    client_id: Text
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    display_name: Text
    scopes: tuple[Text, ...] = ("openid", "email", "profile")

    @model_validator(mode="after")
    def _asks_who_it_is(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid among them")
        return self

    @property
    def discovery_url(self) -> str:
        """Where the provider describes itself; `issuer` may be given as that URL, too."""
        return self.issuer.removesuffix(DISCOVERY).rstrip("/") + DISCOVERY


class ProvidersFile(BaseModel):
    """The file that `FLASKART_OIDC_PROVIDERS` names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    redirect_uris: Annotated[
        tuple[Annotated[str, Field(max_length=MAX_REDIRECT_URI), AfterValidator(_redirect_uri)], ...],
        Field(min_length=1),
    ]
    timeout_seconds: Annotated[float, Field(ge=0.1, le=30)] = 5
    allow_http_on_loopback: bool = False
    providers: Annotated[dict[ProviderName, Provider], Field(min_length=1)]

    @model_validator(mode="after")
    def _speaks_privately(self) -> Self:
        for name, provider in self.providers.items():
            if not is_trustworthy(provider.issuer, is_http_on_loopback_allowed=self.allow_http_on_loopback):
                raise ValueError(f"the issuer of {name} must be an https URL")
        return self


class Providers:
    """The providers of one shop. What each says about itself is kept as long as the app lives."""

    def __init__(self, file: ProvidersFile | None) -> None:
        self._file = file
        self._clients: dict[str, Client] = {}
        self._lock = Lock()
        self._talks = BoundedSemaphore(MAX_TALKS)

    @property
    def all(self) -> Mapping[str, Provider]:
        return self._file.providers if self._file else {}

    def client(self, name: str) -> "Client":
        """Return who talks with a provider.

        Raises:
            ProviderNotFound: this shop has no such provider.
        """
        if self._file is None or name not in self._file.providers:
            raise ProviderNotFound
        # Authlib comes with an extra, and takes its time and memory: it is loaded by whoever first signs in with it.
        from flaskart.accounts.oidc.client import Client  # noqa: PLC0415

        with self._lock:
            if name not in self._clients:
                self._clients[name] = Client(
                    name,
                    self._file.providers[name],
                    timeout_seconds=self._file.timeout_seconds,
                    is_http_on_loopback_allowed=self._file.allow_http_on_loopback,
                    talks=self._talks,
                )
            return self._clients[name]

    def check_redirect_uri(self, uri: str) -> None:
        """Compare a URI with the list, character by character.

        Raises:
            RedirectUriNotAllowed: it is not there, so people could be sent anywhere with a code that lets in.
        """
        if self._file is None or uri not in self._file.redirect_uris:
            raise RedirectUriNotAllowed


def read_providers(path: Path | None) -> Providers:
    """Read the operator's file; without one nobody signs in through a provider.

    Raises:
        OperatorError: the file cannot be read, is not right, or the extra `oidc` is not installed.
    """
    if path is None:
        return Providers(None)
    try:
        file = ProvidersFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as failure:
        raise OperatorError(f"FLASKART_OIDC_PROVIDERS: {path}: {failure.strerror}") from None
    except ValidationError as invalid:
        first = invalid.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise OperatorError(f"{path}: {place + ': ' if place else ''}{reason}") from None
    except ValueError as malformed:  # not TOML, or not UTF-8
        raise OperatorError(f"{path} is not TOML: {malformed}") from None
    if find_spec("authlib") is None:
        raise OperatorError("FLASKART_OIDC_PROVIDERS needs Authlib: pip install 'flaskart[oidc]'")
    return Providers(file)
