"""What a page of the documentation tells its reader to write and to type, in its order.

A block that names a path at its top is a file. Any other block of the language sh is typed as root. A comment
before a block (`<!-- trial: … -->`, invisible on the page) says what a trial has to know about it.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"(?:^ *<!-- trial: (?P<mark>\w+)(?: \((?P<why>[^)]+)\))? -->\n)?"
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
#: A path in a comment, in the first line or below the line that names the interpreter.
PATH = re.compile(r"\A(?:#!.*\n)?[#;] (/\S+)$", re.MULTILINE)
#: What a mark means: needs the internet; needs a keyboard, and is answered otherwise; cannot be tried.
FETCHES, TYPED, OUTSIDE = "fetches", "typed", "outside"


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    text: str
    mark: str = ""
    why: str = ""

    @property
    def path(self) -> str:
        """Where the file belongs; "" for commands."""
        found = PATH.match(self.text)
        return found[1] if found else ""


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page under docs/ that a reader writes or types."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [
        Block(found["language"], textwrap.dedent(found["text"]), found["mark"] or "", found["why"] or "")
        for found in BLOCK.finditer(text)
    ]


def files_of(page: str) -> dict[str, str]:
    """The files of a page, by their path."""
    return {block.path: block.text for block in blocks_of(page) if block.path}
