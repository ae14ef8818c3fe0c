"""Text of a request before it meets the database."""

from __future__ import annotations


def storable(text: str, most: int) -> str:
    """At most `most` characters of the text, without the one that PostgreSQL's text cannot hold (NUL).

    The NUL becomes a character that nothing of ours holds, so that a search for it finds nothing.
    """
    return text[:most].replace("\x00", "\N{REPLACEMENT CHARACTER}")
