"""Tags as Zendesk stores them.

A tag consists of letters and digits of any script, dashes, underscores, colons and slashes. A space separates
two tags, and Zendesk silently drops any other character (support.zendesk.com, article 4408835059482). To
avoid surprises, such characters are refused here, and the message shows the form that would be stored. Tags
are usually stored in lower case, which the documentation does not mention; so `VIP` and `vip` count as one
tag.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

MAX_TAGS_LENGTH = 5096  # characters of all tags of a ticket together (same article)
MAX_TAG_LENGTH = 255  # characters; Zendesk documents no limit for one tag, but a longer one is a mistake

_SEPARATORS = re.compile(r"[\s,]+")


class TagError(ValueError):
    """Some of the text cannot be a tag; the message is a sentence for the person who typed it.

    ``stored`` maps each refused tag to the form Zendesk would store ("" if nothing is left).
    """

    def __init__(self, message: str, stored: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.stored = stored or {}


def parse_tags(text: str | Iterable[str]) -> frozenset[str]:
    """The tags in one or several texts, separated by spaces or commas, normalised, without duplicates.

    Raises TagError if a tag contains characters that Zendesk would drop or is longer than 255.
    """
    words = [text] if isinstance(text, str) else text
    tags = {normalise(part) for word in words for part in _SEPARATORS.split(word) if part}
    if refused := {tag: stored for tag in sorted(tags) if (stored := stored_form(tag)) != tag}:
        raise TagError(" ".join(_refusal(tag, stored) for tag, stored in refused.items()), refused)
    for tag in sorted(tags):
        if len(tag) > MAX_TAG_LENGTH:
            raise TagError(
                f"A tag of {len(tag)} characters is too long ({tag[:40]}…). Use at most {MAX_TAG_LENGTH}, "
                "and separate tags with spaces or commas."
            )
    return frozenset(tags)


def normalise(tag: str) -> str:
    """The form for comparison: composed and lower-case, so that `VIP` from Zendesk equals `vip`."""
    if tag.isascii():
        return tag.lower()
    # Twice: a lower-case letter may have a composed form that its capital lacks (J with a caron).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag).lower())


def stored_form(tag: str) -> str:
    """The form in which Zendesk stores a tag: without the characters it drops."""
    # Normalised again: dropping a character may bring a letter and an accent together.
    return normalise("".join(char for char in normalise(tag) if _is_kept(char)))


def fits(tags: Collection[str]) -> bool:
    """Whether one ticket can have all these tags; beyond the limit Zendesk adds none."""
    return sum(map(len, tags)) + max(len(tags) - 1, 0) <= MAX_TAGS_LENGTH


def _is_kept(char: str) -> bool:
    # Marks are the vowel signs and accents of many scripts.
    return char in "-_:/" or unicodedata.category(char) in _KEPT


_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"})


def _refusal(tag: str, stored: str) -> str:
    dropped = list(dict.fromkeys(char for char in tag if not _is_kept(char)))
    names = " ".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in dropped)
    shown = tag if tag.isprintable() else repr(tag)[1:-1]
    if not stored:
        return f"{shown} cannot be a tag: Zendesk keeps none of its characters ({names})."
    return f"{shown} would be stored as {stored}: Zendesk drops {names}."
