"""The figures of a dry run, shown before anything is written."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from jobs.models import Job
from jobs.presentation.job_actions import JOB_ACTIONS, needs_typed_number, warning
from jobs.presentation.outcomes import Count, outcome_counts
from jobs.states import FollowUp, Outcome
from tagmanager.changes.guard_tag import Condition
from tagmanager.changes.job_options import JobOptions
from tagmanager.previews.estimate import Estimate, estimate
from tagmanager.previews.tag_changes import replacements
from tagmanager.tools import macro_of, tool, tools
from tagmanager.tools.base import StartsElsewhere

#: Outcomes that a preview shows even when their count is 0.
ALWAYS_SHOWN = (Outcome.PLANNED, Outcome.UNCHANGED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class Preview:
    """The figures of an ended dry run."""

    job: Job
    must_type: bool
    warning: str  # about e-mail to customers; "" for none
    counts: list[Count]  # the summary: the three outcomes of a preview, and others that occur
    estimate: Estimate
    runs: list[Job]  # real runs of it, newest first
    nonce: str  # so that a double click creates only one job
    has_pairs: bool  # it replaces tags, and `pair_counts` has figures
    found_at: str  # for a job that only reads: the URL name of the page with its results
    guard: Condition | None  # to copy into triggers


def _previews_each_ticket(job: Job) -> bool:
    macro = macro_of(job)
    return macro is not None and macro.is_asked_for_each


def preview_of(job: Job) -> Preview:
    """The preview of an ended dry run; takes one database query."""
    runs = list(job.children.filter(follow_up=FollowUp.RUN).order_by("-pk")[:3])
    return Preview(
        job,
        needs_typed_number(JOB_ACTIONS["run"], job, job.planned),
        warning(JOB_ACTIONS["run"], job, job.planned),
        [each for each in outcome_counts(job) if each.number or each.outcome in ALWAYS_SHOWN],
        estimate(job.planned, asked_for_each=_previews_each_ticket(job)),
        runs,
        secrets.token_urlsafe(24),
        has_pairs=bool(replacements(job)),
        found_at=_results_page(job),
        guard=Condition(guard) if (guard := JobOptions.of(job).guard) else None,
    )


def _results_page(job: Job) -> str:
    if job.tool not in tools():
        return ""
    job_tool = tool(job.tool)
    return job_tool.starts_at if isinstance(job_tool, StartsElsewhere) else ""
