"""The operator's file of providers: read at the start, without asking anybody, and refused in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from flaskart.accounts.errors import ProviderNotFound, RedirectUriNotAllowed
from flaskart.accounts.oidc.providers import read_providers
from flaskart.kit.db import Database
from flaskart.kit.errors import OperatorError
from tests.servers import FLASKART, environment

GOOD = """\
redirect_uris = ["https://shop.example/in", "http://localhost:3000/in", "com.example.app:/in"]

[providers.google]
display_name = "Google"
issuer = "https://accounts.example"
client_id = "id"
client_secret = "hush"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "oidc.toml"
    path.write_text(text)
    return path


def test_without_a_file_there_are_no_providers() -> None:
    providers = read_providers(None)

    assert providers.all == {}
    with pytest.raises(ProviderNotFound):
        providers.client("google")


def test_a_file_is_read_and_its_secrets_are_not_shown(tmp_path: Path) -> None:
    providers = read_providers(write(tmp_path, GOOD))

    assert list(providers.all) == ["google"]
    assert providers.all["google"].scopes == ("openid", "email", "profile")
    assert "hush" not in repr(providers.all)
    for uri in ("https://shop.example/in", "http://localhost:3000/in", "com.example.app:/in"):
        providers.check_redirect_uri(uri)
    with pytest.raises(RedirectUriNotAllowed):
        providers.check_redirect_uri("https://shop.example/in/")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.example",
        "https://accounts.example/",
        "https://accounts.example/.well-known/openid-configuration",
    ],
)
def test_a_provider_is_named_by_its_issuer_or_by_its_description(tmp_path: Path, issuer: str) -> None:
    providers = read_providers(write(tmp_path, GOOD.replace("https://accounts.example", issuer)))

    assert providers.all["google"].discovery_url == "https://accounts.example/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[providers.google]", "[providers.google", "is not TOML"),
        ("[providers.google]", "[providers.Google]", "providers.Google"),
        ("[providers.google]", "[provider.google]", "providers: Field required"),
        ('issuer = "https://accounts.example"', "", "providers.google.issuer: Field required"),
        ("https://accounts", "http://accounts", "the issuer of google must be an https URL"),
        ("https://accounts.example", "http://127.0.0.1:8000", "the issuer of google must be an https URL"),
        ("https://accounts.example", "https://user@accounts.example", "the issuer of google must be an https URL"),
        ('client_secret = "hush"', 'client_secret = ""', "providers.google.client_secret"),
        ('client_secret = "hush"', 'client_secrets = "hush"', "providers.google.client_secret: Field required"),
        ('client_id = "id"', 'client_id = "id"\nscopes = ["email"]', "scopes must have openid among them"),
        ('client_id = "id"', 'client_id = "id"\ncolour = "red"', "providers.google.colour: Extra inputs"),
        ("https://shop.example/in", "http://shop.example/in", "redirect_uris.0: must be https"),
        ("https://shop.example/in", "javascript:alert(1)", "redirect_uris.0: must be https"),
        ("https://shop.example/in", "/in", "redirect_uris.0: must be https"),
        ("com.example.app:/in", "com.example.app:/in#x", "redirect_uris.2: must have no fragment"),
        ("redirect_uris", "timeout_seconds = 0\nredirect_uris", "timeout_seconds: "),
    ],
)
def test_a_file_that_is_not_right_is_refused_in_one_line_without_its_secrets(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    path = write(tmp_path, GOOD.replace(old, new))

    with pytest.raises(OperatorError) as refused:
        read_providers(path)

    message = str(refused.value)
    assert message.startswith(str(path))
    assert reason in message
    assert "hush" not in message
    assert "\n" not in message


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as refused:
        read_providers(tmp_path / "none.toml")

    assert str(refused.value) == f"FLASKART_OIDC_PROVIDERS: {tmp_path}/none.toml: No such file or directory"


def test_a_shop_with_a_bad_file_does_not_start(database_url: str, db: Database, tmp_path: Path) -> None:
    settings = environment(database_url, FLASKART_OIDC_PROVIDERS=str(tmp_path / "none.toml"))

    result = subprocess.run(
        [FLASKART, "serve"], cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert result.stderr == (f"flaskart: FLASKART_OIDC_PROVIDERS: {tmp_path}/none.toml: No such file or directory\n")


def test_without_the_extra_a_shop_with_providers_does_not_start(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    without = (
        "import sys; sys.modules['authlib'] = None\n"
        "from pathlib import Path; from flaskart.accounts.oidc.providers import read_providers\n"
        f"read_providers(None); read_providers(Path({str(path)!r}))"
    )

    result = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, check=False)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith(
        "FLASKART_OIDC_PROVIDERS needs Authlib: pip install 'flaskart[oidc]'"
    )


def test_a_shop_with_providers_starts_without_loading_authlib(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    program = (
        "import sys; from pathlib import Path\n"
        "from flaskart.app import create_app; from flaskart.settings import Settings\n"
        f"create_app(Settings(_env_file=None, secret_key='x' * 32, oidc_providers=Path({str(path)!r})))\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'authlib'))"
    )

    result = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"
