"""The tickets that a search finds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.models import Job
from jobs.source_spec import Stored
from tagmanager.account import suggestions
from tagmanager.intake.source_kinds.base import AND, NOT, Way
from tagmanager.intake.source_kinds.searching import FoundBySearch
from tagmanager.intake.source_kinds.source import Source
from zendesk import Refused, Zendesk, ZendeskError

#: A term of a search that one tag fulfils: not a word that stands for any or no tag, nor part of a tag.
ONE_TAG = re.compile(
    r"""tags:(?!"?(?:none|true|false)"?$)(?:"(?P<quoted>[^"*\s]+)"|(?P<bare>[^"*:<>\s]+))""", re.IGNORECASE
)


def search(query: str) -> Source:
    return Source({"kind": "search", "query": query})


class Search(FoundBySearch):
    kind = "search"
    panel, tab, tab_place = "search", "Search", 2
    template = "tool/_panel_search.html"
    ways = (
        Way(
            "search",
            help="{} that Zendesk's search finds.",
            argument={"metavar": "QUERY"},
            labels={AND: "Another search", NOT: "Those that a search finds"},
            empty="The search is empty. Say what to search for, such as --search 'status<solved'.",
        ),
    )

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        query = forms.CharField(
            label="A search",
            required=False,
            max_length=2_000,
            error_messages={
                "max_length": "The search is too long: it may have 2,000 characters.",
                "null_characters_not_allowed": "The search holds a character that is not text. Type it anew.",
            },
            help_text="As in Zendesk's search box, such as status:open created>2026-01-01.",
        )
        return {"search": query}

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        query: str = form.cleaned_data.get(way) or ""
        return search(query) if query else None

    def checked(self, source: Source, zendesk: Zendesk | None) -> Source:
        """Raises `ValidationError` when Zendesk does not understand the query."""
        query = source.stored["query"]
        try:
            if zendesk is None:
                suggestions.search_count(query).current()
            else:
                zendesk.search_count(query)
        except Refused as problem:
            raise ValidationError(f"Zendesk cannot search for this. {problem}", code="search") from problem
        except ZendeskError:
            if zendesk is not None:
                raise
            # A page does not wait for a late answer: the job itself waits for Zendesk as long as it takes.
        return source

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str]:
        return "search", stored["query"]

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        return {"kind": self.panel, "search": stored["query"]}

    def phrase(self, stored: Stored) -> str:
        return f"tickets found by “{stored['query']}”"

    def words(self, stored: Stored) -> str:
        return f"Found by the search {stored['query']}"

    def queries(self, stored: Stored) -> list[str]:
        return [stored["query"]]

    def equal_tags(self, stored: Stored) -> frozenset[str]:
        """Those of a search for tags alone; several widen it (article 4408886879258)."""
        words: list[str] = stored["query"].split()
        tags = [ONE_TAG.fullmatch(word) for word in words if word.lower() != "type:ticket"]
        named = [tag and (tag["quoted"] or tag["bare"]).lower() for tag in tags]
        return frozenset(filter(None, named)) if all(named) else frozenset()
