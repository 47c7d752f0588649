"""Backups: a shop in one file, SQLite's online copy or the archive of `pg_dump`, and a shop out of it."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, text

from flaskart import migrations
from flaskart.kit.db import Database
from flaskart.kit.errors import OperatorError
from flaskart.migrations import runner

MAGIC = {b"SQLite format 3\0": "sqlite", b"PGDMP": "postgresql"}
PAGES_AT_ONCE = 1_000
CHUNK_BYTES = 1_048_576
PACKAGE = "postgresql-client"
# What libpq takes from a URL and nobody else should see in a list of processes.
SECRETS = ("password", "sslpassword")

# Told how much is done, and of how much.
Report = Callable[[int, int], None]


class BackupError(OperatorError):
    """Why there is no backup, or why nothing was restored: one line, without passwords."""


def back_up(db: Database, target: Path, report: Report) -> None:
    """Write the shop as it is at one moment to a new file that only its owner can read. The shop goes on meanwhile.

    The file gets its name when it is complete and on the disk.

    Raises:
        BackupError: the file exists, there is no shop, or `pg_dump` cannot do it.
    """
    if target.exists():
        raise BackupError(f"{target} exists already, and a backup overwrites nothing")
    if migrations.is_missing(db) or migrations.current_revision(db) is None:
        raise BackupError("there is no shop in the database yet")
    with _appearing(target) as unfinished:
        if db.engine.dialect.name == "sqlite":
            _copy_sqlite(_file_of(db), unfinished, report)
            _make_self_contained(unfinished)
        else:
            _dump(db, unfinished, report)


def restore(db: Database, source: Path, report: Report) -> str:
    """Fill an empty database from a backup, all of it or nothing; return the backup's revision, which it keeps.

    Raises:
        BackupError: the file is damaged, of another engine or version; the database has data; `pg_restore` cannot.
    """
    engine, wanted = _engine_of(source), db.engine.dialect.name
    if engine != wanted:
        advice = f"restore it into a {engine} database and move that with `flaskart db copy`"
        raise BackupError(f"{source} is a backup of {engine}, and the shop's database is {wanted}: {advice}")
    revision = _revision_in_sqlite(source) if engine == "sqlite" else _revision_in_archive(source)
    if not migrations.is_known(revision):
        raise BackupError(f"{source} is of revision {revision}, which this version of Flaskart does not know")
    if migrations.has_data(db):
        raise BackupError("the database has data already: a backup is restored into an empty one")
    if engine == "sqlite":
        _file_of(db).parent.mkdir(mode=0o700, exist_ok=True)
        _copy_sqlite(source, _file_of(db), report)
    else:
        _load(db, source, report)
        db.analyze()
    return revision


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Yield a file to write, which gets its name when it is complete and synced, and is removed otherwise."""
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    unfinished = Path(name)
    os.close(descriptor)
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.rename(target)
        _sync(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _engine_of(source: Path) -> str:
    with source.open("rb") as file:
        head = file.read(16)
    for magic, engine in MAGIC.items():
        if head.startswith(magic):
            return engine
    raise BackupError(f"{source} is not a backup: neither a SQLite database nor an archive of pg_dump")


def _file_of(db: Database) -> Path:
    return Path(str(db.url.database))


def _copy_sqlite(source: Path, target: Path, report: Report) -> None:
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as old, closing(sqlite3.connect(target)) as new:
            # The open read transaction is the moment that is copied. Without it every order placed meanwhile would
            # make SQLite start the copy again: https://www.sqlite.org/c3ref/backup_finish.html
            old.execute("BEGIN")
            old.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            old.backup(new, pages=PAGES_AT_ONCE, progress=lambda _, left, total: report(total - left, total))
    except sqlite3.Error as failure:
        raise BackupError(f"SQLite says: {failure}") from None


def _make_self_contained(copy: Path) -> None:
    """Take the copy out of WAL mode, in which reading it would need further files beside it."""
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _revision_in_sqlite(source: Path) -> str:
    """Return a SQLite file's revision after looking for damage in all of it."""
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            [damage] = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if damage != "ok":
                raise BackupError(f"{source} is damaged: {damage.splitlines()[-1]}")
            if connection.execute("PRAGMA foreign_key_check").fetchone():
                raise BackupError(f"{source} is damaged: it has rows that refer to rows it does not have")
            of_shop = "SELECT count(*) FROM sqlite_schema WHERE name IN ('alembic_version', 'customer')"
            [tables] = connection.execute(of_shop).fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if tables == 2 else None
    except sqlite3.DatabaseError as failure:
        raise BackupError(f"{source} is damaged: {failure}") from None
    if row is None:
        raise BackupError(f"{source} is not a backup of a Flaskart shop")
    return str(row[0])


def _revision_in_archive(source: Path) -> str:
    printed = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(source))
    # The rows of a table stand between its COPY and a line `\.`.
    found = re.search(r"^COPY \S*alembic_version .*\n(\w+)\n\\\.$", printed, re.MULTILINE)
    if found is None:
        raise BackupError(f"{source} is not a backup of a Flaskart shop")
    return found[1]


