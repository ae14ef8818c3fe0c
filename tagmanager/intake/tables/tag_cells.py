"""Cells that hold tags, without what spreadsheets and exports put around them."""

from __future__ import annotations

import re
import unicodedata

_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
#: What this project's exports, and spreadsheets, put an apostrophe before.
_HARMLESS = re.compile(r"'(?=[=+@\t\r-])")


def clean(cell: str) -> str:
    """The text of a cell of tags, without marks that cannot be seen; of a formula of a text that text."""
    if not cell.isascii():
        # A mark of format at an end shows nowhere and makes another tag; joiners within a word belong to it.
        cell = _without_marks(cell)
    if formula := _FORMULA.fullmatch(cell):
        cell = formula[1]
    return _HARMLESS.sub("", cell.strip(), count=1)


def _without_marks(cell: str) -> str:
    words = (word.strip(_MARKS) for word in re.split(r"([\s,]+)", cell))
    return "".join(words)


_MARKS = "".join(char for char in map(chr, range(0x00AD, 0xFFFF)) if unicodedata.category(char) == "Cf")
