"""Somebody at a command line."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import FLASKART


@dataclass(frozen=True)
class Shell:
    """Runs the real `flaskart` in a folder and an environment of its own."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `flaskart` with these arguments; `settings` are further variables."""
        return subprocess.run(
            [FLASKART, *arguments],
            cwd=self.folder,
            env={**self.environment, **settings},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def done(self, *arguments: str, stdin: str = "", **settings: str) -> str:
        """Run `flaskart`, see that it succeeds without a complaint, and return what it printed."""
        result = self.run(*arguments, stdin=stdin, **settings)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    def refused(self, *arguments: str, stdin: str = "", **settings: str) -> str:
        """Run `flaskart`, see that it refuses in one line and prints nothing else, and return that line."""
        result = self.run(*arguments, stdin=stdin, **settings)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
        return result.stderr.rstrip("\n")