def _dump(db: Database, target: Path, report: Report) -> None:
    with db.read() as session:
        server = int(session.scalars(text("SHOW server_version_num")).one()) // 10_000
        tables = session.execute(text("SELECT relname, pg_table_size(relid) FROM pg_stat_user_tables"))
        sizes = {str(name): int(size) for name, size in tables}
    own = re.search(r"\d+", _run("pg_dump", "--version"))
    if own is None or int(own[0]) < server:
        advice = f"install the Debian package {PACKAGE}-{server}"
        raise BackupError(f"pg_dump is older than the server, which is PostgreSQL {server}: {advice}")
    options = ["--format=custom", "--no-owner", "--no-privileges"]
    done = 0
    for table in _tables_begun(db, "pg_dump", *options, f"--file={target}"):
        report(done, sum(sizes.values()))
        done += sizes.get(table, 0)


def _load(db: Database, source: Path, report: Report) -> None:
    total = _run("pg_restore", "--list", str(source)).count(" TABLE DATA ")
    runner.downgrade(db, "base")  # takes away the empty tables of `flaskart init`
    options = ["--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    for done, _ in enumerate(_tables_begun(db, "pg_restore", *options, str(source))):
        report(done, total)


def _tables_begun(db: Database, program: str, *options: str) -> Iterator[str]:
    """Run a program of PostgreSQL on the shop's database and yield the name of each table that it begins."""
    command = [_path_of(program), "--verbose", "--no-password", f"--dbname={_address(db)}", *options]
    said = ""
    with subprocess.Popen(command, env=_environment(db), stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        for line in process.stderr or ():
            said += line
            begun = re.search(r'(?:dumping contents of|processing data for) table "[^"]*\.(\w+)"', line)
            if begun:
                yield begun[1]
    if process.returncode:
        raise BackupError(_complaint(program, said))


def _run(program: str, *arguments: str) -> str:
    """Return what a program of PostgreSQL prints without being connected to a server."""
    command = [_path_of(program), *arguments]
    ended = subprocess.run(command, env=_english(), capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        raise BackupError(_complaint(program, ended.stderr))
    return ended.stdout


def _path_of(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise BackupError(f"{program} is not installed: it comes with the Debian package {PACKAGE}")
    return path


def _address(db: Database) -> str:
    """Return the database's URL as libpq reads it, without passwords: a list of processes shows it to anybody."""
    url = db.url.difference_update_query(SECRETS)
    public = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return public.render_as_string()


def _environment(db: Database) -> Mapping[str, str]:
    """Return the variables that hand over the password, unless it comes from PGPASSWORD or PGPASSFILE anyway."""
    given = db.url.password or db.url.query.get("password")
    return _english() if given is None else _english() | {"PGPASSWORD": str(given)}


def _english() -> dict[str, str]:
    return dict(os.environ) | {"LC_ALL": "C"}


def _complaint(program: str, said: str) -> str:
    """Return the first error of what a program of PostgreSQL said, without its hints and contexts."""
    errors = re.findall(rf"^{program}: error: (.+)$", said, re.MULTILINE) or said.splitlines()[-1:]
    return f"{program} says: {errors[0] if errors else 'nothing'}"
