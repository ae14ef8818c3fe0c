"""The zip of an export is streamed, and whole or not to be opened."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator

import pytest

from jobs.reports import export_zip
from jobs.reports.export_zip import Part, zip_pieces

#: Text that hardly shrinks.
NOISE = "".join(random.Random(4711).choices("abcdefghijklmnopqrstuvwxyz", k=100_000))


def test_files_come_out_as_they_went_in() -> None:
    parts = [Part("a.csv", 1, ["süß,", "1\r\n"]), Part("b.csv", 0, [])]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zip_pieces(parts))))
    assert {name: archive.read(name).decode() for name in archive.namelist()} == {
        "a.csv": "süß,1\r\n",
        "b.csv": "",
    }


def test_no_more_is_read_than_is_sent() -> None:
    asked = 0

    def endless() -> Iterator[str]:
        nonlocal asked
        while True:
            asked += 1
            yield NOISE

    pieces = zip_pieces([Part("a.csv", 1, endless())])
    for number in range(1, 4):
        assert len(next(pieces)) < 3 * export_zip.SENT_AT_ONCE
        assert asked <= 2 * number


def test_an_archive_that_breaks_off_is_not_opened() -> None:
    def broken() -> Iterator[str]:
        yield from [NOISE, NOISE]
        raise ZeroDivisionError

    sent: list[bytes] = []
    with pytest.raises(ZeroDivisionError):
        sent.extend(zip_pieces([Part("a.csv", 1, broken())]))
    assert sent
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(sent)))


def test_a_file_of_many_rows_may_be_larger_than_two_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 50_000)
    with pytest.raises(RuntimeError, match="too large"):
        list(zip_pieces([Part("a.csv", export_zip.MANY_ROWS, [NOISE])]))
    archive = b"".join(zip_pieces([Part("a.csv", export_zip.MANY_ROWS + 1, [NOISE])]))
    assert zipfile.ZipFile(io.BytesIO(archive)).read("a.csv").decode() == NOISE
