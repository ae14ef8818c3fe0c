"""A list of ticket numbers without a header, as a stream of words: one a line, or a million on one line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tagmanager.intake.tables.problems import Refused
from tagmanager.intake.tables.text import Text

#: Characters read at once, and the most without a blank or a comma.
CHUNK = 65_536
_TOKEN = re.compile(r'(\r\n|\r|\n)|"((?:[^"\r\n]|"")*)"|([^ \t\f\v\r\n\x1a;|"]+)')
_ENDS_LINE = re.compile(r"[\r\n](?!.*[\r\n])", re.DOTALL)
_BLANK = re.compile(r"[ \t;|](?=[^ \t;|]*$)")


def words(text: Text) -> Iterator[tuple[int, str, bool]]:
    """Each word with its line, and whether it stood in quotes; commas join a word.

    Raises `Refused` where a line goes on and on without anything that parts numbers.
    """
    line, rest = 1, ""
    for chunk in text.chunks(CHUNK):
        piece = rest + chunk
        cut = _cut(piece)
        if not cut and len(piece) > CHUNK:
            raise Refused(
                f"Line {line:,} goes on for more than 64 kB without a comma or a blank, so it is no list of "
                "ticket numbers."
            )
        piece, rest = piece[:cut], piece[cut:]
        for ended, quoted, plain in _TOKEN.findall(piece):
            if ended:
                line += 1
            elif plain:
                yield line, plain, False
            elif quoted:
                yield line, quoted, True
    for ended, quoted, plain in _TOKEN.findall(rest):
        if ended:
            line += 1
        elif plain or quoted:
            yield line, plain or quoted, not plain


def _cut(piece: str) -> int:
    """How much of a piece can be read: up to its last line break, or blank, or in a long run comma."""
    held = len(piece) - 1 if piece.endswith("\r") else len(piece)  # \n may follow
    for mark in ("\n", "\r"):
        place = piece.rfind(mark, 0, held)
        if place >= 0:
            return place + 1
    place = max(piece.rfind(mark, 0, held) for mark in " \t;|")
    if place >= 0:
        return place + 1
    return piece.rfind(",", 0, held) + 1 if len(piece) > CHUNK else 0
