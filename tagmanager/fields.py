"""Form fields for what staff type: tags and ticket numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from zendesk import TagError, parse_tags

#: Zendesk's ticket numbers are whole numbers that fit into 64 bits.
MOST_ID = 2**63 - 1
BETWEEN_IDS = re.compile(r"[\s,;]+")


class TagsField(forms.CharField):
    """Tags, parted by blanks or commas; cleaned to a sorted list in the form in which Zendesk stores them."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, str) or value is None:
            value = [value or ""]
        return self._parse(value)

    def run_validators(self, value: Any) -> None:
        """The parsing has said all there is to say."""

    def _parse(self, value: Iterable[str]) -> list[str]:
        try:
            return sorted(parse_tags(value))
        except TagError as problem:
            raise ValidationError(str(problem), code="tag") from problem


class TicketIdsField(forms.CharField):
    """Ticket numbers parted by blanks, commas, semicolons or lines; cleaned to a list of numbers in order.

    A leading `#` is taken off, because people paste "#4711".
    """

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[int]:  # type: ignore[override]
        return parse_ids(value or "")

    def run_validators(self, value: Any) -> None:
        """The parsing has said all there is to say."""


def parse_ids(text: str) -> list[int]:
    """The ticket numbers in a text, each once, in order; raises `ValidationError` naming what is not one."""
    words = [word for word in BETWEEN_IDS.split(text.strip()) if word]
    ids: dict[int, None] = {}
    for word in words:
        ids[parse_id(word)] = None
    return list(ids)


def parse_id(word: str) -> int:
    """One ticket number; raises `ValidationError`."""
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or not 0 < int(digits[:20]) <= MOST_ID:
        shown = word if len(word) <= 40 else word[:40] + "…"
        raise ValidationError(
            f"{shown!r} is not a ticket number. Give numbers such as 4711, parted by commas or blanks.",
            code="ticket_id",
        )
    return int(digits)
