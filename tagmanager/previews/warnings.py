"""What a person should know before a real run: side effects, special tickets, other jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from jobs.guards.overlaps import overlapping_jobs
from jobs.models import Job
from jobs.source_spec import SourceSpec
from jobs.states import Outcome
from tagmanager.account import connection
from tagmanager.account.status import account_status
from tagmanager.account.tag_references import AccountSetup, account_setup
from tagmanager.changes import closed_tickets, irrevocable
from tagmanager.changes.ai_agents import AI_AGENT
from tagmanager.changes.closed_tickets import ARCHIVED, CLOSED
from tagmanager.changes.job_options import JobOptions
from tagmanager.previews.side_effects import MAX_LISTED, PreviewWarning, side_effects
from tagmanager.previews.tag_changes import MAX_CHANGES_READ, affected_tags
from tagmanager.ticket_change import TicketChange
from tagmanager.tools.base import join
from zendesk import ZendeskError

#: Warnings shown without unfolding.
SHOWN_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class PreviewWarnings:
    """All warnings, those about tickets first; `problem` says why references to tags could not be read."""

    all: list[PreviewWarning]
    problem: str = ""
    names_tags: bool = False  # something in the account refers to the tags
    gaps: tuple[str, ...] = ()  # a sentence for each part of the account that could not be looked up
    is_pending: bool = False  # asking again in a moment helps
    at: datetime | None = None  # when the account was looked at

    @property
    def first(self) -> list[PreviewWarning]:
        """Those that the page shows at once."""
        return self.all[:SHOWN_AT_ONCE]

    @property
    def others(self) -> list[PreviewWarning]:
        """Those that the page folds away, so that the summary below stays in sight."""
        return self.all[SHOWN_AT_ONCE:]


def warnings_of(job: Job) -> PreviewWarnings:
    """The warnings about an ended dry run. Reads the references to tags from Zendesk, unless cached."""
    change = affected_tags(job)
    own = [
        *_partly_known(job),
        *_undo_limits(job),
        *_closed(job),
        *_ai_agent(job),
        *_overlapping_jobs(job, change),
    ]
    known = account_setup()
    try:
        setup = known.latest()
    except (connection.NotConnected, ZendeskError) as problem:
        effects = [*own, *side_effects(job, change, AccountSetup())]
        return PreviewWarnings(effects, str(problem), is_pending=known.is_pending)
    found = setup.references_to(change.add | change.remove)
    about_tags = replace(setup, references=found)
    return PreviewWarnings(
        [*own, *side_effects(job, change, about_tags), *_unused_guard_tag(job, setup)],
        names_tags=bool(found),
        gaps=tuple(setup.gaps),
        is_pending=known.is_pending,
        at=known.at,
    )


def _unused_guard_tag(job: Job, setup: AccountSetup) -> Iterator[PreviewWarning]:
    """A guard tag has no effect unless triggers check for it."""
    tag = JobOptions.of(job).guard
    if tag and not any(each.kind == "trigger" for each in setup.references_to([tag])):
        yield PreviewWarning(
            f"No active trigger names the guard tag {tag}, so none leaves this change alone yet. The "
            "condition to add is below."
        )


def _partly_known(job: Job) -> Iterator[PreviewWarning]:
    """With `set`, each ticket loses other tags, and only some of the tickets were read."""
    if job.tool_params.get("set") and job.planned > MAX_CHANGES_READ:
        yield PreviewWarning(
            f"Of the tags that would vanish only those of the first {MAX_CHANGES_READ:,} tickets were looked "
            "at. Fields and rules that name tags of the others may be concerned as well."
        )


def _undo_limits(job: Job) -> Iterator[PreviewWarning]:
    yield from map(PreviewWarning, irrevocable.undo_limits(job, [Outcome.PLANNED]))


def _closed(job: Job) -> Iterator[PreviewWarning]:
    left_out = job.items.filter(outcome=Outcome.SKIPPED, reason=CLOSED).count() if job.skipped else 0
    if left_out:
        yield PreviewWarning(
            f"{left_out:,} closed ticket{' is' if left_out == 1 else 's are'} left out. Zendesk lets closed "
            "tickets be changed only where the account allows it; the option “Include closed tickets” takes "
            "them in.",
            tickets={"outcome": Outcome.SKIPPED.value, "reason": CLOSED},
        )
    if number := job.kinds.get(CLOSED, 0):
        archived = job.kinds.get(ARCHIVED, 0)
        yield PreviewWarning(
            f"{number:,} of the tickets that will change {'is' if number == 1 else 'are'} closed"
            f"{f', {archived:,} of them archived for certain' if archived else ''}. One is tried first: "
            "where Zendesk refuses it, no other closed one is sent, and the job says what to allow.",
            tickets=_first_closed(job),
        )
        yield from _not_admin()


def _ai_agent(job: Job) -> Iterator[PreviewWarning]:
    number = job.kinds.get(AI_AGENT, 0)
    if not number:
        return
    held = job.items.filter(outcome=Outcome.PLANNED, before__ai_agent=True).order_by("ref")
    shown = list(held.values_list("ref", flat=True)[:MAX_LISTED])
    more = f" and {number - len(shown):,} more" if number > len(shown) else ""
    yield PreviewWarning(
        f"An AI agent handles {number:,} of the tickets that would change: "
        f"{', '.join(map(str, shown))}{more}. Zendesk keeps such tickets read-only until a person takes "
        "over. Each one that it refuses fails alone. To leave them out, tick “Leave out tickets that an AI "
        "agent handles”.",
        tickets=_ticket(shown[0]) if shown else {},
    )


def _first_closed(job: Job) -> dict[str, str]:
    """Narrows the job to a closed ticket that will change, if one is among the first of them."""
    first = job.items.filter(outcome=Outcome.PLANNED).order_by("ref")[:MAX_CHANGES_READ]
    for ref, before in first.values_list("ref", "before"):
        if (before or {}).get("status") == "closed":
            return _ticket(ref)
    return {}


def _ticket(ref: int) -> dict[str, str]:
    return {"outcome": Outcome.PLANNED.value, "find": str(ref)}


def _not_admin() -> Iterator[PreviewWarning]:
    if why := closed_tickets.why_not_as(account_status()):
        yield PreviewWarning(f"{why} Connect as an admin, or leave the closed ones out.")


def _overlapping_jobs(job: Job, change: TicketChange) -> Iterator[PreviewWarning]:
    """Jobs on the same tickets, and jobs that select tickets by the tags that change."""
    for other in overlapping_jobs(job):
        yield PreviewWarning(
            f"Job {other.pk} is at work on some of the same tickets: {other.title}. Where the two contradict "
            "each other, wait until it has ended.",
            other.get_absolute_url(),
            f"See job {other.pk}",
        )
    reading = Job.objects.active().filter(frozen_at__isnull=True).exclude(pk=job.pk).order_by("pk")
    for other in reading[:MAX_LISTED]:
        if tags := _selecting_tags(other) & (change.add | change.remove):
            yield PreviewWarning(
                f"Job {other.pk} has still to read its list, which hangs on {join(sorted(tags))}, and this "
                "change makes that list another one. Wait until its list is complete.",
                other.get_absolute_url(),
                f"See job {other.pk}",
            )


def _selecting_tags(job: Job) -> frozenset[str]:
    """The tags by which the job selects its tickets."""
    only, parts = JobOptions.of(job).only, SourceSpec.read(job.source).parts
    named = {tag for part in parts for tag in (part.get("tag", ""), *part.get("tags", ())) if tag}
    return only.having | only.lacking | named
