"""Patterns of tags, such as `temp_*`, and the tags of the account that they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from django.core.exceptions import ValidationError

from tagmanager.account import connection
from tagmanager.inventory import tag_counts
from tagmanager.inventory.tag_counts import TagLists
from tagmanager.inventory.tags import Inventory, Tag
from zendesk import TagError, normalise, parse_tags

#: So many tags are ticked and stored in one job.
MOST_TAGS = 2_000
#: A form works on the lists of tags for so long, seconds.
WORK = 2.0
BETWEEN = re.compile(r"[\s,]+")
WILD = re.compile(r"[*?]")


def read(text: str) -> list[str]:
    """The patterns of a text, parted by blanks or commas, each once; raises `ValidationError`."""
    patterns = list(dict.fromkeys(normalise(word) for word in BETWEEN.split(text) if word))
    for pattern in patterns:
        letters = WILD.sub("", pattern)
        if not any(char.isalnum() for char in letters):
            raise ValidationError(
                f"{pattern} would mean every tag, or nearly so. Give at least one letter or digit, such as "
                "temp_*.",
                code="every",
            )
        try:
            parse_tags(letters)
        except TagError as problem:
            raise ValidationError(f"{pattern}: {problem}", code="tag") from problem
    return patterns


def fits(tag: str, patterns: Collection[str]) -> bool:
    """Whether one of the patterns means the tag."""
    return any(fnmatchcase(tag, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Meant:
    """The tags that patterns mean, as far as is known."""

    patterns: Sequence[str] = ()
    tags: Sequence[tuple[Tag, bool]] = ()  # the most used first, each with whether it is ticked
    lists: TagLists | None = field(default=None, repr=False)  # by which it is known
    problem: str = ""  # why it is not known

    @property
    def written(self) -> str:
        """The patterns as `read` takes them."""
        return " ".join(self.patterns)


def meant(
    patterns: Sequence[str], *, seen: Sequence[str] = (), ticked: Collection[str] = (), seconds: float = WORK
) -> Meant:
    """All ticked, but for what was offered before, by the patterns that were `seen`, and is not `ticked`."""
    if not patterns:
        return Meant()
    try:
        found = tag_counts.tag_lists(seconds=seconds)
    except connection.NotConnected as problem:
        return Meant(patterns, problem=str(problem))
    tags = [tag for tag in Inventory(found).filtered() if fits(tag.name, patterns)]
    offered = [(tag, tag.name in ticked or not fits(tag.name, seen)) for tag in tags]
    return Meant(patterns, offered, found, _problem(found, len(tags)))


def _problem(found: TagLists, number: int) -> str:
    if number > MOST_TAGS:
        return f"These are {number:,} tags; one job takes {MOST_TAGS:,}. Give narrower patterns."
    if found.by:
        return ""
    if found.problem:
        return f"The tags of the account could not be read. {found.problem}"
    read = len(found.being_read.counts) if found.being_read else 0
    return f"Zendesk's list of tags is still being read, {read:,} so far. Send the form again in a moment."
