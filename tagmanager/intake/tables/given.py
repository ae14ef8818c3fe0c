"""A file or a text as somebody gives it, with what they say about it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile

#: Further fields of a form about one file, after the name of its own.
COLUMN, PLACE, HEADER, SHEET, KEPT = "-column", "-role", "-header", "-sheet", "-kept"
DIGEST = "-digest"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person says about a table, so that nothing needs guessing."""

    named: Sequence[tuple[str, str]] = ()  # role, and the name or the number of a column
    by_place: Sequence[str] = ()  # for each column its role; "" is ignored
    header: int | None = None  # with `by_place`: the line of the header; 0: there is none
    digest: str = ""  # with `by_place`: of the question that they answer
    sheet: str = ""
    leave_out: bool = False  # leave out lines whose ticket number is none
    may_remember: bool = False  # take what was chosen before for a file with this header

    @classmethod
    def of(cls, data: Mapping[str, Any], name: str, **more: Any) -> Answers:
        """The answers in the fields of a form that was sent, for its field `name`."""
        named = [tuple(one.split("=", 1)) for one in _several(data, name + COLUMN) if "=" in one]
        header = str(data.get(name + HEADER) or "")
        return cls(
            named=[(role.strip(), column.strip()) for role, column in named],
            by_place=_several(data, name + PLACE),
            header=int(header) if header.isdecimal() and len(header) < 7 else None,
            digest=str(data.get(name + DIGEST) or ""),
            sheet=str(data.get(name + SHEET) or ""),
            **more,
        )


def _several(data: Mapping[str, Any], key: str) -> list[str]:
    found = data.getlist(key) if hasattr(data, "getlist") else data.get(key) or []
    return [str(value) for value in found]


@dataclass(frozen=True, slots=True)
class Given:
    """A file, or a text that was typed or pasted. The content can be read again from its start."""

    content: IO[bytes] = field(repr=False)
    name: str = ""  # "": typed
    answers: Answers = field(default_factory=Answers)

    @classmethod
    def typed(cls, text: str, answers: Answers | None = None) -> Given:
        return cls(io.BytesIO(text.encode("utf-8", "replace")), "", answers or Answers())

    @classmethod
    def uploaded(cls, upload: UploadedFile[Any], answers: Answers | None = None) -> Given:
        content: Any = upload.file
        return cls(content, printable_name(upload.name or "a file"), answers or Answers())

    @property
    def is_typed(self) -> bool:
        return not self.name


def printable_name(name: str) -> str:
    """The name of a file as text that can be stored and shown, whatever bytes it consists of."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)[:200]
