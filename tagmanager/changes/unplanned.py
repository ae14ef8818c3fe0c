"""What a job was to do to tickets that it never read: what its own request says, and nothing guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobs.followups import FollowUpPurpose, previous_results, purpose_of
from jobs.models import Job
from jobs.reports.exports import Asked, ToDo, planned
from jobs.states import FollowUp
from jobs.work import PreviousResult
from tagmanager.changes import guard_tag
from tagmanager.changes.job_options import JobOptions
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools import UnknownTool, tool
from tagmanager.tools.base import AsksAlike

UNKNOWN = ToDo(
    also="The ticket was not read, so what it was to gain and lose is not known. Follow the job up instead."
)
Requests = Sequence[tuple[int, Mapping[str, Any] | None]]


def asked(job: Job) -> Asked:
    """Tells what was to be done to tickets of the job, each with the request of its own."""
    purpose = purpose_of(job)
    if purpose.kind is FollowUp.NONE:
        return _by_tool(job)
    if purpose.kind is FollowUp.UNDO:
        return _by_earlier(purpose, _taken_back)
    guard = JobOptions.of(job).guard
    return _by_earlier(purpose, lambda earlier: _unguarded(earlier, guard))


def _by_tool(job: Job) -> Asked:
    params = job.tool_params
    try:
        maker: object = tool(job.tool)
    except UnknownTool:
        maker = None
    # Whether a ticket has what was asked of the job's tickets shows only when it is read.
    is_filtered = bool(JobOptions.of(job).only)

    def told(requests: Requests) -> dict[int, ToDo]:
        if is_filtered or not isinstance(maker, AsksAlike):
            return {ref: UNKNOWN for ref, _ in requests}
        return {ref: _as_told(_asked_by(maker, params | dict(given or {}))) for ref, given in requests}

    return told


def _asked_by(maker: AsksAlike, params: dict[str, Any]) -> TicketChange | None:
    try:
        return maker.asked_of(params)
    except LookupError:  # parameters that another release stored
        return None


def _as_told(change: TicketChange | None) -> ToDo:
    return UNKNOWN if change is None else planned(change.to_json())


def _by_earlier(
    purpose: FollowUpPurpose, change_for: Callable[[PreviousResult], TicketChange | None]
) -> Asked:
    def told(requests: Requests) -> dict[int, ToDo]:
        earlier = previous_results(purpose, [ref for ref, _ in requests])
        return {ref: _as_told(change_for(earlier[ref])) if ref in earlier else UNKNOWN for ref, _ in requests}

    return told


def _taken_back(earlier: PreviousResult) -> TicketChange | None:
    """What the earlier job did, the other way round. Its guard tag comes off in a job of its own."""
    if earlier.change is None or earlier.before is None:
        return TicketChange()
    done, before = TicketChange.from_json(earlier.change), TicketSnapshot.from_json(0, earlier.before)
    return TicketChange(
        done.remove,
        done.add,
        fields={name: before.fields.get(name) for name in done.fields},
        custom={number: before.custom.get(number) for number in done.custom},
    )


def _unguarded(earlier: PreviousResult, guard: str) -> TicketChange:
    found = guard_tag.unguarded(TicketSnapshot(0, frozenset({guard}), "", ""), earlier, guard)
    return found if isinstance(found, TicketChange) else TicketChange()
