"""Tags that most likely mean the same: `billing_issue`, `bill-issue`, `billingissue`.

No two tags are compared that have nothing in common: words that may be slips of each other are found by
what is left of them without one letter, so that 20,000 tags take a second or two.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import TypeVar

from rapidfuzz.distance import OSA

T = TypeVar("T")

WORD = re.compile(r"[^\W\d_]+|\d+")
#: Endings that leave the meaning as it is, and what the word ends with instead. Only a word that is there
#: without one is taken for the same.
ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("d", ""), ("es", ""), ("s", ""))
#: So long is what is left of a word without its ending; of one with a plain s it may be a letter shorter.
SHORTEST_STEM = 4
#: In shorter words one letter makes another word: left out or put in, or another in its place.
LETTER_MORE, LETTER_OTHER = 5, 7


def similar_groups(tags: Iterable[str]) -> list[list[str]]:
    """Those that are alike, each group of two or more in the order given, a tag in one group at most.

    Alike are tags of the same words, however they are parted and in whatever order, where words count as the
    same that differ by an ending or by a slip of one letter inside. Tags with different numbers never are:
    `tier_1` and `tier_2` are two things.
    """
    names = list(dict.fromkeys(tags))
    words = {name: WORD.findall(_plain(name)) for name in names}
    whole = {name: "".join(found) for name, found in words.items()}
    same = _same_words(words.values(), whole)
    found = UnionFind[str]()
    first: dict[tuple[object, ...], str] = {}
    for name in names:
        numbers = tuple(word for word in words[name] if word.isdigit())
        letters = sorted(same.of(word) for word in words[name] if not word.isdigit())
        for key in (("words", numbers, *letters), ("whole", numbers, same.of(whole[name]))):
            if letters:
                found.join(first.setdefault(key, name), name)
    return [group for group in found.parts(names) if len(group) > 1]


class UnionFind(dict[T, T]):
    """Things put together bit by bit."""

    def of(self, thing: T) -> T:
        """What stands for all that were put together with it."""
        while (other := self.get(thing, thing)) != thing:
            self[thing] = thing = self.get(other, other)
        return thing

    def join(self, one: T, other: T) -> None:
        self[self.of(other)] = self.of(one)

    def parts(self, things: Iterable[T]) -> list[list[T]]:
        """The things, those together in one list."""
        parts = defaultdict(list)
        for thing in things:
            parts[self.of(thing)].append(thing)
        return list(parts.values())


def _plain(tag: str) -> str:
    """Without accents, as many people type."""
    if tag.isascii():
        return tag.lower()
    apart = unicodedata.normalize("NFKD", tag.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def _same_words(words: Iterable[list[str]], whole: Mapping[str, str]) -> UnionFind[str]:
    """Words that count as one; a tag as a whole is among them, since it may be one word elsewhere."""
    real = {word for found in words for word in found if not word.isdigit()}
    known = real | {name for name in whole.values() if not name.isdigit()}
    same = UnionFind[str]()
    for word in sorted(known):
        for stem in _stems(word):
            if stem in known and (word in real or stem in real):
                same.join(stem, word)
    for one, other in _slips(sorted(real)):
        same.join(one, other)
    return same


def _stems(word: str) -> Iterator[str]:
    for ending, instead in ENDINGS:
        if not word.endswith(ending):
            continue
        stem = word.removesuffix(ending)
        if len(stem) >= SHORTEST_STEM - (ending == "s"):
            yield stem + instead
            if len(stem) > SHORTEST_STEM and stem[-1] == stem[-2]:
                yield stem[:-1]  # shipping


def _slips(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs that differ by one letter inside: what begins or ends otherwise is mostly another word."""
    near: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if len(word) >= LETTER_MORE:
            for left in {word, *(word[:place] + word[place + 1 :] for place in range(1, len(word) - 1))}:
                near[left].append(word)
    for those in near.values():
        for one, other in combinations(those, 2):
            if one[0] == other[0] and one[-1] == other[-1] and _is_slip(one, other):
                yield one, other


def _is_slip(one: str, other: str) -> bool:
    if len(one) == len(other) and sorted(one) != sorted(other) and len(one) < LETTER_OTHER:
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1
