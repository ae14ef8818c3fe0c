"""An earlier job as the filling of its tool's form, to be run again or changed a little."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobs.models import Job
from jobs.source_spec import ITEMS, LISTED, SourceSpec, Stored
from jobs.states import FollowUp, Guarded, Outcome
from tagmanager.changes.job_options import JobOptions
from tagmanager.forms.job_form import OWN
from tagmanager.intake.sources import ALL
from tagmanager.intake.ticket_filter import TicketFilter
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
    params, asked = job.tool_params, JobOptions.of(job)
    options = {
        "include_closed": asked.include_closed,
        "guard": asked.guard,
        "guard_stays": job.guarded == Guarded.STAYS,
        "limit": job.limit,
        "canary": job.canary,
    }
    chosen = tool(job.tool)
    if chosen.form_class.lists_tickets:
        return Filling(_rows(job, chosen.form_class), {}, options)
    spec = SourceSpec.read(job.source)
    says_which = isinstance(chosen, ChoosesTickets) and chosen.source_for(params).stored == spec.of[0]
    source = _sources(job, spec, is_own=says_which) | _only(asked.only)
    options["order"] = str(spec.order)
    return Filling(chosen.form_class.filling(params), source, options)


def _rows(job: Job, form: type[ToolForm]) -> dict[str, Any]:
    """The rows as they were given; too many for a text box are given anew as a file."""
    if job.source.get("kind") != LISTED or (job.source.get("number") or 0) > MOST_TYPED:
        return {}
    rows = job.listed.order_by("number")
    return form.refilled([(ref, given) for row in rows for ref, given in row.pairs if given is not None])


def _only(only: TicketFilter) -> dict[str, Any]:
    filled = {"having": " ".join(sorted(only.having)), "lacking": " ".join(sorted(only.lacking))}
    return filled | {"status": sorted(only.statuses)}


def _sources(job: Job, spec: SourceSpec, *, is_own: bool) -> dict[str, Any]:
    """All parts of the source, each in its field; the job's own tickets where the page has no such field."""
    filled: dict[str, Any] = {"kind": OWN} if is_own else _source(job, spec.of[0], 0)
    if spec.is_plain:
        return filled
    for number, part in list(enumerate(spec.parts))[1:]:
        prefix = "and-" if number < len(spec.of) else "not-"
        fields = _source(job, part, number)
        kind, outcomes = fields.pop("kind", ""), fields.pop("outcomes", Outcome)
        named = {f"{prefix}{name}": value for name, value in fields.items()}
        if not _fits(part, kind) or len(outcomes) < len(Outcome) or named.keys() & filled.keys():
            return _itself(job)
        filled |= named
    return filled if _fits(spec.of[0], filled.get("kind", "")) else _itself(job)


def _fits(source: Stored, kind: str) -> bool:
    """Whether the page has a field for this part; numbers that are too many for one are named otherwise."""
    return kind not in ("", "all") and not (source["kind"] == LISTED and kind == "job")


def _itself(job: Job) -> dict[str, Any]:
    return {"kind": "job", "job": job.pk, "outcomes": [str(outcome) for outcome in Outcome]}


def _source(job: Job, source: Stored, part: int) -> dict[str, Any]:
    match source:
        case {"kind": "view", "id": number}:
            filled = {"kind": "view", "view": number}
        case {"kind": "search", "query": query}:
            filled = {"kind": "search", "search": query}
        case {"kind": "tag", "tag": tag}:
            filled = {"kind": "tag", "tag": tag}
        case {"kind": kind} if kind == ALL:
            filled = {"kind": "all", "all_tickets": True}
        case {"kind": kind} if kind == LISTED:
            filled = _listed(job, part)
        # The form has no place for the cause of a failure; without it these would be other tickets.
        case {"kind": kind, "job": number, "outcomes": outcomes} if kind == ITEMS and not source.get(
            "reason"
        ):
            filled = {"kind": "job", "job": number, "outcomes": outcomes}
        case _:
            filled = {}
    return filled


def _listed(job: Job, part: int) -> dict[str, Any]:
    words: list[str] = []
    rows = job.listed.filter(part=part).order_by("number")
    for refs in rows.values_list("refs", flat=True).iterator(chunk_size=1):
        words += refs.split()
        if len(words) > MOST_TYPED:
            return _itself(job)
    return {"kind": "ids", "ids": " ".join(words)}
