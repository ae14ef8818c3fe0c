"""How Zendesk stores tags."""

import re
import unicodedata
from collections.abc import Iterable

# All tags of a ticket together (support.zendesk.com, article 4408835059482).
MAX_CHARACTERS = 5_096

# Letters and digits of any script, dash, underscore, colon and slash stay; all else vanishes, no error.
_DROPPED = re.compile(r"[^a-z0-9_\-:/]+")
_SIGNS = frozenset("-_:/")
# Marks too: many scripts write their vowels and accents with them.
_LETTERS, _DIGITS = frozenset("LM"), "Nd"


def normalise(value: object) -> list[str]:
    """The tags of a list or of one blank-separated string, as they would be stored; each once, in order."""
    texts: Iterable[object]
    if value is None:
        texts = ()
    elif isinstance(value, str):
        texts = (value,)
    elif isinstance(value, (list, tuple, set, frozenset)):
        texts = value
    else:
        texts = (str(value),)
    words = (_storable(word.lower()) for text in texts for word in str(text).split())
    return list(dict.fromkeys(word for word in words if word))


def _storable(word: str) -> str:
    if word.isascii():
        return _DROPPED.sub("", word)
    categories = ((char, unicodedata.category(char)) for char in word)
    return "".join(
        char for char, kind in categories if char in _SIGNS or kind[0] in _LETTERS or kind == _DIGITS
    )


def character_count(tags: Iterable[str]) -> int:
    """Characters of the tags as one blank-separated string."""
    return len(" ".join(tags))
