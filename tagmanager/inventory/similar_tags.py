"""Tags that probably mean the same: `billing_issue`, `bill-issue`, `billingissue`.

Candidates for a typo are words that are equal without one letter. So tags with nothing in common are never
compared, and 20,000 tags take a second or two.
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
#: Endings that keep a word's meaning, each with its replacement. Two words match only if both occur in tags.
ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("d", ""), ("es", ""), ("s", ""))
#: Letters that must remain without the ending; one less for a plain s.
MIN_STEM_LENGTH = 4
#: Minimum length of words that may match despite an added or missing letter, or despite a replaced one. In
#: shorter words one letter makes another word.
MIN_LENGTH_TO_INSERT, MIN_LENGTH_TO_REPLACE = 5, 7


def similar_groups(tags: Iterable[str]) -> list[list[str]]:
    """Groups of two or more similar tags, in the order given; a tag is in one group at most.

    Similar tags consist of the same words in any order and with any separators. Words count as the same if
    they differ only by an ending or by a typo of one inner letter. Tags with different numbers are never
    similar: `tier_1` and `tier_2` are two things.
    """
    names = list(dict.fromkeys(tags))
    words = {name: WORD.findall(_without_accents(name)) for name in names}
    whole = {name: "".join(found) for name, found in words.items()}
    same = _same_words(words.values(), whole)
    found = UnionFind[str]()
    first: dict[tuple[object, ...], str] = {}
    for name in names:
        numbers = tuple(word for word in words[name] if word.isdigit())
        letters = sorted(same.find(word) for word in words[name] if not word.isdigit())
        for key in (("words", numbers, *letters), ("whole", numbers, same.find(whole[name]))):
            if letters:
                found.union(first.setdefault(key, name), name)
    return [group for group in found.groups(names) if len(group) > 1]


class UnionFind(dict[T, T]):
    """Disjoint sets that grow by union."""

    def find(self, thing: T) -> T:
        """The representative of a thing's set."""
        while (other := self.get(thing, thing)) != thing:
            self[thing] = thing = self.get(other, other)
        return thing

    def union(self, one: T, other: T) -> None:
        self[self.find(other)] = self.find(one)

    def groups(self, things: Iterable[T]) -> list[list[T]]:
        """The things, grouped by set."""
        parts = defaultdict(list)
        for thing in things:
            parts[self.find(thing)].append(thing)
        return list(parts.values())


def _without_accents(tag: str) -> str:
    """The tag in lower case without accents, as many people type it."""
    if tag.isascii():
        return tag.lower()
    apart = unicodedata.normalize("NFKD", tag.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


def _same_words(words: Iterable[list[str]], whole: Mapping[str, str]) -> UnionFind[str]:
    """Sets of words that count as the same; whole tags too, since two words may be one elsewhere."""
    real = {word for found in words for word in found if not word.isdigit()}
    known = real | {name for name in whole.values() if not name.isdigit()}
    same = UnionFind[str]()
    for word in sorted(known):
        for stem in _stems(word):
            if stem in known and (word in real or stem in real):
                same.union(stem, word)
    for one, other in _typos(sorted(real)):
        same.union(one, other)
    return same


def _stems(word: str) -> Iterator[str]:
    for ending, instead in ENDINGS:
        if not word.endswith(ending):
            continue
        stem = word.removesuffix(ending)
        if len(stem) >= MIN_STEM_LENGTH - (ending == "s"):
            yield stem + instead
            if len(stem) > MIN_STEM_LENGTH and stem[-1] == stem[-2]:
                yield stem[:-1]  # shipping


def _typos(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs that differ by one inner letter: a different first or last letter usually means another word."""
    near: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if len(word) >= MIN_LENGTH_TO_INSERT:
            for left in {word, *(word[:place] + word[place + 1 :] for place in range(1, len(word) - 1))}:
                near[left].append(word)
    for those in near.values():
        for one, other in combinations(those, 2):
            if one[0] == other[0] and one[-1] == other[-1] and _is_typo(one, other):
                yield one, other


def _is_typo(one: str, other: str) -> bool:
    if len(one) == len(other) and sorted(one) != sorted(other) and len(one) < MIN_LENGTH_TO_REPLACE:
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1
