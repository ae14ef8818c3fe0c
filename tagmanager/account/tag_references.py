"""References to tags in the account's configuration: fields, rules, views and macros."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from jobs.reports.exports import escape_formula
from tagmanager.account import connection
from tagmanager.account.queries import cached, query
from zendesk import Macro, Rule, View, Zendesk

#: Seconds. The configuration seldom changes, and reading it takes many calls.
CACHE_SECONDS = 120

Kind = Literal["field", "trigger", "automation", "view", "macro"]

#: The pages of Zendesk's Admin Center on which people edit them, relative to the account's address.
ADMIN_PATHS: dict[Kind, str] = {
    "field": "admin/objects-rules/tickets/ticket-fields",
    "trigger": "admin/objects-rules/rules/triggers",
    "automation": "admin/objects-rules/rules/automations",
    "view": "admin/workspaces/agent-workspace/views",
    "macro": "admin/workspaces/agent-workspace/macros",
}


@dataclass(frozen=True, slots=True)
class TagReference:
    """An active field, rule, view or macro that refers to tags."""

    kind: Kind
    id: int
    title: str
    tags: frozenset[str]
    field_type: str = ""  # of a field: tagger, checkbox, multiselect

    @property
    def address(self) -> str:
        """The page on which people edit it."""
        return f"{connection.address()}/{ADMIN_PATHS[self.kind]}/{self.id}"


def tag_references() -> tuple[TagReference, ...]:
    """All references in the account, cached for two minutes. Raises `NotConnected` or `ZendeskError`."""
    return cached(
        f"tag-references:{connection.address()}",
        lambda: tuple(query(lambda z: [*_read(z)])),
        seconds=CACHE_SECONDS,
    )


def references_to(tags: Iterable[str]) -> tuple[TagReference, ...]:
    """The references to any of `tags`, each with only those of its tags."""
    wanted = frozenset(tags)
    return tuple(
        TagReference(each.kind, each.id, each.title, each.tags & wanted, each.field_type)
        for each in tag_references()
        if each.tags & wanted
    )


def as_csv(found: Iterable[TagReference]) -> str:
    """One line per reference, for the person who edits them; tags are separated by spaces."""
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
