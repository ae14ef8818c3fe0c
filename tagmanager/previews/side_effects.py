"""What a change sets in motion in the account: fields, rules, routing, deletion, receivers of events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from jobs.common.formatting import some
from jobs.models import Job
from jobs.states import Guarded, Outcome
from tagmanager.account.tag_references import AccountSetup, Kind, TagReference, kinds_in_words
from tagmanager.previews.estimate import estimate
from tagmanager.ticket_change import TicketChange
from tagmanager.tools.base import join
from zendesk.records.setup import AUTO_ROUTING

#: More of one kind are only counted.
MAX_LISTED = 10

#: By type of field: its name, and the effect of adding and of removing one of its tags
#: (support.zendesk.com, articles 4408881943194 and 4408825689882).
FIELD_EFFECTS = {
    "tagger": ("the dropdown field", "sets that field to its option", "empties that field"),
    "checkbox": ("the checkbox field", "ticks that box", "unticks that box"),
    "multiselect": ("the multi-select field", "selects that option too", "takes that option out"),
}

#: The possible consequence for each kind of reference, in the order of the page.
RULE_CONSEQUENCES: dict[Kind, str] = {
    "trigger": ", so it may act on these tickets or stop doing so.",
    "automation": ", so it may act on these tickets or stop doing so.",
    "view": ", so these tickets may enter it or leave it.",
    "macro": ", and goes on doing so wherever it is applied.",
    "SLA policy": ", so these tickets may come under it or leave it, and their targets change.",
    "queue": ", so these tickets may be routed into it or out of it.",
    "workspace": ", so agents may see these tickets with other macros, apps and forms.",
    "deletion schedule": ", so it may delete these tickets or spare them. Deleted tickets cannot be "
    "restored, and no undo brings them back.",
}

#: The event of a ticket that each field sends when it changes (developer.zendesk.com, webhook event types).
EVENTS_OF_FIELDS = {
    "status": "status_changed",
    "custom_status_id": "custom_status_changed",
    "type": "type_changed",
    "priority": "priority_changed",
    "group_id": "group_assignment_changed",
    "assignee_id": "agent_assignment_changed",
    "problem_id": "problem_link_changed",
    "due_at": "task_due_at_changed",
}
#: When Zendesk stops calling a webhook: so many errors, or so large a part of its calls, in this many minutes
#: (developer.zendesk.com, monitoring webhooks).
BREAKER_ERRORS, BREAKER_PERCENT, BREAKER_MINUTES = 1_000, 70, 5
#: Tags that intelligent triage writes beside its fields (support.zendesk.com, article 4550640560538).
TRIAGE_TAG = re.compile(r"(intent|language|sentiment)__.")


@dataclass(frozen=True, slots=True)
class PreviewWarning:
    """A sentence, with a link to a page in Zendesk or here, and another to tickets that it is about."""

    text: str
    address: str = ""
    link: str = ""
    tickets: Mapping[str, str] = field(default_factory=dict)  # parameters that narrow the job's tickets

    @property
    def query(self) -> str:
        """`tickets` as the query of the job's page; "" where no ticket can be shown."""
        return urlencode(self.tickets)


def side_effects(job: Job, change: TicketChange, setup: AccountSetup) -> Iterator[PreviewWarning]:
    """What the change would do beyond the tickets' tags; `setup` has the references to these tags alone."""
    yield from _fields(setup.references, change)
    yield from _rules(setup.references)
    yield from _auto_routing(change, setup)
    yield from _triage(change, setup)
    yield from _deletion_clock(setup)
    yield from _webhooks(job, change, setup)


def _fields(found: Iterable[TagReference], change: TicketChange) -> Iterator[PreviewWarning]:
    fields = [each for each in found if each.field_type in FIELD_EFFECTS]
    for found_field in fields[:MAX_LISTED]:
        what, on_add, on_remove = FIELD_EFFECTS[found_field.field_type]
        for verb, tags, effect in (
            ("adding", change.add & found_field.tags, on_add),
            ("removing", change.remove & found_field.tags, on_remove),
        ):
            if tags:
                each = "belongs" if len(tags) == 1 else "belong"
                it = "it" if len(tags) == 1 else "one of them"
                yield PreviewWarning(
                    f"{join(sorted(tags))} {each} to {what} “{found_field.title}”: {verb} {it} {effect} on "
                    "the ticket.",
                    found_field.address,
                    "Open the field in Zendesk",
                    _with_tag(tags),
                )
    if len(fields) > MAX_LISTED:
        yield PreviewWarning(f"{len(fields) - MAX_LISTED:,} more fields have options with these tags.")


def _with_tag(tags: Iterable[str]) -> dict[str, str]:
    """Narrows a job to tickets that will change and have, gain or lose the first of these tags."""
    return {"outcome": Outcome.PLANNED.value, "find": min(tags)}


