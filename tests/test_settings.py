"""Deployment settings: where they come from and what is refused."""

import os
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from flaskart.settings import Settings, SettingsError

LONG = "x" * 32


@pytest.fixture(autouse=True)
def _empty_folder_and_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FLASKART_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_shop_needs_no_setting(tmp_path: Path) -> None:
    settings = Settings.load()

    assert settings.model_dump() == {
        "instance": Path("instance"),
        "database_url": None,
        "secret_key": None,
        "old_secret_keys": None,
        "currency": "USD",
        "access_token_seconds": 900,
        "refresh_token_seconds": 2_592_000,
        "require_verified_email": False,
        "require_staff_second_factor": False,
        "max_password_hashes": 2,
        "max_body_bytes": 1_048_576,
        "trusted_proxies": 0,
        "oidc_providers": None,
        "storefront_url": "http://127.0.0.1:8000",
        "mail_transport": "console",
        "mail_from_address": None,
        "mail_from_name": "Flaskart",
        "mail_templates": None,
        "mail_smtp_host": "localhost",
        "mail_smtp_port": None,
        "mail_smtp_security": "starttls",
        "mail_smtp_username": None,
        "mail_smtp_password": None,
        "mail_smtp_timeout_seconds": 10,
        "rate_limits": "on",
        "rate_limit_storage": "database",
        "rate_limit_requests": "600/minute",
        "rate_limit_failures": "10/5 minutes",
    }
    assert settings.database == f"sqlite:///{tmp_path}/instance/flaskart.db"
    assert settings.secret_file == Path("instance/secret.key")


GIVEN: dict[str, tuple[str, object]] = {
    "instance": ("/srv/shop", Path("/srv/shop")),
    "database_url": ("postgresql://shop@db.example/shop", "postgresql://shop@db.example/shop"),
    "secret_key": (LONG, SecretStr(LONG)),
    "old_secret_keys": (LONG, SecretStr(LONG)),
    "currency": ("JPY", "JPY"),
    "access_token_seconds": ("60", 60),
    "refresh_token_seconds": ("3600", 3_600),
    "require_verified_email": ("true", True),
    "require_staff_second_factor": ("true", True),
    "max_password_hashes": ("4", 4),
    "max_body_bytes": ("1024", 1_024),
    "trusted_proxies": ("2", 2),
    "oidc_providers": ("/srv/oidc.toml", Path("/srv/oidc.toml")),
    "storefront_url": ("https://shop.example/", "https://shop.example"),
    "mail_transport": ("smtp", "smtp"),
    "mail_from_address": ("shop@münchen.example", "shop@xn--mnchen-3ya.example"),
    "mail_from_name": ("Café Ü", "Café Ü"),
    "mail_templates": ("/srv/shop/mail", Path("/srv/shop/mail")),
    "mail_smtp_host": ("smtp.example", "smtp.example"),
    "mail_smtp_port": ("2525", 2_525),
    "mail_smtp_security": ("tls", "tls"),
    "mail_smtp_username": ("shop", "shop"),
    "mail_smtp_password": ("hunter2", SecretStr("hunter2")),
    "mail_smtp_timeout_seconds": ("5", 5),
    "rate_limits": ("off", "off"),
    "rate_limit_storage": ("memory", "memory"),
    "rate_limit_requests": ("60/second", "60/second"),
    "rate_limit_failures": ("5 per 1 hour", "5 per 1 hour"),
}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text, value = GIVEN[name]
    monkeypatch.setenv(f"FLASKART_{name.upper()}", text)

    settings = Settings.load()

    assert getattr(settings, name) == value
    assert getattr(settings, name) != getattr(Settings.model_construct(), name)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_from_the_env_file(tmp_path: Path, name: str) -> None:
    text, value = GIVEN[name]
    (tmp_path / ".env").write_text(f"# a comment\n\nexport FLASKART_{name.upper()}='{text}'\nOTHER=1\n")

    settings = Settings.load()

    assert getattr(settings, name) == value


def test_a_variable_counts_more_than_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FLASKART_CURRENCY=JPY\nFLASKART_TRUSTED_PROXIES=1\n")
    monkeypatch.setenv("FLASKART_CURRENCY", "EUR")

    settings = Settings.load()

    assert (settings.currency, settings.trusted_proxies) == ("EUR", 1)


