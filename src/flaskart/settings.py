"""Deployment settings: read once from `FLASKART_*` variables and `.env`, validated, frozen, passed down."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from limits import RateLimitItem, parse_many
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from flaskart.kit.errors import OperatorError
from flaskart.kit.money import exponent

PREFIX = "FLASKART_"
DATABASE_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
MIN_SECRET_BYTES = 32
MAX_RATE_SECONDS = 86_400
RATE_STORAGE_SCHEMES = ("redis", "rediss", "valkey", "valkeys")
SECRET_FILE = "secret.key"  # noqa: S105 - a file's name
OLD_SECRETS_FILE = "old-secrets.key"


class SettingsError(OperatorError):
    """What is wrong with the configuration, in one line."""


def known_database(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("not a database URL") from None
    if parsed.drivername not in DATABASE_DRIVERS:
        raise ValueError("only sqlite and postgresql are supported")
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("it names no database: each connection would have an empty one of its own")
    return url


def _known_currency(code: str) -> str:
    exponent(code)
    return code


def rate_of(text: str) -> RateLimitItem:
    """Return what `10/5 minutes` and the like mean."""
    [rate, *more] = parse_many(text)
    if more or rate.amount < 1 or rate.get_expiry() > MAX_RATE_SECONDS:
        raise ValueError("one number of at least 1, and a time of at most a day, like 10/5 minutes")
    return rate


def _known_rate(text: str) -> str:
    rate_of(text)
    return text


def _known_storage(text: str) -> str:
    scheme = text.partition("://")[0] if "://" in text else ""
    if text not in ("memory", "database") and scheme not in RATE_STORAGE_SCHEMES:
        raise ValueError("memory, database, or a URL of redis:// or valkey://")
    if scheme and find_spec("redis") is None:
        raise ValueError("Redis needs its driver: pip install 'flaskart[redis]'")
    return text


def _sender_address(address: str) -> str:
    try:
        valid = validate_email(address, check_deliverability=False)
    except EmailNotValidError as refused:
        raise ValueError(str(refused)) from None
    if valid.ascii_email is None:
        raise ValueError("the part before the @ needs letters that few mail servers take")
    return valid.ascii_email


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has a line break or another control character")
    return text


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in url:
        raise ValueError("not the http:// or https:// address of a site")
    return _one_line(url).rstrip("/")


class Settings(BaseSettings):
    """Each field is the variable `FLASKART_<NAME>`; `.env.example` says what it is for."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    instance: Path = Path("instance")
    database_url: Annotated[str, AfterValidator(known_database)] | None = None
    secret_key: SecretStr | None = None
    old_secret_keys: SecretStr | None = None
    currency: Annotated[str, AfterValidator(_known_currency)] = "USD"
    access_token_seconds: Annotated[int, Field(ge=60, le=86_400)] = 900
    refresh_token_seconds: Annotated[int, Field(ge=3_600, le=31_536_000)] = 2_592_000
    require_verified_email: bool = False
    require_staff_second_factor: bool = False
    max_password_hashes: Annotated[int, Field(ge=1, le=64)] = 2
    max_body_bytes: Annotated[int, Field(ge=1_024, le=104_857_600)] = 1_048_576
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    oidc_providers: Path | None = None
    storefront_url: Annotated[str, AfterValidator(_web_address)] = "http://127.0.0.1:8000"
    mail_transport: Literal["console", "smtp"] = "console"
    mail_from_address: Annotated[str, AfterValidator(_sender_address)] | None = None
    mail_from_name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)] = "Flaskart"
    mail_templates: Path | None = None
    mail_smtp_host: Annotated[str, Field(min_length=1), AfterValidator(_one_line)] = "localhost"
    mail_smtp_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    mail_smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_smtp_username: str | None = None
    mail_smtp_password: SecretStr | None = None
    mail_smtp_timeout_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    rate_limits: Literal["on", "off"] = "on"
    rate_limit_storage: Annotated[str, AfterValidator(_known_storage)] = "database"
    rate_limit_requests: Annotated[str, AfterValidator(_known_rate)] = "600/minute"
    rate_limit_failures: Annotated[str, AfterValidator(_known_rate)] = "10/5 minutes"

    @classmethod
    def load(cls) -> Self:
        """Read the environment and `.env`.

        Raises:
            SettingsError: a value is not valid, or a `FLASKART_*` name is unknown.
        """
        try:
            settings = cls()
        except ValidationError as invalid:
            first = invalid.errors()[0]
            name = str(first["loc"][0]).upper()
            raise SettingsError(f"{PREFIX}{name}: {first['msg'].removeprefix('Value error, ')}") from None
        except ValueError as unreadable:
            raise SettingsError(f".env cannot be read: {unreadable}") from None
        known = {PREFIX + name.upper() for name in cls.model_fields}
        unknown = sorted(name for name in _names_in_use() if name not in known)
        if unknown:
            raise SettingsError(f"{unknown[0]} is not a setting of this version (.env.example lists them)")
        return settings

    @property
    def database(self) -> str:
        """The database URL: the one given, or a SQLite file in the instance folder."""
        return self.database_url or f"sqlite:///{(self.instance / 'flaskart.db').absolute()}"

    @property
    def secret_file(self) -> Path:
        return self.instance / SECRET_FILE

    @property
    def old_secrets_file(self) -> Path:
        return self.instance / OLD_SECRETS_FILE

    def secret(self) -> bytes:
        """Return the signing secret, from the variable or from the file that `flaskart init` writes.

        Raises:
            SettingsError: there is none, or it is shorter than 32 bytes.
        """
        if self.secret_key is not None:
            secret, source = self.secret_key.get_secret_value().encode(), f"{PREFIX}SECRET_KEY"
        elif self.secret_file.is_file():
            secret, source = self.secret_file.read_bytes().strip(), str(self.secret_file)
        else:
            raise SettingsError(f"No secret key: run `flaskart init`, or set {PREFIX}SECRET_KEY")
        return _long_enough(secret, source)

    def old_secrets(self) -> list[bytes]:
        """Return the secrets that are accepted besides, from the variable and from the file of `flaskart keys rotate`.

        Each stands on a line of its own, since a secret may hold any other character.

        Raises:
            SettingsError: one of them is shorter than 32 bytes.
        """
        given = self.old_secret_keys.get_secret_value() if self.old_secret_keys else ""
        kept = self.old_secrets_file.read_bytes() if self.old_secrets_file.is_file() else b""
        return [
            *(_long_enough(secret, f"{PREFIX}OLD_SECRET_KEYS") for secret in _lines(given.encode())),
            *(_long_enough(secret, str(self.old_secrets_file)) for secret in _lines(kept)),
        ]


def _lines(text: bytes) -> list[bytes]:
    return [line.strip() for line in text.split(b"\n") if line.strip()]


def _long_enough(secret: bytes, source: str) -> bytes:
    if len(secret) < MIN_SECRET_BYTES:
        raise SettingsError(f"{source} is too short: at least {MIN_SECRET_BYTES} bytes are needed")
    return secret


# Read by the test suite alone, which may run beside a shop's own settings.
TEST_NAMES = frozenset({"FLASKART_TEST_POSTGRES_URL"})


def _names_in_use() -> set[str]:
    names = {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}
    env_file = Path(".env")
    if env_file.is_file():
        assigned = (
            line.partition("=")[0].removeprefix("export ").strip() for line in env_file.read_text().splitlines()
        )
        names |= {name.upper() for name in assigned if name.upper().startswith(PREFIX)}
    return names - TEST_NAMES
