"""An earlier job as the filling of its tool's form, to be run again or changed a little."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobs.models import Job
from jobs.selection import ITEMS, LISTED
from jobs.states import Outcome

#: More numbers than this are not put into a text box: the earlier job's tickets are named instead.
MOST_TYPED = 5_000


@dataclass(frozen=True, slots=True)
class Filling:
    """What each part of the form begins with."""

    tool: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def filling_of(job: Job) -> Filling:
    """What was asked for then, as people would type it."""
    params = {name: _typed(value) for name, value in job.params.items()}
    options = {
        "include_closed": bool(params.pop("include_closed", False)),
        "limit": job.limit,
        "canary": job.canary,
    }
    return Filling(params, _source(job), options)


def _typed(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return value


def _source(job: Job) -> dict[str, Any]:
    match job.source:
        case {"kind": "view", "id": number}:
            return {"kind": "view", "view": number}
        case {"kind": "search", "query": query}:
            return {"kind": "search", "search": query}
        case {"kind": "tag", "tag": tag}:
            return {"kind": "tag", "tag": tag}
        case {"kind": kind, "job": number, "outcomes": outcomes} if kind == ITEMS:
            return {"kind": "job", "job": number, "outcomes": outcomes}
        case {"kind": kind} if kind == LISTED:
            return _listed(job)
    return {}


def _listed(job: Job) -> dict[str, Any]:
    words: list[str] = []
    for refs in job.listed.order_by("number").values_list("refs", flat=True).iterator(chunk_size=1):
        words += refs.split()
        if len(words) > MOST_TYPED:
            return {"kind": "job", "job": job.pk, "outcomes": [str(outcome) for outcome in Outcome]}
    return {"kind": "ids", "ids": " ".join(words)}
