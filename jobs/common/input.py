"""Whole numbers and texts of a request, before they meet the database."""

from __future__ import annotations

#: The largest number that both databases and Zendesk's ids can hold: 64 bits with a sign.
MAX_INT64 = 2**63 - 1


def whole_number(text: str, *, least: int = 0, most: int = MAX_INT64) -> int | None:
    """The number that plain digits write, from `least` to `most`; None for everything else."""
    # Python refuses to convert thousands of digits, so the length is checked before the value.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INT64))):
        return None
    number = int(text)
    return number if least <= number <= most else None


def typed_number(text: str, *, least: int = 0) -> int | None:
    """A number as people type it, with blanks around it or a leading "#"; None for everything else."""
    return whole_number(text.strip().removeprefix("#"), least=least)


def storable(text: str, most: int) -> str:
    """At most `most` characters of the text, without the one that PostgreSQL's text cannot hold (NUL).

    The NUL becomes a character that no stored text holds, so that a search for it finds nothing.
    """
    return text[:most].replace("\x00", "\N{REPLACEMENT CHARACTER}")
