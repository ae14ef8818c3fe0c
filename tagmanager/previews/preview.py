"""What a dry run says before anything is written: figures, and sample tickets with their tags."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from django.conf import settings
from django.db.models import Count

from jobs.formatting import time_left
from jobs.models import Item, Job
from jobs.presentation.job_actions import JOB_ACTIONS, needs_typed_number, warning
from jobs.states import FollowUp, Outcome
from jobs.templatetags.job_pages import fields_of
from tagmanager.account import connection
from tagmanager.account.status import ask, calls_per_minute
from tagmanager.changes.guard_tag import Condition
from tagmanager.changes.job_options import JobOptions
from tagmanager.macros.application import ASKED_AT_ONCE, Application, AppliedMacro
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools import macro_of, tool, tools
from tagmanager.tools.base import ReplacesTags, StartsElsewhere
from zendesk import Zendesk, ZendeskError

SAMPLES = 20
#: Of so many of them it is shown what a macro would say there: a call for each.
SAID = 5
#: Tickets in one call, and about how long Zendesk works on them, seconds (developer.zendesk.com, tickets).
BATCH, SECONDS_A_BATCH = 100, 10
#: Calls a minute that Zendesk's smallest plan with an API allows (developer.zendesk.com, rate limits).
FEWEST_CALLS = 200
#: The batches in flight are asked about together, about so often while they are worked on.
ASKED_A_ROUND = 4


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what the real run costs."""

    calls: int
    seconds: int

    @property
    def time(self) -> str:
        return time_left(self.seconds)


def estimate(tickets: int, *, asked_for_each: bool = False) -> Estimate:
    """For so many changes: batches of a hundred, so many in flight, within our share of the calls.

    Tickets that lack different tags travel in different batches, so it may be somewhat more. Where Zendesk is
    asked about each ticket what the macro makes of it, that is a call for each, when its list is read and
    again before it is changed, and one for the macro itself for each batch.
    """
    batches = ceil(tickets / (ASKED_AT_ONCE if asked_for_each else BATCH))
    rounds = ceil(batches / max(settings.ZENDESK_MAX_JOBS, 1))
    calls = batches + batches + rounds * ASKED_A_ROUND  # each ticket is read again before it is changed
    if asked_for_each:
        calls += 2 * (tickets + batches)
    ours = (calls_per_minute() or FEWEST_CALLS) * settings.ZENDESK_RATE_SHARE
    return Estimate(calls, max(rounds * SECONDS_A_BATCH, ceil(calls / ours * 60)))


@dataclass(frozen=True, slots=True)
class Preview:
    """The figures of an ended dry run."""

    job: Job
    must_type: bool
    warning: str  # what the real run sends to people outside; "" for nothing
    estimate: Estimate
    runs: list[Job]  # real runs of it, newest first
    nonce: str  # a double click makes one job
    has_pairs: bool  # it replaces tags, and `tallies_of` has figures
    found_at: str  # of a job that only reads: the name of the page that tells what it found
    guard: Condition | None  # to be copied into triggers


def _is_asked_for_each(job: Job) -> bool:
    macro = macro_of(job)
    return macro is not None and macro.is_asked_for_each


