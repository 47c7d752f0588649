"""An archive: what is kept about a person as one JSON document, compressed while it is written."""

import zlib
from collections.abc import Iterable, Iterator

import msgspec

from flaskart.kit.personal import Record

CHUNK_BYTES = 65_536
GZIP = 31  # zlib's name for the gzip format with the largest window


def write(head: Record, sections: Iterable[tuple[str, Iterator[Record]]]) -> bytes:
    """Return an archive: the members of `head`, then each section as a list. Only the compressed form is held whole."""
    packer = zlib.compressobj(wbits=GZIP)
    packed = [packer.compress(part) for part in _document(head, sections)]
    return b"".join([*packed, packer.flush()])


def read(archive: bytes) -> Iterator[bytes]:
    """Yield the document of an archive, a chunk at a time."""
    unpacker = zlib.decompressobj(wbits=GZIP)
    while not unpacker.eof:
        yield unpacker.decompress(archive, CHUNK_BYTES)
        archive = unpacker.unconsumed_tail


def _document(head: Record, sections: Iterable[tuple[str, Iterator[Record]]]) -> Iterator[bytes]:
    yield msgspec.json.encode(head).removesuffix(b"}")
    for name, records in sections:
        yield b",\n" + msgspec.json.encode(name) + b":["
        for position, record in enumerate(records):
            yield (b",\n" if position else b"\n") + msgspec.json.encode(record)
        yield b"]"
    yield b"}\n"
