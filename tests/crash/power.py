"""Power cuts for SQLite: what a disk may hold after one, by a journal of all that was written and synced.

`power.c` keeps the journal. A synced write is on the disk. Of an unsynced one each sector may be there or not, in any
order, and so may a file's new name or a file's removal, unless its folder was synced since.
"""

import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

SOURCE = Path(__file__).with_name("power.c")
HEADER = struct.Struct("=IIQQ")
SECTOR = 512

# Whether the next unsynced thing is on the disk.
Survives = Callable[[], bool]
Renamed = TypeVar("Renamed", bound="File | None")


class Kind(IntEnum):
    WRITE = 1
    TRUNCATE = 2
    SYNC = 3
    UNLINK = 4


class Name(IntEnum):
    DATABASE = 1
    WAL = 2
    ROLLBACK_JOURNAL = 3
    FOLDER = 4


SUFFIXES = {Name.DATABASE: "", Name.WAL: "-wal", Name.ROLLBACK_JOURNAL: "-journal"}
Contents = Mapping[Name, bytes]


@dataclass(frozen=True, slots=True)
class Record:
    """One call. `end` is the length of the journal with it; `where` an offset, a size, or where a sync began."""

    end: int
    kind: Kind
    name: Name
    where: int
    data: bytes


@dataclass
class File:
    synced: bytearray = field(default_factory=bytearray)
    unsynced: list[Record] = field(default_factory=list)

    def sync(self, began: int) -> None:
        for record in self.unsynced:
            if record.end <= began:
                _apply(record, self.synced, lambda: True)
        self.unsynced = [record for record in self.unsynced if record.end > began]

    def after_cut(self, survives: Survives) -> bytes:
        content = bytearray(self.synced)
        for record in self.unsynced:
            _apply(record, content, survives)
        return bytes(content)


class Disk:
    """A disk that is played the journal, and may lose its power after any record."""

    def __init__(self, database: bytes) -> None:
        self._named: dict[Name, File | None] = {Name.DATABASE: File(bytearray(database))}
        self._synced_names = dict(self._named)
        self._unsynced_names: list[tuple[int, Name, File | None]] = []

    def play(self, record: Record) -> None:
        if record.kind is Kind.UNLINK:
            self._rename(record, None)
        elif record.name is Name.FOLDER:
            self._sync_names(record.where)
        else:
            file = self._named.get(record.name) or self._rename(record, File())
            if record.kind is Kind.SYNC:
                file.sync(record.where)
            else:
                file.unsynced.append(record)

    def after_cut(self, survives: Survives) -> Contents:
        """Return what may be found on the disk when the power is back."""
        named = dict(self._synced_names)
        named.update({name: file for _, name, file in self._unsynced_names if survives()})
        return {name: file.after_cut(survives) for name, file in named.items() if file is not None}

    def _rename(self, record: Record, file: Renamed) -> Renamed:
        """Give a name to another file, or to none."""
        self._named[record.name] = file
        self._unsynced_names.append((record.end, record.name, file))
        return file

    def _sync_names(self, began: int) -> None:
        self._synced_names.update({name: file for end, name, file in self._unsynced_names if end <= began})
        self._unsynced_names = [renamed for renamed in self._unsynced_names if renamed[0] > began]


def build_recorder(folder: Path) -> Path:
    """Compile `power.c` and return the library."""
    library = folder / "power.so"
    options = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC"]
    subprocess.run(["cc", *options, "-o", str(library), str(SOURCE)], check=True)
    return library


def recording(library: Path, database: Path, journal: Path) -> Mapping[str, str]:
    """Return the environment of a process whose writes to the database go into the journal."""
    return {
        "LD_PRELOAD": str(library),
        "POWER_DATABASE": str(database.resolve()),
        "POWER_JOURNAL": str(journal.resolve()),
    }


def read_journal(journal: Path) -> Iterator[Record]:
    content = memoryview(journal.read_bytes())
    end = 0
    while end < len(content):
        kind, name, where, length = HEADER.unpack_from(content, end)
        start = end + HEADER.size
        end = start + length
        yield Record(end, Kind(kind), Name(name), where, bytes(content[start:end]))


def read_files(database: Path) -> Contents:
    paths = {name: database.with_name(database.name + suffix) for name, suffix in SUFFIXES.items()}
    return {name: path.read_bytes() for name, path in paths.items() if path.exists()}


def write_files(database: Path, contents: Contents) -> None:
    for name, content in contents.items():
        database.with_name(database.name + SUFFIXES[name]).write_bytes(content)


def _apply(record: Record, content: bytearray, survives: Survives) -> None:
    if record.kind is Kind.TRUNCATE:
        if survives():
            del content[record.where :]
            content.extend(bytes(record.where - len(content)))
        return
    start, end = record.where, record.where + len(record.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        if survives():
            content.extend(bytes(max(0, start - len(content))))
            content[start:stop] = record.data[start - record.where : stop - record.where]
        start = stop
