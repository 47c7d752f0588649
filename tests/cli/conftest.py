"""Fixtures: a shell in a shop, and one where no shop is."""

from pathlib import Path

import pytest

from tests.cli.shells import Shell
from tests.servers import environment


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Shell:
    """A shell in an empty folder that works on the test's database."""
    return Shell(tmp_path, environment(database_url))


@pytest.fixture
def nowhere(tmp_path: Path) -> Shell:
    """A shell in an empty folder, without any settings."""
    bare = {name: value for name, value in environment("").items() if not name.startswith("FLASKART_")}
    return Shell(tmp_path, bare)
