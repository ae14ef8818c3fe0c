"""Why a table is not taken as it is: refused, or unclear until somebody answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError


class Refused(ValidationError):
    """The table cannot be used; the message names the line where there is one."""

    def __init__(self, message: str, code: str = "table") -> None:
        super().__init__(message, code=code)


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say about a table: which column is which, or which sheet."""

    rows: Sequence[tuple[int, Sequence[str]]] = ()  # the first rows with their lines
    choices: Sequence[tuple[str, str]] = ()  # roles of a column, and their labels
    proposed: Sequence[str] = ()  # for each column the role that is clear, or ""
    header: int = 0  # the line that seems to name the columns; 0: none does
    sheets: Sequence[str] = ()  # where the sheet is asked for
    digest: str = field(default="", repr=False)


class Unclear(ValidationError):
    """The table may be read in several ways. `question` asks; `advice` says how to answer in a command."""

    def __init__(self, message: str, *, advice: str, question: Question) -> None:
        super().__init__(message, code="unclear")
        self.advice = advice
        self.question = question


def shortened(text: str, most: int = 40) -> str:
    """A cell as it fits into a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}…"
