"""Tags in the form in which Zendesk stores them."""

import re
import unicodedata
from collections.abc import Iterable

# Limit on all tags of a ticket together (support.zendesk.com, article 4408835059482).
MAX_CHARACTERS = 5_096

# Zendesk keeps letters and digits of any script, dash, underscore, colon and slash, and drops the rest.
_DROPPED = re.compile(r"[^a-z0-9_\-:/]+")
_SIGNS = frozenset("-_:/")
# Marks too: many scripts write their vowels and accents with them.
_LETTERS, _DIGITS = frozenset("LM"), "Nd"


def normalise(value: object) -> list[str]:
    """The tags of a list or a space-separated string in stored form, without duplicates, in order."""
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
    """Length of the tags as one space-separated string."""
    return len(" ".join(tags))
