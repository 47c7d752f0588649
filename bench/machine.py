"""What was measured, and on which machine; nothing that names it."""

import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil
from sqlalchemy import text

from bench.servers import ROOT
from flaskart.kit.db import Database


def machine(db: Database) -> Mapping[str, str | int]:
    """Return facts about the machine and the programs at work."""
    facts: dict[str, str | int] = {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "os": f"{platform.freedesktop_os_release().get('PRETTY_NAME', platform.system())}, {platform.release()}",
        "python": platform.python_version(),
        "flask": version("flask"),
        "sqlalchemy": version("sqlalchemy"),
        "granian": version("granian"),
        "sqlite": sqlite3.sqlite_version,
    }
    if db.engine.dialect.name == "postgresql":
        with db.read() as session:
            facts["postgresql"] = str(session.scalar(text("SHOW server_version")))
    return facts


def revision() -> str:
    """Return the commit that is checked out, and whether anything was changed since."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+changes", "--exclude=*"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() or "unknown"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
