"""An export as one zip archive with a CSV for each outcome, streamed in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple, cast
from zipfile import ZIP_DEFLATED, ZipFile

#: Texts of tags shrink to a tenth at the lowest level already.
LEVEL = 1
#: Compressed bytes that are gathered before they are sent.
SENT_AT_ONCE = 65_536
#: Rows above which a file may have 2 GB: none has more than 14 kB.
MANY_ROWS = 150_000


class Part(NamedTuple):
    """A file of the archive, and about how many rows it has."""

    name: str
    rows: int
    content: Iterable[str]


class _Outgoing:
    """What `ZipFile` writes, until it is taken. It cannot be sought, so sizes follow behind each file."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return taken


def zip_pieces(parts: Iterable[Part]) -> Iterator[bytes]:
    """Pieces of the archive. Without its last piece, the table of contents, no program opens it."""
    outgoing = _Outgoing()
    with ZipFile(cast(IO[bytes], outgoing), "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for part in parts:
            with archive.open(part.name, "w", force_zip64=part.rows > MANY_ROWS) as member:
                for text in part.content:
                    member.write(text.encode())
                    if outgoing.size >= SENT_AT_ONCE:
                        yield outgoing.take()
    yield outgoing.take()
