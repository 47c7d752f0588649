"""Fixtures of the accounts room: a provider on loopback, and a shop that lets people in from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts.oidc_provider import Provider, providers_file, providing
from tests.accounts.social import Social
from tests.callers import MakeWith


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as running:
        yield running


@pytest.fixture
def social(provider: Provider, make_with: MakeWith, tmp_path: Path) -> Social:
    return Social(make_with(oidc_providers=providers_file(tmp_path, provider.issuer)), provider)