def _rules(found: Iterable[TagReference]) -> Iterator[PreviewWarning]:
    """Triggers, automations, views and macros that refer to a tag."""
    for kind, consequence in RULE_CONSEQUENCES.items():
        concerned = [each for each in found if each.kind == kind]
        for each in concerned[:MAX_LISTED]:
            yield PreviewWarning(
                f"The {kind} “{each.title}” names {join(sorted(each.tags))}{consequence}",
                each.address,
                f"Open the {kind} in Zendesk",
                _with_tag(each.tags),
            )
        if len(concerned) > MAX_LISTED:
            yield PreviewWarning(
                f"{kinds_in_words(len(concerned) - MAX_LISTED, f'more {kind}')} name these tags."
            )


def _auto_routing(change: TicketChange, setup: AccountSetup) -> Iterator[PreviewWarning]:
    """A tag that makes new and open tickets from e-mail routable (support.zendesk.com, 4828787357210)."""
    known = setup.auto_routing
    if known is not None and not known.enabled:
        return
    tag = known.tag if known else AUTO_ROUTING
    what = "is the account's auto-routing tag" if known else "is the usual auto-routing tag of Zendesk"
    if tag in change.added:
        yield PreviewWarning(
            f"{tag} {what}: adding it makes new and open e-mail tickets routable at once, so "
            "Zendesk assigns them to agents."
        )
    if tag in change.remove:
        yield PreviewWarning(f"{tag} {what}: removing it takes e-mail tickets out of the routing.")


def _triage(change: TicketChange, setup: AccountSetup) -> Iterator[PreviewWarning]:
    """Tags beside fields; those that are a field's own option change the field along with the tag."""
    own = {tag for each in setup.references if each.kind == "field" for tag in each.tags}
    tags = sorted(tag for tag in (change.add | change.remove) - own if TRIAGE_TAG.match(tag))
    if tags:
        mirrors = "mirrors a field" if len(tags) == 1 else "mirror fields"
        yield PreviewWarning(
            f"{join(tags)} {mirrors} of intelligent triage. This changes the tag alone, so tag and field no "
            "longer agree."
        )


def _deletion_clock(setup: AccountSetup) -> Iterator[PreviewWarning]:
    """Schedules count from the last change of a closed ticket (support.zendesk.com, 6388012977306)."""
    titles = setup.deletion_schedules
    if titles:
        named = ", ".join(f"“{title}”" for title in titles[:MAX_LISTED])
        schedule = "The deletion schedule" if len(titles) == 1 else f"{len(titles):,} deletion schedules"
        count = "counts" if len(titles) == 1 else "count"
        named = f"{schedule} {named}" if len(titles) == 1 else f"{schedule} ({named})"
        yield PreviewWarning(
            f"{named} {count} from a ticket's last change, so this change restarts the clock of closed "
            "tickets."
        )


def _webhooks(job: Job, change: TicketChange, setup: AccountSetup) -> Iterator[PreviewWarning]:
    """Receivers of events: each ticket sends one for each thing that changes."""
    sent = _events(change, setup)
    receivers = [(hook, hook.events & sent) for hook in setup.webhooks if hook.events & sent]
    if not receivers:
        return
    seconds = max(estimate(job.planned).seconds, 1)
    is_guarded = job.guarded == Guarded.UNTIL_END
    for hook, events in receivers[:MAX_LISTED]:
        number = job.planned * (len(events) + (is_guarded and "tags_changed" in events))
        pace = f", about {_rounded(number * 3600 // seconds):,} an hour" if number > BREAKER_ERRORS else ""
        yield PreviewWarning(
            f"The webhook “{hook.name}” receives {some(number, 'event')} of these tickets{pace}. Zendesk "
            f"stops calling it for a while after {BREAKER_ERRORS:,} errors in {BREAKER_MINUTES} minutes, or "
            f"if {BREAKER_PERCENT} % of the calls fail. A guard tag does not stop these events."
        )
    if len(receivers) > MAX_LISTED:
        more = some(len(receivers) - MAX_LISTED, "more webhook receives", "more webhooks receive")
        yield PreviewWarning(f"{more} events of these tickets.")


def _events(change: TicketChange, setup: AccountSetup) -> set[str]:
    """The events that a ticket sends with this change."""
    events = {EVENTS_OF_FIELDS[name] for name in change.fields if name in EVENTS_OF_FIELDS}
    if change.added or change.remove:
        events.add("tags_changed")
    if any(each.kind == "field" for each in setup.references):
        events.add("custom_field_changed")
    if change.comment:
        events.add("comment_added")
    return events


def _rounded(number: int) -> int:
    """To two digits: more would mislead."""
    digits = max(len(str(number)) - 2, 0)
    return round(number, -digits)
