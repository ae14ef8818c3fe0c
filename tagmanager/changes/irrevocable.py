"""What an undo of a job cannot bring back, counted from the tickets as they were read."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Q

from jobs.models import Job
from jobs.states import Outcome
from tagmanager.changes.undo import NEW, STATUS_FIELDS
from tagmanager.ticket_change import SETTABLE
from tagmanager.tools import tool, tools
from tagmanager.tools.base import SetsFields

#: Fields that Zendesk may not take null for: whether it does is not documented.
EMPTIED = ("type", "priority", "group_id", "assignee_id")


def undo_limits(job: Job, outcomes: Collection[Outcome]) -> list[str]:
    """Sentences on the items with these outcomes that an undo cannot bring back; one query, or none.

    The job has made the changes, or would make them (a dry run).
    """
    if job.tool not in tools() or not isinstance(chosen := tool(job.tool), SetsFields):
        return []
    names = list(chosen.fields_of(job.tool_params))
    sets_status = Q()
    for name in (name for name in names if name in STATUS_FIELDS):
        sets_status |= Q(change__fields__has_key=name)
    wanted = {
        name: Q(**{"change__fields__has_key": name, f"before__fields__{name}": None})
        for name in names
        if name in EMPTIED
    }
    if sets_status:
        wanted[NEW] = sets_status & Q(before__status=NEW)
    if not wanted:
        return []
    items = job.items.filter(outcome__in=outcomes)
    found: dict[str, int] = items.aggregate(
        **{f"n_{name}": Count("pk", filter=condition) for name, condition in wanted.items()}
    )
    counted = {name: found[f"n_{name}"] for name in wanted if found[f"n_{name}"]}
    say = _foreseen if job.dry_run else _told
    return [say(name, number) for name, number in sorted(counted.items(), key=lambda pair: pair[0] != NEW)]


def _foreseen(name: str, number: int) -> str:
    are, have = ("is", "has") if number == 1 else ("are", "have")
    if name == NEW:
        return f"{number:,} of these tickets {are} new: no undo can make {_them(number)} new again."
    return (
        f"{number:,} of these tickets {have} no {SETTABLE[name]}: an undo can empty the field only where "
        "Zendesk allows that."
    )


def _told(name: str, number: int) -> str:
    tickets = "1 ticket" if number == 1 else f"{number:,} tickets"
    if name == NEW:
        were = "was new; it" if number == 1 else "were new; they"
        return f"{tickets} {were} cannot become new again. The rest of the change is taken back."
    return (
        f"{tickets} had no {SETTABLE[name]}. Where Zendesk does not empty the field again, the ticket counts "
        "as failed, with the reason."
    )


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
