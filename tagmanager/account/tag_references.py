"""What the account's own set-up says about tags: the fields, rules, views and macros that name one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from jobs.reports.exports import escape_formula
from tagmanager.account import connection
from tagmanager.account.status import ask, kept
from zendesk import Macro, Rule, View, Zendesk

#: Seconds: what is set up changes seldom, and the answers are pages long.
KEPT_FOR = 120

Kind = Literal["field", "trigger", "automation", "view", "macro"]

#: Where a person finds one of a kind, below the account's address (the pages of Zendesk's Admin Center).
PLACES: dict[Kind, str] = {
    "field": "admin/objects-rules/tickets/ticket-fields",
    "trigger": "admin/objects-rules/rules/triggers",
    "automation": "admin/objects-rules/rules/automations",
    "view": "admin/workspaces/agent-workspace/views",
    "macro": "admin/workspaces/agent-workspace/macros",
}


@dataclass(frozen=True, slots=True)
class TagReference:
    """Something active in the account that names tags."""

    kind: Kind
    id: int
    title: str
    tags: frozenset[str]
    field_type: str = ""  # of a field: tagger, checkbox, multiselect

    @property
    def address(self) -> str:
        """The page on which a person changes it."""
        return f"{connection.address()}/{PLACES[self.kind]}/{self.id}"


def tag_references() -> tuple[TagReference, ...]:
    """All of the account, kept for two minutes; raises `NotConnected` or `ZendeskError`."""
    return kept(
        f"namings:{connection.address()}", lambda: tuple(ask(lambda z: [*_read(z)])), seconds=KEPT_FOR
    )


def references_to(tags: Iterable[str]) -> tuple[TagReference, ...]:
    """Those that name one of `tags`, narrowed to these."""
    wanted = frozenset(tags)
    return tuple(
        TagReference(each.kind, each.id, each.title, each.tags & wanted, each.field_type)
        for each in tag_references()
        if each.tags & wanted
    )


def as_csv(found: Iterable[TagReference]) -> str:
    """A line for each, for the person who is to change them; the tags are parted by blanks."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("kind", "id", "title", "tags", "address"))
    for each in found:
        line = (each.kind, each.id, each.title, " ".join(sorted(each.tags)), each.address)
        writer.writerow([escape_formula(cell) for cell in line])
    return buffer.getvalue()


def _read(zendesk: Zendesk) -> Iterator[TagReference]:
    for field in zendesk.ticket_fields():
        if field.active and field.tags:
            yield TagReference("field", field.id, field.title, field.tags, field.type)
    rules: dict[Kind, Iterable[Rule | View | Macro]] = {
        "trigger": zendesk.triggers(),
        "automation": zendesk.automations(),
        "view": zendesk.views(),
        "macro": zendesk.macros(),
    }
    for kind, found in rules.items():
        for rule in found:
            if rule.active and rule.tags:
                yield TagReference(kind, rule.id, rule.title, rule.tags)
