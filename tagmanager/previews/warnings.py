"""What else a change of tags sets in motion: fields they belong to, rules that name them, other jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jobs.guards.overlaps import overlapping_jobs
from jobs.models import Job
from jobs.source_spec import SourceSpec
from jobs.states import Outcome
from tagmanager.account import connection
from tagmanager.account.status import account_status
from tagmanager.account.tag_references import Kind, TagReference, references_to
from tagmanager.changes import closed_tickets
from tagmanager.changes.closed_tickets import ARCHIVED, CLOSED
from tagmanager.changes.job_options import JobOptions
from tagmanager.previews.preview import LOOKED_AT, touched
from tagmanager.ticket_change import TicketChange
from tagmanager.tools.base import join
from zendesk import ZendeskError

#: More of a kind than this are counted, not named.
MOST_RULES = 10

#: What a tag of such a field does: when it is added, and when it is removed
#: (support.zendesk.com, articles 4408881943194 and 4408825689882).
FIELDS = {
    "tagger": ("the dropdown field", "sets that field to its option", "empties that field"),
    "checkbox": ("the checkbox field", "ticks that box", "unticks that box"),
    "multiselect": ("the multi-select field", "selects that option too", "takes that option out"),
}

#: What may come of it that one of a kind names a tag; the kinds in the order in which they are told.
RULES: dict[Kind, str] = {
    "trigger": ", so it may act on these tickets or stop doing so.",
    "automation": ", so it may act on these tickets or stop doing so.",
    "view": ", so these tickets may enter it or leave it.",
    "macro": ", and goes on doing so wherever it is applied.",
}


@dataclass(frozen=True, slots=True)
class PreviewWarning:
    """A sentence, and where in Zendesk or here to look."""

    text: str
    address: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class PreviewWarnings:
    """All that is worth knowing; `problem` says what could not be looked up."""

    all: list[PreviewWarning]
    problem: str = ""
    names_tags: bool = False  # there is something in the account that names the tags


def warnings_of(job: Job) -> PreviewWarnings:
    """For an ended dry run. Asks Zendesk for what names tags there, where nobody has lately."""
    change = touched(job)
    ours = [*_partly_known(job), *_closed(job), *_jobs(job, change)]
    try:
        found = references_to(change.add | change.remove)
    except (connection.NotConnected, ZendeskError) as problem:
        return PreviewWarnings(ours, str(problem))
    return PreviewWarnings(
        [*_fields(found, change), *_rules(found), *_unguarded(job), *ours],
        names_tags=bool(found),
    )


def _fields(found: Iterable[TagReference], change: TicketChange) -> Iterator[PreviewWarning]:
    fields = [each for each in found if each.field_type in FIELDS]
    for field in fields[:MOST_RULES]:
        what, on_add, on_remove = FIELDS[field.field_type]
        for verb, tags, effect in (
            ("adding", change.add & field.tags, on_add),
            ("removing", change.remove & field.tags, on_remove),
        ):
            if tags:
                each = "belongs" if len(tags) == 1 else "belong"
                it = "it" if len(tags) == 1 else "one of them"
                yield PreviewWarning(
                    f"{join(sorted(tags))} {each} to {what} “{field.title}”: {verb} {it} {effect} on "
                    "the ticket.",
                    field.address,
                    "Open the field in Zendesk",
                )
    if len(fields) > MOST_RULES:
        yield PreviewWarning(f"{len(fields) - MOST_RULES:,} more fields have options with these tags.")


def _rules(found: Iterable[TagReference]) -> Iterator[PreviewWarning]:
    """Those that name a tag in their conditions or actions."""
    for kind, consequence in RULES.items():
        concerned = [each for each in found if each.kind == kind]
        for each in concerned[:MOST_RULES]:
            yield PreviewWarning(
                f"The {kind} “{each.title}” names {join(sorted(each.tags))}{consequence}",
                each.address,
                f"Open the {kind} in Zendesk",
            )
        if len(concerned) > MOST_RULES:
            yield PreviewWarning(f"{len(concerned) - MOST_RULES:,} more {kind}s name these tags.")


def _unguarded(job: Job) -> Iterator[PreviewWarning]:
    """A guard tag that no trigger knows guards nothing."""
    tag = JobOptions.of(job).guard
    if tag and not any(each.kind == "trigger" for each in references_to([tag])):
        yield PreviewWarning(
            f"No active trigger names the guard tag {tag}, so none leaves this change alone yet. The "
            "condition to add is below."
        )


def _partly_known(job: Job) -> Iterator[PreviewWarning]:
    """When all tags are replaced, each ticket alone knows which of its own vanish."""
    if job.tool_params.get("set") and job.planned > LOOKED_AT:
        yield PreviewWarning(
            f"Of the tags that would vanish only those of the first {LOOKED_AT:,} tickets were looked at. "
            "Fields and rules that name tags of the others may be concerned as well."
        )


def _closed(job: Job) -> Iterator[PreviewWarning]:
    left_out = job.items.filter(outcome=Outcome.SKIPPED, reason=CLOSED).count() if job.skipped else 0
    if left_out:
        yield PreviewWarning(
            f"{left_out:,} closed ticket{' is' if left_out == 1 else 's are'} left out. Zendesk lets closed "
            "tickets be changed only where the account allows it; the option “Include closed tickets” takes "
            "them in."
        )
    if number := job.kinds.get(CLOSED, 0):
        archived = job.kinds.get(ARCHIVED, 0)
        yield PreviewWarning(
            f"{number:,} of the tickets that would change {'is' if number == 1 else 'are'} closed"
            f"{f', {archived:,} of them archived for certain' if archived else ''}. One is tried first: "
            "where Zendesk refuses it, no other closed one is sent, and the job says what to allow."
        )
        yield from _no_admin()


def _no_admin() -> Iterator[PreviewWarning]:
    if why := closed_tickets.why_not_as(account_status()):
        yield PreviewWarning(f"{why} Connect as an admin, or leave the closed ones out.")


def _jobs(job: Job, change: TicketChange) -> Iterator[PreviewWarning]:
    """Others at work on the same tickets, and those whose list depends on the tags that change."""
    for other in overlapping_jobs(job):
        yield PreviewWarning(
            f"Job {other.pk} is at work on some of the same tickets: {other.title}. Where the two contradict "
            "each other, wait until it has ended.",
            other.get_absolute_url(),
            f"See job {other.pk}",
        )
    reading = Job.objects.active().filter(frozen_at__isnull=True).exclude(pk=job.pk).order_by("pk")
    for other in reading[:MOST_RULES]:
        if tags := _tags_that_choose(other) & (change.add | change.remove):
            yield PreviewWarning(
                f"Job {other.pk} has still to read its list, which hangs on {join(sorted(tags))}, and this "
                "change makes that list another one. Wait until its list is complete.",
                other.get_absolute_url(),
                f"See job {other.pk}",
            )


def _tags_that_choose(job: Job) -> frozenset[str]:
    """The tags by which the job's tickets are chosen."""
    only, parts = JobOptions.of(job).only, SourceSpec.read(job.source).parts
    named = {tag for part in parts for tag in (part.get("tag", ""), *part.get("tags", ())) if tag}
    return only.having | only.lacking | named