def preview_of(job: Job) -> Preview:
    """One query."""
    runs = list(job.children.filter(follow_up=FollowUp.RUN).order_by("-pk")[:3])
    return Preview(
        job,
        needs_typed_number(JOB_ACTIONS["run"], job, job.planned),
        warning(JOB_ACTIONS["run"], job, job.planned),
        estimate(job.planned, asked_for_each=_is_asked_for_each(job)),
        runs,
        secrets.token_urlsafe(24),
        has_pairs=bool(_pairs(job)),
        found_at=_found_at(job),
        guard=Condition(guard) if (guard := JobOptions.of(job).guard) else None,
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """One ticket and what would become of its tags and fields."""

    ref: int
    subject: str
    kept: list[str]
    added: list[str]
    removed: list[str]
    fields: list[str] = field(default_factory=list)  # a phrase for each: "status: open → solved"
    comment: str = ""  # as it would be posted on this ticket, where it is another on each


@dataclass(frozen=True, slots=True)
class Samples:
    """Some of the tickets; `problem` says why their subjects could not be read."""

    rows: list[Sample]
    problem: str = ""
    comment: str = ""  # what would be posted on each, where it is the same on all
    is_public: bool = False


def samples_of(job: Job) -> Samples:
    """The ten lowest and the ten highest numbers that would change, their subjects read from Zendesk now."""
    planned = job.items.filter(outcome=Outcome.PLANNED)
    first = list(planned.order_by("ref")[:SAMPLES])
    if len(first) == SAMPLES:
        known = {item.pk for item in first[: SAMPLES // 2]}
        last = [item for item in planned.order_by("-ref")[: SAMPLES // 2] if item.pk not in known]
        first = first[: SAMPLES // 2] + last[::-1]
    macro = macro_of(job)
    subjects: dict[int, str] = {}
    said: dict[int, str] = {}
    problem = ""
    try:
        tickets = ask(lambda zendesk: zendesk.tickets([item.ref for item in first]))
        subjects = {ticket.id: ticket.subject for ticket in tickets}
        if macro is not None and macro.comment is not None and macro.comment.differs:
            said = ask(lambda zendesk: _said(zendesk, macro, [item.ref for item in first[:SAID]]))
    except (connection.NotConnected, ZendeskError) as exc:
        problem = str(exc)
    rows = [_sample(item, job, subjects.get(item.ref, ""), said.get(item.ref, "")) for item in first]
    if macro is None or macro.comment is None:
        return Samples(rows, problem)
    same = "" if macro.comment.differs else macro.comment.plain
    return Samples(rows, problem, same, macro.comment.is_public)


def _said(zendesk: Zendesk, macro: AppliedMacro, refs: Iterable[int]) -> dict[int, str]:
    """What the macro would say on each of the tickets, as Zendesk fills it in now; shown, kept nowhere."""
    application = Application(zendesk, macro, ())
    found = {ref: application.comment_in(zendesk.preview_macro(macro.id, ref)) for ref in refs}
    return {ref: comment.plain for ref, comment in found.items() if comment is not None}


def _sample(item: Item, job: Job, subject: str, comment: str) -> Sample:
    seen = TicketSnapshot.from_json(item.ref, item.before or {"tags": [], "status": "", "updated_at": ""})
    change = TicketChange.from_json(item.change or {})
    return Sample(
        item.ref,
        subject,
        kept=sorted(seen.tags - change.remove),
        added=sorted(change.added),
        removed=sorted(change.remove),
        fields=fields_of(item, job),
        comment=comment,
    )


#: So many items are looked at for the tags that a job touches.
LOOKED_AT = 1_000


def touched(job: Job) -> TicketChange:
    """The tags that the dry run would add and remove, as far as its first items and its parameters show."""
    changes: Iterable[dict[str, list[str]] | None] = (
        job.items.filter(outcome=Outcome.PLANNED).order_by("ref").values_list("change", flat=True)[:LOOKED_AT]
    )
    pairs = _pairs(job)
    add = _named(job, "add") | {new for new in pairs.values() if new}
    remove = _named(job, "remove") | pairs.keys()
    for stored in changes:
        change = TicketChange.from_json(stored or {})
        add |= change.add
        remove |= change.remove
    return TicketChange(add, remove)


@dataclass(frozen=True, slots=True)
class Tally:
    """An old tag, what becomes of it ("": it is taken off), and on how many tickets."""

    old: str
    new: str
    tickets: int


def tallies_of(job: Job) -> list[Tally]:
    """For an ended dry run: each pair of a tool that replaces tags, the most tickets first; else none.

    A ticket with two old tags counts for both of their pairs.
    """
    pairs = _pairs(job)
    if not pairs:
        return []
    counts: Counter[str] = Counter()
    groups = (
        job.items.filter(outcome=Outcome.PLANNED)
        .order_by()
        .values_list("change")
        .annotate(number=Count("pk"))
    )
    for stored, number in groups.iterator():
        for tag in TicketChange.from_json(stored or {}).remove:
            counts[tag] += number
    found = [Tally(old, new, counts[old]) for old, new in pairs.items()]
    return sorted(found, key=lambda tally: (-tally.tickets, tally.old))


def _found_at(job: Job) -> str:
    if job.tool not in tools():
        return ""
    maker = tool(job.tool)
    return maker.starts_at if isinstance(maker, StartsElsewhere) else ""


def _pairs(job: Job) -> Mapping[str, str]:
    """What the job puts in the place of what; an undo goes the other way, ticket by ticket."""
    if job.follow_up == FollowUp.UNDO or job.tool not in tools():
        return {}
    maker = tool(job.tool)
    return maker.pairs_of(job.tool_params) if isinstance(maker, ReplacesTags) else {}


def _named(job: Job, name: str) -> frozenset[str]:
    value = job.tool_params.get(name)
    return frozenset(tag for tag in value if isinstance(tag, str)) if isinstance(value, list) else frozenset()
