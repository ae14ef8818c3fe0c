"""What in the account's configuration refers to tags, or acts on every change of a ticket."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jobs.reports.exports import escape_formula
from tagmanager.account import asking, connection
from tagmanager.account.asking import Known, Question
from tagmanager.account.parallel import Answers, ask_all
from zendesk import AutoRouting, NotAllowed, NotFound, Webhook, Zendesk
from zendesk.records.setup import TICKETS

#: Seconds. The configuration seldom changes, and reading it takes many calls.
CURRENT_SECONDS = 120.0
#: Seconds, where some of it could not be read just now.
INCOMPLETE_SECONDS = 10.0
#: The most calls: a token, one for each list, and further pages of the long ones.
MOST_CALLS = 30

Kind = Literal[
    "field",
    "trigger",
    "automation",
    "view",
    "macro",
    "SLA policy",
    "queue",
    "workspace",
    "deletion schedule",
]

#: The pages of Zendesk's Admin Center on which people edit them, relative to the account's address.
ADMIN_PATHS: dict[Kind, str] = {
    "field": "admin/objects-rules/tickets/ticket-fields",
    "trigger": "admin/objects-rules/rules/triggers",
    "automation": "admin/objects-rules/rules/automations",
    "view": "admin/workspaces/agent-workspace/views",
    "macro": "admin/workspaces/agent-workspace/macros",
}
#: The pages that list the others (developer.zendesk.com does not name a page for each).
LIST_PATHS: dict[Kind, str] = {
    "SLA policy": "admin/objects-rules/rules/slas",
    "queue": "admin/objects-rules/omnichannel-routing/queues",
    "workspace": "admin/workspaces/agent-workspace/contextual-workspaces",
    "deletion schedule": "admin/account/security/deletion-schedules",
}

#: The lists, by how people call them.
LISTS: dict[str, Callable[[Zendesk], Iterable[Any]]] = {
    "ticket fields": Zendesk.ticket_fields,
    "triggers": Zendesk.triggers,
    "automations": Zendesk.automations,
    "views": Zendesk.views,
    "macros": Zendesk.macros,
    "SLA policies": Zendesk.sla_policies,
    "queues": Zendesk.queues,
    "workspaces": Zendesk.workspaces,
    "deletion schedules": Zendesk.deletion_schedules,
    "webhooks": Zendesk.webhooks,
}
AUTO_ROUTING = "the auto-routing tag"
#: The kind of each list whose entries refer to tags.
KINDS: dict[str, Kind] = {
    "triggers": "trigger",
    "automations": "automation",
    "views": "view",
    "macros": "macro",
    "SLA policies": "SLA policy",
    "queues": "queue",
    "workspaces": "workspace",
    "deletion schedules": "deletion schedule",
}


@dataclass(frozen=True, slots=True)
class TagReference:
    """An active field, rule or other part of the configuration that refers to tags."""

    kind: Kind
    id: int | str
    title: str
    tags: frozenset[str]
    field_type: str = ""  # of a field: tagger, checkbox, multiselect

    @property
    def address(self) -> str:
        """The page on which people edit it, or that lists it."""
        if self.kind in LIST_PATHS:
            return f"{connection.address()}/{LIST_PATHS[self.kind]}"
        return f"{connection.address()}/{ADMIN_PATHS[self.kind]}/{self.id}"


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """What was read of the configuration, and what was not."""

    references: tuple[TagReference, ...] = ()
    deletion_schedules: tuple[str, ...] = ()  # titles of the active ones for tickets
    webhooks: tuple[Webhook, ...] = ()  # active ones that receive events of tickets
    auto_routing: AutoRouting | None = None  # None: not known
    withheld: tuple[str, ...] = ()  # lists that Zendesk does not show to the connected user
    failed: Mapping[str, str] | None = None  # why others could not be read now

    def references_to(self, tags: Iterable[str]) -> tuple[TagReference, ...]:
        """The references to any of `tags`, each with only those of its tags."""
        wanted = frozenset(tags)
        return tuple(
            TagReference(each.kind, each.id, each.title, each.tags & wanted, each.field_type)
            for each in self.references
            if each.tags & wanted
        )

    @property
    def gaps(self) -> list[str]:
        """A sentence for everything that is missing here."""
        said = [f"Zendesk does not show {_and(self.withheld)} to this user."] if self.withheld else []
        return [*said, *(f"The {name} could not be read. {why}" for name, why in (self.failed or {}).items())]


def account_setup() -> Known[AccountSetup]:
    """The configuration, cached for two minutes; a failure if none of it can be read."""
    return asking.ask(
        Question(
            "account-setup",
            _read_setup,
            most_calls=MOST_CALLS,
            lasts=lambda found: INCOMPLETE_SECONDS if found.failed else CURRENT_SECONDS,
        )
    )


def _read_setup(zendesk: Zendesk) -> AccountSetup:
    lists = {name: _all_of(read) for name, read in LISTS.items()}
    return _setup_of(ask_all(zendesk, {**lists, AUTO_ROUTING: _routing}))


def tag_references() -> tuple[TagReference, ...]:
    """All references in the account, as last read. Raises `NotConnected`, or `ZendeskError` if none were."""
    return account_setup().latest().references


def kinds_in_words(number: int, kind: str) -> str:
    """ "1 trigger", "2 SLA policies"."""
    several = f"{kind.removesuffix('y')}ies" if kind.endswith("cy") else f"{kind}s"
    return f"{number:,} {kind if number == 1 else several}"


def as_csv(found: Iterable[TagReference]) -> str:
    """One line per reference, for the person who edits them; tags are separated by spaces."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("kind", "id", "title", "tags", "address"))
    for each in found:
        line = (each.kind, each.id, each.title, " ".join(sorted(each.tags)), each.address)
        writer.writerow([escape_formula(cell) for cell in line])
    return buffer.getvalue()


def _all_of(read: Callable[[Zendesk], Iterable[Any]]) -> Callable[[Zendesk], list[Any]]:
    return lambda zendesk: list(read(zendesk))


def _routing(zendesk: Zendesk) -> AutoRouting:
    return zendesk.auto_routing()


def _setup_of(answers: Answers) -> AccountSetup:
    read = answers.read
    hidden = {name for name, why in answers.failed.items() if isinstance(why, NotAllowed | NotFound)}
    return AccountSetup(
        references=tuple(_references(read)),
        deletion_schedules=tuple(
            each.title for each in read.get("deletion schedules", ()) if each.active and _is_of_tickets(each)
        ),
        webhooks=tuple(each for each in read.get("webhooks", ()) if each.active and each.events),
        auto_routing=read.get(AUTO_ROUTING),
        withheld=tuple(name for name in (*LISTS, AUTO_ROUTING) if name in hidden),
        failed={name: str(why) for name, why in answers.failed.items() if name not in hidden},
    )


def _references(read: Mapping[str, Any]) -> Iterator[TagReference]:
    for field in read.get("ticket fields", ()):
        if field.active and field.tags:
            yield TagReference("field", field.id, field.title, field.tags, field.type)
    for name, kind in KINDS.items():
        for each in read.get(name, ()):
            if each.active and each.tags and _is_of_tickets(each):
                yield TagReference(kind, each.id, each.title, each.tags)


def _is_of_tickets(each: Any) -> bool:
    """Whether it is about tickets: deletion schedules may be about users."""
    return getattr(each, "object", "") in ("", TICKETS)


def _and(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
