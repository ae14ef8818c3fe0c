"""An earlier job as the filling of its tool's form, to be run again or changed a little."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobs.models import Job
from jobs.recipe import ITEMS, LISTED
from jobs.states import FollowUp, Guarded, Outcome
from tagmanager.forms import OWN
from tagmanager.guarding import GUARD
from tagmanager.sources import ALL
from tagmanager.tools import tool
from tagmanager.tools.base import ChoosesTickets, ToolForm

#: More numbers than this are not put into a text box: the earlier job's tickets are named instead.
MOST_TYPED = 5_000


@dataclass(frozen=True, slots=True)
class Filling:
    """What each part of the form begins with."""

    tool: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def filling_of(job: Job) -> Filling:
    """What was asked for then, as people would type it; of the real run of a preview what the preview was."""
    if job.follow_up == FollowUp.RUN and job.parent is not None:
        job = job.parent
    params = dict(job.params)
    options = {
        "include_closed": bool(params.pop("include_closed", False)),
        "guard": params.pop(GUARD, ""),
        "guard_stays": job.guarded == Guarded.STAYS,
        "limit": job.limit,
        "canary": job.canary,
    }
    chosen = tool(job.tool)
    if chosen.form_class.lists_tickets:
        return Filling(_rows(job, chosen.form_class), {}, options)
    says_which = isinstance(chosen, ChoosesTickets) and chosen.source_for(params).stored == job.source
    source = {"kind": OWN} if says_which else _source(job)
    return Filling(chosen.form_class.filling(params), source, options)


def _rows(job: Job, form: type[ToolForm]) -> dict[str, Any]:
    """The rows as they were given; too many for a text box are given anew as a file."""
    if job.source.get("kind") != LISTED or (job.source.get("number") or 0) > MOST_TYPED:
        return {}
    rows = job.listed.order_by("number")
    return form.refilled([(ref, given) for row in rows for ref, given in row.pairs if given is not None])


def _source(job: Job) -> dict[str, Any]:
    match job.source:
        case {"kind": "view", "id": number}:
            filled = {"kind": "view", "view": number}
        case {"kind": "search", "query": query}:
            filled = {"kind": "search", "search": query}
        case {"kind": "tag", "tag": tag}:
            filled = {"kind": "tag", "tag": tag}
        case {"kind": kind} if kind == ALL:
            filled = {"kind": "all", "all_tickets": True}
        case {"kind": kind} if kind == LISTED:
            filled = _listed(job)
        # The form has no place for the cause of a failure; without it these would be other tickets.
        case {"kind": kind, "job": number, "outcomes": outcomes} if kind == ITEMS and not job.source.get(
            "reason"
        ):
            filled = {"kind": "job", "job": number, "outcomes": outcomes}
        case _:
            filled = {}
    return filled


def _listed(job: Job) -> dict[str, Any]:
    words: list[str] = []
    for refs in job.listed.order_by("number").values_list("refs", flat=True).iterator(chunk_size=1):
        words += refs.split()
        if len(words) > MOST_TYPED:
            return {"kind": "job", "job": job.pk, "outcomes": [str(outcome) for outcome in Outcome]}
    return {"kind": "ids", "ids": " ".join(words)}
