"""Patterns of tags, such as `temp_*`, and the tags of the account that match them."""

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

#: The most tags in one job.
MOST_TAGS = 2_000
#: How long a form may read the lists of tags, seconds.
LOOKUP_SECONDS = 2.0
SEPARATOR = re.compile(r"[\s,]+")
WILDCARD = re.compile(r"[*?]")


def read(text: str) -> list[str]:
    """The patterns of a text, separated by blanks or commas, each once; raises `ValidationError`."""
    patterns = list(dict.fromkeys(normalise(word) for word in SEPARATOR.split(text) if word))
    for pattern in patterns:
        letters = WILDCARD.sub("", pattern)
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


def matches_any(tag: str, patterns: Collection[str]) -> bool:
    """Whether the tag matches one of the patterns."""
    return any(fnmatchcase(tag, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class MatchedTags:
    """The known tags that match some patterns."""

    patterns: Sequence[str] = ()
    tags: Sequence[tuple[Tag, bool]] = ()  # the most used first; whether each is ticked
    lists: TagLists | None = field(default=None, repr=False)  # where the tags come from
    problem: str = ""  # why the tags are not known

    @property
    def text(self) -> str:
        """The patterns as `read` takes them."""
        return " ".join(self.patterns)


def find_matches(
    patterns: Sequence[str],
    *,
    seen: Sequence[str] = (),
    ticked: Collection[str] = (),
    seconds: float = LOOKUP_SECONDS,
) -> MatchedTags:
    """All matches. Each is ticked, unless it matched the patterns `seen` before and is not among `ticked`."""
    if not patterns:
        return MatchedTags()
    try:
        found = tag_counts.tag_lists(seconds=seconds)
    except connection.NotConnected as problem:
        return MatchedTags(patterns, problem=str(problem))
    tags = [tag for tag in Inventory(found).filtered() if matches_any(tag.name, patterns)]
    offered = [(tag, tag.name in ticked or not matches_any(tag.name, seen)) for tag in tags]
    return MatchedTags(patterns, offered, found, _problem(found, len(tags)))


def _problem(found: TagLists, number: int) -> str:
    if number > MOST_TAGS:
        return f"These are {number:,} tags; one job takes {MOST_TAGS:,}. Give narrower patterns."
    if found.by:
        return ""
    if found.problem:
        return f"The tags of the account could not be read. {found.problem}"
    read = len(found.being_read.counts) if found.being_read else 0
    return f"Zendesk's list of tags is still being read, {read:,} so far. Send the form again in a moment."