@pytest.mark.parametrize(
    "name", ["FLASKART_CURENCY", "flaskart_curency", "FLASKART_", "FLASKART_SECRET", "FLASKART_DATABASE__URL"]
)
def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "EUR")

    with pytest.raises(SettingsError) as refused:
        Settings.load()

    assert str(refused.value) == f"{name.upper()} is not a setting of this version (.env.example lists them)"


def test_an_unknown_name_in_the_env_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FLASKART_CURRENCY=EUR\nFLASKART_CURENCY=EUR\n")

    with pytest.raises(SettingsError) as refused:
        Settings.load()

    assert str(refused.value) == "FLASKART_CURENCY is not a setting of this version (.env.example lists them)"


def test_names_of_other_programs_and_of_the_tests_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    monkeypatch.setenv("DATABASE_URL", "mysql://elsewhere/shop")
    monkeypatch.setenv("FLASKART_TEST_POSTGRES_URL", "postgresql://localhost/postgres")

    settings = Settings.load()

    assert settings.database_url is None


def test_an_env_file_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"FLASKART_CURRENCY=\xff\xfe\n")

    with pytest.raises(SettingsError, match=r"^\.env cannot be read: [^\n]+$"):
        Settings.load()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not a database URL"),
        ("shop.db", "not a database URL"),
        ("://", "not a database URL"),
        ("mysql://localhost/shop", "only sqlite and postgresql are supported"),
        ("postgres://localhost/shop", "only sqlite and postgresql are supported"),
        ("sqlite+nonsense:///shop.db", "only sqlite and postgresql are supported"),
        ("postgresql+nonsense://localhost/shop", "only sqlite and postgresql are supported"),
        ("sqlite://", "it names no database: each connection would have an empty one of its own"),
        ("sqlite:///:memory:", "it names no database: each connection would have an empty one of its own"),
        ("postgresql://localhost", "it names no database: each connection would have an empty one of its own"),
    ],
)
def test_a_bad_database_url_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    monkeypatch.setenv("FLASKART_DATABASE_URL", url)

    with pytest.raises(SettingsError) as refused:
        Settings.load()

    assert str(refused.value) == f"FLASKART_DATABASE_URL: {reason}"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///shop.db",
        "sqlite:////srv/shop.db",
        "sqlite+pysqlite:///shop.db",
        "postgresql://shop:secret@db.example:5432/shop",
        "postgresql+psycopg://db.example/shop",
        "postgresql:///shop?host=/run/postgresql",
    ],
)
def test_urls_of_both_engines_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("FLASKART_DATABASE_URL", url)

    settings = Settings.load()

    assert settings.database == url


@pytest.mark.parametrize("code", ["", "usd", "EURO", "ABC", "XAU", "XXX"])
def test_a_currency_that_no_price_can_have_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("FLASKART_CURRENCY", code)

    with pytest.raises(SettingsError, match=r"^FLASKART_CURRENCY: [^\n]+$"):
        Settings.load()


@pytest.mark.parametrize("code", ["USD", "EUR", "JPY", "KWD"])
def test_any_currency_with_a_minor_unit_will_do(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("FLASKART_CURRENCY", code)

    assert Settings.load().currency == code


@pytest.mark.parametrize(
    ("name", "smallest", "largest"),
    [
        ("access_token_seconds", 60, 86_400),
        ("refresh_token_seconds", 3_600, 31_536_000),
        ("max_password_hashes", 1, 64),
        ("max_body_bytes", 1_024, 104_857_600),
        ("trusted_proxies", 0, 10),
        ("mail_smtp_port", 1, 65_535),
        ("mail_smtp_timeout_seconds", 1, 60),
    ],
)
def test_a_number_has_bounds(monkeypatch: pytest.MonkeyPatch, name: str, smallest: int, largest: int) -> None:
    variable = f"FLASKART_{name.upper()}"
    for number in (smallest, largest):
        monkeypatch.setenv(variable, str(number))
        assert getattr(Settings.load(), name) == number
    for text in (str(smallest - 1), str(largest + 1), "", "many", "1.5"):
        monkeypatch.setenv(variable, text)

        with pytest.raises(SettingsError, match=rf"^{variable}: [^\n]+$"):
            Settings.load()


@pytest.mark.parametrize("name", ["rate_limit_requests", "rate_limit_failures"])
@pytest.mark.parametrize("rate", ["", "10", "0/minute", "10/fortnight", "10/minute;5/second", "10/2 days", "-1/minute"])
def test_a_rate_that_is_none_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, rate: str) -> None:
    monkeypatch.setenv(f"FLASKART_{name.upper()}", rate)

    with pytest.raises(SettingsError, match=rf"^FLASKART_{name.upper()}: [^\n]+$"):
        Settings.load()


