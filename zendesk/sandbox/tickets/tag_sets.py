"""The sets of tags that tickets hold, each kept once however many tickets share it."""

import json
from array import array
from collections import Counter
from collections.abc import Iterable

from zendesk.sandbox.account import fields


class TagSets:
    """Numbers for sorted tuples of tags, with their JSON made once, and how many tickets hold each."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}
        self._tags: list[tuple[str, ...]] = []
        self._json: list[tuple[str, str] | None] = []
        self.holders = array("q")

    def __len__(self) -> int:
        return len(self._tags)

    def number(self, tags: Iterable[str]) -> int:
        """The number of this set; a new one if it was never seen."""
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
        """The set as JSON, and the custom fields that follow from it."""
        made = self._json[number]
        if made is None:
            tags = self._tags[number]
            made = self._json[number] = (
                json.dumps(tags, separators=(",", ":")),
                json.dumps(fields.values(tags), separators=(",", ":")),
            )
        return made

    def counts(self) -> Counter[str]:
        """Tag to number of tickets that carry it."""
        counts: Counter[str] = Counter()
        for tags, holders in zip(self._tags, self.holders, strict=True):
            if holders:
                for tag in tags:
                    counts[tag] += holders
        return counts
