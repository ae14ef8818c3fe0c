"""All tags of the account: on how many tickets each is, and what in the account's set-up names it."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import blake2s
from urllib.parse import quote

from jobs.reports.exports import escape_formula
from tagmanager.account import connection
from tagmanager.account.status import kept
from tagmanager.account.tag_references import TagReference, tag_references
from tagmanager.intake.sources import tag_query
from tagmanager.inventory import similar_tags
from tagmanager.inventory.tag_counts import TagLists
from zendesk import ZendeskError, normalise

#: What of the tags is shown, and how people call it.
SHOWN = {
    "": "All",
    "unused": "On no ticket",
    "named": "Named in rules or fields",
    "unnamed": "Named nowhere",
    "alike": "Alike",
}
#: Orders, and how people call them.
ORDERS = {"tickets": "Most tickets first", "rare": "Fewest tickets first", "name": "By name"}
#: Seconds; the same tags have the same groups, however old they are.
GROUPS_KEPT = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag; the names of the first three are those of the exports."""

    name: str
    tickets: int  # by the list that is gone by
    recent: int | None  # by Zendesk's own list, of the last 60 days; None: it is not there
    named_in: tuple[TagReference, ...]

    @property
    def is_somewhere(self) -> bool:
        """Whether there may be tickets to change."""
        return bool(self.tickets or self.recent)

    @property
    def kinds(self) -> str:
        """What names it, counted: "2 triggers, 1 view"."""
        numbers = Counter(each.kind for each in self.named_in)
        return ", ".join(f"{number:,} {kind}{'' if number == 1 else 's'}" for kind, number in numbers.items())

    @property
    def tickets_address(self) -> str:
        """Zendesk's page of the tickets that carry it."""
        return f"{connection.address()}/agent/search/1?type=ticket&q={quote(tag_query(self.name), safe='')}"


class Inventory:
    """The tags of some lists, with what names them."""

    def __init__(self, found: TagLists) -> None:
        self.lists = found
        self.problem = ""  # why nothing is known of what names the tags
        self._naming = self._named()

    @cached_property
    def tags(self) -> list[Tag]:
        """All that are in a list or named, by name."""
        by = self.lists.by.counts if self.lists.by else {}
        own = self.lists.own.counts if self.lists.own else {}
        names = sorted({*by, *own, *self._naming})
        return [
            Tag(name, by.get(name, 0), own.get(name), tuple(self._naming.get(name, ()))) for name in names
        ]

    def shown(self, what: str = "", text: str = "", order: str = "tickets") -> list[Tag]:
        """Those of a kind in `SHOWN` in which the text occurs, or that match it where it has * or ?."""
        keep, wanted = KEPT[what], normalise(text.strip())
        fits = _fitting(wanted)
        return sorted((tag for tag in self.tags if keep(tag) and fits(tag.name)), key=KEYS[order])

    def groups(self, text: str = "") -> list[list[Tag]]:
        """Tags that most likely mean the same, the most used of each group first; the largest gain first."""
        fits = _fitting(normalise(text.strip()))
        by_name = {tag.name: tag for tag in self.tags}
        groups = [
            sorted((by_name[name] for name in group), key=KEYS["tickets"])
            for group in groups_of(list(by_name))
            if any(map(fits, group))
        ]
        return sorted(groups, key=lambda group: (-group[1].tickets, -group[0].tickets, group[0].name))

    def _named(self) -> Mapping[str, list[TagReference]]:
        found: dict[str, list[TagReference]] = defaultdict(list)
        try:
            for each in tag_references():
                for tag in each.tags:
                    found[tag].append(each)
        except (connection.NotConnected, ZendeskError) as problem:
            self.problem = str(problem)
        return found


KEPT: dict[str, Callable[[Tag], bool]] = {
    "": lambda _: True,
    "unused": lambda tag: not tag.tickets,
    "named": lambda tag: bool(tag.named_in),
    "unnamed": lambda tag: not tag.named_in,
}
KEYS: dict[str, Callable[[Tag], tuple[int | str, ...]]] = {
    "tickets": lambda tag: (-tag.tickets, tag.name),
    "rare": lambda tag: (tag.tickets, tag.name),
    "name": lambda tag: (tag.name,),
}


def groups_of(names: Sequence[str]) -> list[list[str]]:
    """Names that are alike; found once for the same names, however many people look."""
    digest = blake2s(" ".join(names).encode(), digest_size=16).hexdigest()
    return kept(f"alike:{digest}", lambda: similar_tags.similar_groups(names), seconds=GROUPS_KEPT)


def as_csv(tags: Iterable[Tag]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("tag", "tickets", "tickets_60_days", "named_in"))
    for tag in tags:
        named = "; ".join(f"{each.kind}: {each.title}" for each in tag.named_in)
        line = (tag.name, tag.tickets, "" if tag.recent is None else tag.recent, named)
        writer.writerow([escape_formula(cell) for cell in line])
    return buffer.getvalue()


def as_json(tags: Iterable[Tag]) -> str:
    return json.dumps([_object(tag) for tag in tags], ensure_ascii=False, indent=1)


def _object(tag: Tag) -> dict[str, object]:
    named = [
        {"kind": each.kind, "id": each.id, "title": each.title, "address": each.address}
        for each in tag.named_in
    ]
    return {"tag": tag.name, "tickets": tag.tickets, "tickets_60_days": tag.recent, "named_in": named}


def groups_as_csv(groups: Iterable[Sequence[Tag]]) -> str:
    """A line for each tag; those of one group have its number."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("group", "tag", "tickets"))
    for number, group in enumerate(groups, 1):
        writer.writerows((number, escape_formula(tag.name), tag.tickets) for tag in group)
    return buffer.getvalue()


def groups_as_json(groups: Iterable[Sequence[Tag]]) -> str:
    told = [[{"tag": tag.name, "tickets": tag.tickets} for tag in group] for group in groups]
    return json.dumps(told, ensure_ascii=False, indent=1)


def _fitting(wanted: str) -> Callable[[str], bool]:
    if "*" in wanted or "?" in wanted:
        return lambda name: fnmatchcase(name, wanted)
    return lambda name: wanted in name
