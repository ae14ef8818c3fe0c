"""Tags as Zendesk stores them.

Letters and digits of any script, dash, underscore, colon and slash; a blank parts two tags, and any
other character vanishes on save without a word (support.zendesk.com, article 4408835059482). So that
nobody is surprised, what would vanish is refused here and the form that would be stored is shown.
Tags are commonly seen stored in lower case; the documentation does not say, so `VIP` and `vip` count as
the same tag everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

MAX_TAGS_LENGTH = 5096  # characters of all tags of a ticket together (same article)
MAX_TAG_LENGTH = 255  # characters; Zendesk states no limit for one tag, longer ones are mistakes

_SEPARATORS = re.compile(r"[\s,]+")


class TagError(ValueError):
    """Some of the text cannot be a tag; the message is a sentence for the person who typed it.

    ``stored`` maps each refused tag to what Zendesk would make of it ("" when nothing is left).
    """

    def __init__(self, message: str, stored: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.stored = stored or {}


def parse_tags(text: str | Iterable[str]) -> frozenset[str]:
    """The tags in a text, or in several: parted by blanks or commas, normalised, each once.

    Raises TagError when a tag holds characters that Zendesk would drop, or is longer than 255.
    """
    words = [text] if isinstance(text, str) else text
    tags = {normalise(part) for word in words for part in _SEPARATORS.split(word) if part}
    if refused := {tag: stored for tag in sorted(tags) if (stored := stored_form(tag)) != tag}:
        raise TagError(" ".join(_refusal(tag, stored) for tag, stored in refused.items()), refused)
    for tag in sorted(tags):
        if len(tag) > MAX_TAG_LENGTH:
            raise TagError(
                f"A tag of {len(tag)} characters is too long ({tag[:40]}…). Use at most {MAX_TAG_LENGTH}, "
                "and part tags with blanks or commas."
            )
    return frozenset(tags)


def normalise(tag: str) -> str:
    """The form to compare by: composed and lower-case, so that `VIP` read from Zendesk is `vip`."""
    if tag.isascii():
        return tag.lower()
    # Twice, because a small letter may have a composed form that the capital lacks (J with a caron).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag).lower())


def stored_form(tag: str) -> str:
    """What Zendesk makes of a tag when it stores it: the characters it does not keep left out."""
    # Normalised again: a letter and an accent may meet where a character between them goes.
    return normalise("".join(char for char in normalise(tag) if _is_kept(char)))


def fits(tags: Collection[str]) -> bool:
    """Whether a ticket can carry all these tags at once; past the limit Zendesk adds none."""
    return sum(map(len, tags)) + max(len(tags) - 1, 0) <= MAX_TAGS_LENGTH


def _is_kept(char: str) -> bool:
    # Marks are the vowel signs and accents that many scripts write letters with.
    return char in "-_:/" or unicodedata.category(char) in _KEPT


_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"})


def _refusal(tag: str, stored: str) -> str:
    dropped = list(dict.fromkeys(char for char in tag if not _is_kept(char)))
    names = " ".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in dropped)
    shown = tag if tag.isprintable() else repr(tag)[1:-1]
    if not stored:
        return f"{shown} cannot be a tag: Zendesk keeps none of its characters ({names})."
    return f"{shown} would be stored as {stored}: Zendesk drops {names}."