@pytest.mark.parametrize("storage", ["", "disk", "memcached://localhost", "redis:", "postgresql://localhost/shop"])
def test_an_unknown_storage_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, storage: str) -> None:
    monkeypatch.setenv("FLASKART_RATE_LIMIT_STORAGE", storage)

    with pytest.raises(SettingsError) as refused:
        Settings.load()

    expected = "FLASKART_RATE_LIMIT_STORAGE: memory, database, or a URL of redis:// or valkey://"
    assert str(refused.value) == expected


@pytest.mark.parametrize("scheme", ["redis", "rediss", "valkey", "valkeys"])
def test_redis_and_valkey_are_named_by_their_urls(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("FLASKART_RATE_LIMIT_STORAGE", f"{scheme}://:secret@cache.example:6379/1")

    assert Settings.load().rate_limit_storage == f"{scheme}://:secret@cache.example:6379/1"


def test_redis_without_its_driver_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASKART_RATE_LIMIT_STORAGE", "redis://127.0.0.1/0")
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(SettingsError, match="Redis needs its driver: pip install 'flaskart\\[redis\\]'"):
        Settings.load()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mail_from_address", "shop"),
        ("mail_from_address", "shop@example.com\nBcc: everybody@example.com"),
        ("mail_from_address", "käse@example.com"),
        ("mail_from_name", ""),
        ("mail_from_name", "Shop\r\nBcc: everybody@example.com"),
        ("mail_transport", "pigeon"),
        ("mail_smtp_security", "ssl"),
        ("mail_smtp_host", ""),
        ("storefront_url", "shop.example"),
        ("storefront_url", "javascript:alert(1)"),
        ("storefront_url", "https://"),
        ("storefront_url", "https://shop.example/?page=1"),
        ("storefront_url", "https://user:password@shop.example"),
    ],
)
def test_what_no_mail_could_be_sent_with_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"FLASKART_{name.upper()}", text)

    with pytest.raises(SettingsError, match=rf"^FLASKART_{name.upper()}: [^\n]+$"):
        Settings.load()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_settings_do_not_change(name: str) -> None:
    settings = Settings.load()
    before = getattr(settings, name)

    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, name, GIVEN[name][1])

    assert getattr(settings, name) == before


def test_the_secret_comes_from_the_file_that_init_writes(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secret.key").write_text(f"{LONG}\n")

    assert Settings.load().secret() == LONG.encode()


def test_the_secret_in_the_variable_counts_more_than_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secret.key").write_text(LONG)
    monkeypatch.setenv("FLASKART_SECRET_KEY", "y" * 32)

    assert Settings.load().secret() == b"y" * 32


def test_there_is_no_default_secret() -> None:
    settings = Settings.load()

    with pytest.raises(SettingsError) as refused:
        settings.secret()

    assert str(refused.value) == "No secret key: run `flaskart init`, or set FLASKART_SECRET_KEY"


@pytest.mark.parametrize("secret", ["", "x", "x" * 31])
def test_a_short_secret_is_refused_wherever_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, secret: str
) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secret.key").write_text(f"{secret}\n")

    with pytest.raises(SettingsError) as from_file:
        Settings.load().secret()
    monkeypatch.setenv("FLASKART_SECRET_KEY", secret)
    with pytest.raises(SettingsError) as from_variable:
        Settings.load().secret()

    assert str(from_file.value) == "instance/secret.key is too short: at least 32 bytes are needed"
    assert str(from_variable.value) == "FLASKART_SECRET_KEY is too short: at least 32 bytes are needed"


def test_a_secret_is_measured_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASKART_SECRET_KEY", "é" * 16)

    assert len(Settings.load().secret()) == 32


def test_settings_can_be_logged_without_giving_the_secret_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "MAIL_SMTP_PASSWORD"):
        monkeypatch.setenv(f"FLASKART_{name}", LONG)

    settings = Settings.load()

    assert LONG not in f"{settings!r} {settings} {settings.model_dump_json()}"
