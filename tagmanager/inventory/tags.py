"""All tags of the account, with their numbers of tickets and the references to them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import blake2s
from urllib.parse import quote

from django.core.cache import cache

from jobs.reports.exports import escape_formula
from tagmanager.account import connection
from tagmanager.account.tag_references import TagReference, account_setup, kinds_in_words
from tagmanager.intake.sources import tag_query
from tagmanager.inventory import similar_tags
from tagmanager.inventory.tag_counts import TagLists
from zendesk import ZendeskError, normalise

#: Which tags to show, with labels for people.
FILTERS = {
    "": "All",
    "unused": "On no ticket",
    "named": "Named in rules or fields",
    "unnamed": "Named nowhere",
    "alike": "Alike",
}
#: Sort orders, with labels for people.
SORT_ORDERS = {"tickets": "Most tickets first", "rare": "Fewest tickets first", "name": "By name"}
#: Seconds. The same tags always have the same groups, so the result does not age.
GROUPS_CACHE_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of the inventory."""

    name: str
    tickets: int  # according to `TagLists.by`
    recent: int | None  # in the last 60 days, according to Zendesk's own list; None: not listed
    named_in: tuple[TagReference, ...]

    @property
    def is_somewhere(self) -> bool:
        """Whether any ticket may have it."""
        return bool(self.tickets or self.recent)

    @property
    def kinds(self) -> str:
        """The references to it, counted by kind: "2 triggers, 1 view"."""
        numbers = Counter(each.kind for each in self.named_in)
        return ", ".join(kinds_in_words(number, kind) for kind, number in numbers.items())

    @property
    def tickets_address(self) -> str:
        """Zendesk's search page for the tickets that have it."""
        return f"{connection.address()}/agent/search/1?type=ticket&q={quote(tag_query(self.name), safe='')}"


class Inventory:
    """The tags of some lists, with the references to them."""

    def __init__(self, found: TagLists) -> None:
        self.lists = found
        self.problem = ""  # why the references could not be read
        self.gaps: list[str] = []  # a sentence for each part of them that could not
        self._references = self._references_by_tag()

    @cached_property
    def tags(self) -> list[Tag]:
        """All tags in a list or in a reference, sorted by name."""
        by = self.lists.by.counts if self.lists.by else {}
        own = self.lists.own.counts if self.lists.own else {}
        names = sorted({*by, *own, *self._references})
        return [
            Tag(name, by.get(name, 0), own.get(name), tuple(self._references.get(name, ()))) for name in names
        ]

    def filtered(self, what: str = "", text: str = "", order: str = "tickets") -> list[Tag]:
        """The tags of a kind in `FILTERS` that contain the text, or match it if it has * or ?."""
        keep, wanted = FILTER_PREDICATES[what], normalise(text.strip())
        fits = _name_matcher(wanted)
        return sorted((tag for tag in self.tags if keep(tag) and fits(tag.name)), key=SORT_KEYS[order])

    def groups(self, text: str = "") -> list[list[Tag]]:
        """Groups of similar tags: in each the most used first, and the groups with most to gain first."""
        fits = _name_matcher(normalise(text.strip()))
        by_name = {tag.name: tag for tag in self.tags}
        groups = [
            sorted((by_name[name] for name in group), key=SORT_KEYS["tickets"])
            for group in similar_names(list(by_name))
            if any(map(fits, group))
        ]
        return sorted(groups, key=lambda group: (-group[1].tickets, -group[0].tickets, group[0].name))

    def _references_by_tag(self) -> Mapping[str, list[TagReference]]:
        found: dict[str, list[TagReference]] = defaultdict(list)
        try:
            setup = account_setup().latest()
            self.gaps = setup.gaps
            for each in setup.references:
                for tag in each.tags:
                    found[tag].append(each)
        except (connection.NotConnected, ZendeskError) as problem:
            self.problem = str(problem)
        return found


FILTER_PREDICATES: dict[str, Callable[[Tag], bool]] = {
    "": lambda _: True,
    "unused": lambda tag: not tag.tickets,
    "named": lambda tag: bool(tag.named_in),
    "unnamed": lambda tag: not tag.named_in,
}
SORT_KEYS: dict[str, Callable[[Tag], tuple[int | str, ...]]] = {
    "tickets": lambda tag: (-tag.tickets, tag.name),
    "rare": lambda tag: (tag.tickets, tag.name),
    "name": lambda tag: (tag.name,),
}


def similar_names(names: Sequence[str]) -> list[list[str]]:
    """Groups of similar names, cached for all people."""
    digest = blake2s(" ".join(names).encode(), digest_size=16).hexdigest()
    key = f"similar-tags:{digest}"
    found: list[list[str]] | None = cache.get(key)
    if found is None:
        found = similar_tags.similar_groups(names)
        cache.set(key, found, GROUPS_CACHE_SECONDS)
    return found


def as_csv(tags: Iterable[Tag], lists: TagLists) -> str:
    """One line per tag, each with how far the numbers reach."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    reach = _reach(lists)
    writer.writerow(("tag", "tickets", "tickets_60_days", "named_in", *reach))
    for tag in tags:
        named = "; ".join(f"{each.kind}: {each.title}" for each in tag.named_in)
        line = (tag.name, tag.tickets, "" if tag.recent is None else tag.recent, named, *reach.values())
        writer.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in line])
    return buffer.getvalue()


def as_json(tags: Iterable[Tag], lists: TagLists) -> str:
    """An object per tag, each with how far the numbers reach."""
    reach = _reach(lists)
    return json.dumps([_object(tag) | reach for tag in tags], ensure_ascii=False, indent=1)


def _reach(lists: TagLists) -> dict[str, object]:
    """From when to when the tickets were counted, and whether that is all of them.

    Zendesk's own list never is. `reached_at`: the moment up to which a count has every change.
    """
    full = lists.full
    moments = (full.counted_from, full.counted_at, full.reached_at) if full else (None, None, None)
    began, ended, reached = (_iso(moment) for moment in moments)
    return {
        "counted_from": began,
        "counted_to": ended,
        "reached_at": reached,
        "complete": bool(full and full.is_whole),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


def _object(tag: Tag) -> dict[str, object]:
    named = [
        {"kind": each.kind, "id": each.id, "title": each.title, "address": each.address}
        for each in tag.named_in
    ]
    return {"tag": tag.name, "tickets": tag.tickets, "tickets_60_days": tag.recent, "named_in": named}


def groups_as_csv(groups: Iterable[Sequence[Tag]]) -> str:
    """One line per tag, with the number of its group."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("group", "tag", "tickets"))
    for number, group in enumerate(groups, 1):
        writer.writerows((number, escape_formula(tag.name), tag.tickets) for tag in group)
    return buffer.getvalue()


def groups_as_json(groups: Iterable[Sequence[Tag]]) -> str:
    records = [[{"tag": tag.name, "tickets": tag.tickets} for tag in group] for group in groups]
    return json.dumps(records, ensure_ascii=False, indent=1)


def _name_matcher(wanted: str) -> Callable[[str], bool]:
    if "*" in wanted or "?" in wanted:
        return lambda name: fnmatchcase(name, wanted)
    return lambda name: wanted in name
