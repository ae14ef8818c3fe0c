"""The distinct sets of tags on tickets, each stored only once."""

import json
from array import array
from collections import Counter
from collections.abc import Iterable

from zendesk.sandbox.account import fields


class TagSets:
    """Numbers each distinct set of tags, caches its JSON, and counts the tickets that have it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._tags: list[tuple[str, ...]] = []
        self._json: list[tuple[str, str] | None] = []
        self.holders = array("q")

    def __len__(self) -> int:
        return len(self._tags)

    def number(self, tags: Iterable[str]) -> int:
        """The number of this set, newly assigned if the set is new."""
        key = tuple(sorted(tags))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._tags)
            self._tags.append(key)
            self._json.append(None)
            self.holders.append(0)
        return number

    def tags(self, number: int) -> tuple[str, ...]:
        return self._tags[number]

    def json(self, number: int) -> tuple[str, str]:
        """The set as JSON, and the custom fields derived from it as JSON."""
        cached = self._json[number]
        if cached is None:
            tags = self._tags[number]
            cached = self._json[number] = (
                json.dumps(tags, separators=(",", ":")),
                json.dumps(fields.values(tags), separators=(",", ":")),
            )
        return cached

    def counts(self) -> Counter[str]:
        """The number of tickets with each tag."""
        counts: Counter[str] = Counter()
        for tags, holders in zip(self._tags, self.holders, strict=True):
            if holders:
                for tag in tags:
                    counts[tag] += holders
        return counts
