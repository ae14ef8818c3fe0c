"""Sample tickets of a dry run, with the changes to their tags and fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from jobs.models import Item, Job
from jobs.states import Outcome
from jobs.templatetags.job_pages import fields_of
from tagmanager.account import connection
from tagmanager.account.queries import query
from tagmanager.macros.application import Application, AppliedMacro
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools import macro_of
from zendesk import Zendesk, ZendeskError

MAX_SAMPLES = 20


#: How many samples show what a macro would write: each costs a call.
MAX_COMMENTS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """One ticket, with the changes to its tags and fields."""

    ref: int
    subject: str
    kept: list[str]
    added: list[str]
    removed: list[str]
    fields: list[str] = field(default_factory=list)  # a phrase for each: "status: open → solved"
    comment: str = ""  # as it would be posted, if it differs between tickets


@dataclass(frozen=True, slots=True)
class Samples:
    """Some of the tickets; `problem` says why Zendesk could not be read."""

    rows: list[Sample]
    problem: str = ""
    comment: str = ""  # as it would be posted, if it is the same on all tickets
    is_public: bool = False


def samples_of(job: Job) -> Samples:
    """The ten tickets with the lowest and the ten with the highest ids that would change.

    Reads their subjects from Zendesk.
    """
    planned = job.items.filter(outcome=Outcome.PLANNED)
    first = list(planned.order_by("ref")[:MAX_SAMPLES])
    if len(first) == MAX_SAMPLES:
        known = {item.pk for item in first[: MAX_SAMPLES // 2]}
        last = [item for item in planned.order_by("-ref")[: MAX_SAMPLES // 2] if item.pk not in known]
        first = first[: MAX_SAMPLES // 2] + last[::-1]
    macro = macro_of(job)
    subjects: dict[int, str] = {}
    said: dict[int, str] = {}
    problem = ""
    try:
        tickets = query(lambda zendesk: zendesk.tickets([item.ref for item in first]))
        subjects = {ticket.id: ticket.subject for ticket in tickets}
        if macro is not None and macro.comment is not None and macro.comment.differs:
            said = query(
                lambda zendesk: _comments(zendesk, macro, [item.ref for item in first[:MAX_COMMENTS]])
            )
    except (connection.NotConnected, ZendeskError) as exc:
        problem = str(exc)
    rows = [_sample(item, job, subjects.get(item.ref, ""), said.get(item.ref, "")) for item in first]
    if macro is None or macro.comment is None:
        return Samples(rows, problem)
    same = "" if macro.comment.differs else macro.comment.plain
    return Samples(rows, problem, same, macro.comment.is_public)


def _comments(zendesk: Zendesk, macro: AppliedMacro, refs: Iterable[int]) -> dict[int, str]:
    """The macro's comment on each ticket, with Zendesk's placeholders filled in; never stored."""
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
