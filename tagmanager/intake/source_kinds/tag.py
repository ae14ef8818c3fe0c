"""The tickets that carry a tag, or one of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.models import Job
from jobs.source_spec import Stored
from tagmanager.intake.fields import TagsField
from tagmanager.intake.source_kinds.base import AND, Way
from tagmanager.intake.source_kinds.searching import FoundBySearch
from tagmanager.intake.source_kinds.source import Source

#: More tags than these are counted in a phrase, not named; the job's page has more room.
MOST_NAMED, MOST_NAMED_ON_PAGE = 3, 12
#: How many tags one search asks for: its query must stay shorter than an address may be.
TAGS_IN_A_SEARCH = 20


def tag(name: str) -> Source:
    return Source({"kind": "tag", "tag": name})


def any_of(tags: Sequence[str]) -> Source:
    """The tickets that carry at least one of the tags."""
    names = list(tags)
    return tag(names[0]) if len(names) == 1 else Source({"kind": "tags", "tags": names})


def tag_query(name: str) -> str:
    """The search for tickets that carry exactly this tag; quoted, because a colon would end the word."""
    return f'tags:"{name}"' if ":" in name or "/" in name else f"tags:{name}"


class Tag(FoundBySearch):
    """Not for tags to leave out: a search lags, so those are checked on each ticket."""

    kind = "tag"
    panel, tab, tab_place = "tag", "Tag", 4
    ways = (
        Way(
            "tag",
            help="{} that carry this tag.",
            argument={"metavar": "TAG"},
            labels={AND: "Another tag"},
            empty="The tag is empty. Name one, such as --tag refund.",
        ),
    )

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        return {"tag": TagsField(label="A tag", required=False, help_text="All tickets that carry it.")}

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        tags: list[str] = form.cleaned_data.get(way) or []
        if len(tags) > 1:
            raise ValidationError(
                "Give one tag. For tickets with any of several tags use a search: tags:vip tags:gold.",
                code="one_tag",
            )
        return tag(tags[0]) if tags else None

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str]:
        return "tag", stored["tag"]

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        return {"kind": self.panel, "tag": stored["tag"]}

    def phrase(self, stored: Stored) -> str:
        return f"tickets tagged {stored['tag']}"

    def words(self, stored: Stored) -> str:
        return f"All that carry the tag {stored['tag']}"

    def queries(self, stored: Stored) -> list[str]:
        return [tag_query(stored["tag"])]

    def held_tags(self, stored: Stored) -> frozenset[str]:
        return frozenset([stored["tag"]])


class AnyTag(FoundBySearch):
    """Nobody chooses it: tools name the tickets of their tags by it."""

    kind = "tags"

    def phrase(self, stored: Stored) -> str:
        return f"tickets tagged {_any_named(stored['tags'], MOST_NAMED)}"

    def words(self, stored: Stored) -> str:
        return f"All that carry {_any_named(stored['tags'], MOST_NAMED_ON_PAGE)}"

    def queries(self, stored: Stored) -> list[str]:
        """Several values of one keyword widen a search, so that many tags take few searches.

        See support.zendesk.com, article 4408886879258.
        """
        names: list[str] = stored["tags"]
        starts = range(0, len(names), TAGS_IN_A_SEARCH)
        return [" ".join(map(tag_query, names[start : start + TAGS_IN_A_SEARCH])) for start in starts]

    def held_tags(self, stored: Stored) -> frozenset[str]:
        return frozenset(stored["tags"])


def _any_named(names: Sequence[str], most: int) -> str:
    return f"one of {len(names):,} tags" if len(names) > most else " or ".join(names)
