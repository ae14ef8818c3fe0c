"""The tags that a dry run would change, and how many tickets each replacement concerns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from jobs.models import Job
from jobs.states import FollowUp, Outcome
from tagmanager.changes.job_options import JobOptions
from tagmanager.ticket_change import FieldValue, TicketChange
from tagmanager.tools import tool, tools
from tagmanager.tools.base import ReplacesTags

#: How many items are read to find the tags that a job touches.
MAX_CHANGES_READ = 1_000


def affected_tags(job: Job) -> TicketChange:
    """The tags and fields that the dry run would change, by its parameters and its first items.

    Of a comment only that there is one.
    """
    changes: Iterable[dict[str, Any] | None] = (
        job.items.filter(outcome=Outcome.PLANNED)
        .order_by("ref")
        .values_list("change", flat=True)[:MAX_CHANGES_READ]
    )
    pairs = replacements(job)
    add = _tags_in_params(job, "add") | {new for new in pairs.values() if new}
    remove = _tags_in_params(job, "remove") | pairs.keys()
    fields: dict[str, FieldValue] = {}
    comment = ""
    for stored in changes:
        change = TicketChange.from_json(stored or {})
        add |= change.add
        remove |= change.remove
        fields |= change.fields
        comment = comment or change.comment
    return TicketChange(add, remove, fields=fields, guard=JobOptions.of(job).guard, comment=comment)


@dataclass(frozen=True, slots=True)
class PairCount:
    """An old tag, its replacement ("" if it is removed), and the number of tickets."""

    old: str
    new: str
    tickets: int


def pair_counts(job: Job) -> list[PairCount]:
    """The pairs of an ended dry run that replaces tags, most tickets first; empty for other tools.

    A ticket with two old tags counts for both pairs.
    """
    pairs = replacements(job)
    if not pairs:
        return []
    counts: Counter[str] = Counter()
    groups = (
        job.items.filter(outcome=Outcome.PLANNED)
        .order_by()
        .values_list("change")
        .annotate(number=Count("pk"))
    )
    for stored, number in groups:
        for tag in TicketChange.from_json(stored or {}).remove:
            counts[tag] += number
    found = [PairCount(old, new, counts[old]) for old, new in pairs.items()]
    return sorted(found, key=lambda tally: (-tally.tickets, tally.old))


def replacements(job: Job) -> Mapping[str, str]:
    """The job's replacement for each old tag; none for an undo, which restores each ticket's own tags."""
    if job.follow_up == FollowUp.UNDO or job.tool not in tools():
        return {}
    job_tool = tool(job.tool)
    return job_tool.pairs_of(job.tool_params) if isinstance(job_tool, ReplacesTags) else {}


def _tags_in_params(job: Job, name: str) -> frozenset[str]:
    value = job.tool_params.get(name)
    return frozenset(tag for tag in value if isinstance(tag, str)) if isinstance(value, list) else frozenset()
