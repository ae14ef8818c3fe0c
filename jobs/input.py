"""Whole numbers and texts of a request, before they meet the database."""

from __future__ import annotations

#: The largest number that both databases and Zendesk's ids can hold: 64 bits with a sign.
MAX_INT64 = 2**63 - 1


def whole_number(text: str) -> int | None:
    """The number that plain digits write, from 0 to `MOST`; None for everything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INT64))):
        return None
    number = int(text)
    return number if number <= MAX_INT64 else None


def storable(text: str, most: int) -> str:
    """At most `most` characters of the text, without the one that PostgreSQL's text cannot hold (NUL).

    The NUL becomes a character that nothing of ours holds, so that a search for it finds nothing.
    """
    return text[:most].replace("\x00", "\N{REPLACEMENT CHARACTER}")
