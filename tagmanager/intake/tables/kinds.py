"""What a file is, by its first bytes and not by its name."""

from __future__ import annotations

import re
import zipfile
from typing import IO

from tagmanager.intake.tables.problems import Refused

TEXT, WORKBOOK = "text", "workbook"
#: Bytes that are looked at.
HEAD = 4096
#: What to do about a file that is none of the kinds that are read.
INSTEAD = "Give CSV, text, or a workbook of Excel or LibreOffice (xlsx, xls, ods)."

#: The first bytes of files that people mistake for a table.
_MAGIC = (
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\xfd7zXZ", "an xz archive: unpack it first"),
    (b"(\xb5/\xfd", "a zstd archive: unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"GIF8", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"SQLite format 3", "a database (SQLite)"),
    (b"PAR1", "a Parquet file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_ZIPPED = (
    ("word/", "a Word document"),
    ("ppt/", "a presentation"),
    ("Index/", "a file of Apple Numbers: export it as Excel or CSV first"),
)
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|table|div|meta|script)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(rb"\s*<(?:\?xml|[A-Za-z][\w:.-]*[\s>/])")
_JSON = re.compile(rb"\s*(?:\{\s*(?:[\"}]|$)|\[\s*(?:[\[{\"\]]|-?\d+\s*[,\]]|$))")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Beginnings of Excel 2.0 to 4.0 files, which are not in an OLE container.
_OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def kind_of(content: IO[bytes]) -> str:
    """`TEXT` or `WORKBOOK`; raises `Refused` that says what it is instead."""
    content.seek(0)
    head = content.read(HEAD)
    content.seek(0)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zipped(content)
    if head.startswith((_OLE, *_OLD_EXCEL)):
        return WORKBOOK
    for magic, what in _MAGIC:
        if head.startswith(magic) and (not magic.isalnum() or b"\0" in head or magic == b"BZh"):
            raise _is(what)
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if head.startswith(_WIDE):
        plain = head[2:].replace(b"\0", b"")
    if _HTML.match(plain):
        raise _is("an HTML page, although its name may end in xls")
    if _XML.match(plain):
        raise _is("an XML file")
    if _JSON.match(plain):
        raise _is("JSON")
    return TEXT


def _zipped(content: IO[bytes]) -> str:
    try:
        with zipfile.ZipFile(content) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as problem:
        raise Refused("The file is a damaged zip archive or workbook. Save it again.") from problem
    finally:
        content.seek(0)
    if names & {"xl/workbook.xml", "xl/workbook.bin"} or mimetype.startswith(
        b"application/vnd.oasis.opendocument.spreadsheet"
    ):
        return WORKBOOK
    if mimetype.startswith(b"application/vnd.oasis.opendocument"):
        raise _is("an OpenDocument file without a spreadsheet")
    for beginning, what in _ZIPPED:
        if [name for name in names if name.startswith(beginning)]:
            raise _is(what)
    raise _is("a zip archive: unpack it first")


def _is(what: str) -> Refused:
    return Refused(f"The file is {what}. {INSTEAD}", code="kind")
