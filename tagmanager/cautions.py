"""What else a change of tags sets in motion: fields they belong to, rules that name them, other jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.models import Job
from jobs.overlaps import at_work_on_the_same
from jobs.states import Outcome
from tagmanager import connections
from tagmanager.glance import ask, kept
from tagmanager.previews import LOOKED_AT, touched
from tagmanager.tickets import TagChange
from tagmanager.tools.base import join
from zendesk import Rule, TicketField, ZendeskError

#: Seconds: fields and rules change seldom, and the answer is a page long.
KEPT_FOR = 120
#: More rules than this are counted, not named.
MOST_RULES = 10

#: What a tag of such a field does: when it is added, and when it is removed
#: (support.zendesk.com, articles 4408881943194 and 4408825689882).
FIELDS = {
    "tagger": ("the dropdown field", "sets that field to its option", "empties that field"),
    "checkbox": ("the checkbox field", "ticks that box", "unticks that box"),
    "multiselect": ("the multi-select field", "selects that option too", "takes that option out"),
}


@dataclass(frozen=True, slots=True)
class Caution:
    """A sentence, and where in Zendesk or here to look."""

    text: str
    address: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Cautions:
    """All that is worth knowing; `problem` says what could not be looked up."""

    all: list[Caution]
    problem: str = ""


def cautions_of(job: Job) -> Cautions:
    """For an ended dry run. Asks Zendesk for its fields and rules, where nobody has lately."""
    change = touched(job)
    ours = [*_partly_known(job), *_closed(job), *_jobs(job, change)]
    try:
        fields, triggers, automations = _surroundings()
    except (connections.NotConnected, ZendeskError) as problem:
        return Cautions(ours, str(problem))
    return Cautions(
        [
            *_fields(fields, change),
            *_rules("trigger", "triggers", triggers, change),
            *_rules("automation", "automations", automations, change),
            *ours,
        ]
    )


def _surroundings() -> tuple[list[TicketField], list[Rule], list[Rule]]:
    return kept(
        f"surroundings:{connections.address()}",
        lambda: ask(
            lambda z: (
                [field for field in z.ticket_fields() if field.active and field.tags],
                [rule for rule in z.triggers() if rule.active and rule.tags],
                [rule for rule in z.automations() if rule.active and rule.tags],
            )
        ),
        seconds=KEPT_FOR,
    )


def _fields(fields: list[TicketField], change: TagChange) -> Iterator[Caution]:
    for field in fields:
        if field.type not in FIELDS:
            continue
        what, on_add, on_remove = FIELDS[field.type]
        for verb, tags, effect in (
            ("adding", change.add & field.tags, on_add),
            ("removing", change.remove & field.tags, on_remove),
        ):
            if tags:
                each = "belongs" if len(tags) == 1 else "belong"
                it = "it" if len(tags) == 1 else "one of them"
                yield Caution(
                    f"{join(sorted(tags))} {each} to {what} “{field.title}”: {verb} {it} {effect} on "
                    "the ticket."
                )


def _rules(one: str, many: str, rules: list[Rule], change: TagChange) -> Iterator[Caution]:
    """Active ones that name a tag in their conditions or actions."""
    concerned = [(rule, rule.tags & (change.add | change.remove)) for rule in rules]
    concerned = [(rule, tags) for rule, tags in concerned if tags]
    for rule, tags in concerned[:MOST_RULES]:
        yield Caution(
            f"The {one} “{rule.title}” names {join(sorted(tags))}, so it may act on these tickets or stop "
            "doing so.",
            f"{connections.address()}/admin/objects-rules/rules/{many}/{rule.id}",
            f"Open the {one} in Zendesk",
        )
    if len(concerned) > MOST_RULES:
        yield Caution(f"{len(concerned) - MOST_RULES:,} more {many} name these tags.")


def _partly_known(job: Job) -> Iterator[Caution]:
    """When all tags are replaced, each ticket alone knows which of its own vanish."""
    if job.params.get("set") and job.planned > LOOKED_AT:
        yield Caution(
            f"Of the tags that would vanish only those of the first {LOOKED_AT:,} tickets were looked at. "
            "Fields and rules that name tags of the others may be concerned as well."
        )


def _closed(job: Job) -> Iterator[Caution]:
    closed = job.items.filter(outcome=Outcome.SKIPPED, reason="closed").count() if job.skipped else 0
    if closed:
        yield Caution(
            f"{closed:,} closed ticket{' is' if closed == 1 else 's are'} left out. Zendesk lets closed "
            "tickets be changed only where the account allows it; the option “Include closed tickets” takes "
            "them in."
        )
    if job.params.get("include_closed"):
        yield Caution(
            "Closed tickets are included. They fail, with Zendesk's words, unless the account allows closed "
            "tickets to be changed."
        )


def _jobs(job: Job, change: TagChange) -> Iterator[Caution]:
    """Others at work on the same tickets, and those whose list depends on the tags that change."""
    for other in at_work_on_the_same(job):
        yield Caution(
            f"Job {other.pk} is at work on some of the same tickets: {other.title}. Where the two contradict "
            "each other, wait until it has ended.",
            other.get_absolute_url(),
            f"See job {other.pk}",
        )
    reading = Job.objects.active().filter(frozen_at__isnull=True, source__kind="tag").exclude(pk=job.pk)
    for other in reading[:MOST_RULES]:
        if (tag := other.source["tag"]) in change.add | change.remove:
            yield Caution(
                f"Job {other.pk} has still to read its list, the tickets tagged {tag}, and this change makes "
                "that list another one. Wait until its list is complete.",
                other.get_absolute_url(),
                f"See job {other.pk}",
            )
