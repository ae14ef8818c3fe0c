"""Pause, resume, cancel and the follow-ups: GET asks to confirm, with the counts; POST acts."""

from __future__ import annotations

import secrets
from hashlib import blake2s

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs import actions
from jobs.actors import person
from jobs.common.input import storable
from jobs.guards.overlaps import overlapping_jobs
from jobs.models import Job
from jobs.presentation.job_actions import (
    CLOSED_FIELD,
    JOB_ACTIONS,
    PERFORM,
    TYPED_FIELD,
    FollowUpAction,
    JobAction,
    counts_of,
    needs_typed_number,
    typed_number_problem,
    undo_limits,
    warning,
    what_stays,
    why_unavailable,
)
from jobs.reports.failure_reasons import reason_in
from jobs.states import FollowUp, Status
from jobs.views import saved_form
from jobs.views.inline_run import may_run_here, run_inline
from jobs.views.job_detail import job_or_404
from jobs.views.permissions import ACT, SEE, allowed, signed_in

NONCE_LENGTH = 64


@require_http_methods(["GET", "HEAD", "POST"])
@allowed(SEE, ACT)
@never_cache
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Ask to confirm on GET, act on POST. What does not fit the job any more is reported on its page."""
    job, action = job_or_404(pk), JOB_ACTIONS[name]
    if request.method != "POST":
        return _ask(request, job, action)
    if problem := _typed_problem(request, job, action):
        return _ask(request, job, action, problem=problem)
    try:
        if isinstance(action, FollowUpAction):
            job = _follow_up(request, job, action)
        else:
            PERFORM[name](job, person(signed_in(request)), request.POST)
    except actions.NotPossible as problem:
        messages.warning(request, str(problem))
    else:
        messages.success(request, _done_message(job, action))
    return redirect(job)


def _done_message(job: Job, action: JobAction) -> str:
    """What was done; a pause that is complete already comes with the way back."""
    if action.name == "pause":
        job.refresh_from_db(fields=["status"])
        if job.status == Status.PAUSED:
            resume = reverse("jobs:resume", args=[job.pk])
            return format_html('Paused. <a id="undo-pause" href="{}" data-one-click>Resume</a>', resume)
    return action.done_message


def _ask(request: HttpRequest, job: Job, action: JobAction, *, problem: str = "") -> HttpResponse:
    """The page that confirms; with a `problem` it is shown again with everything that was sent."""
    typed = saved_form.take(request)
    sent = request.POST if problem else typed or request.GET
    reason = reason_in(sent) if isinstance(action, FollowUpAction) else ""
    counts = counts_of(job, action, reason=reason)
    context = {
        "job": job,
        "action": action,
        "why_unavailable": why_unavailable(job, action),
        "counts": counts,
        "earlier": _earlier_follow_up(job, action),
        "others": overlapping_jobs(job) if isinstance(action, FollowUpAction) else [],
        "reason": reason,
        "nonce": (_posted_nonce(request) if problem else "") or secrets.token_urlsafe(24),
        "template": f"jobs/ask/{action.name}.html",
        "may_force": action.name == "cancel" and actions.can_abandon(job),
        "types": needs_typed_number(action, job, counts.affected),
        "warning": warning(action, job, counts.affected),
        "stays": what_stays(action, job),
        "limits": undo_limits(action, job),
        "typed": sent.get(TYPED_FIELD, "") if problem or typed else "",
        "problem": problem,
        "may_include_closed": action.name == "undo" and not job.chosen_options.get(CLOSED_FIELD),
        "includes_closed": CLOSED_FIELD in sent,
        "is_back": bool(typed),
    }
    return render(request, "jobs/ask.html", context, status=422 if problem else 200)


def _earlier_follow_up(job: Job, action: JobAction) -> Job | None:
    """The newest job that has done this already or is doing it."""
    if not isinstance(action, FollowUpAction):
        return None
    vain = (Status.CANCELLED, Status.ERRORED)
    return job.children.filter(follow_up=action.kind).exclude(status__in=vain).order_by("-pk").first()


def _typed_problem(request: HttpRequest, job: Job, action: JobAction) -> str:
    """What is wrong with the number that confirms a large follow-up; "" if nothing, or if none is needed."""
    if not isinstance(action, FollowUpAction) or why_unavailable(job, action):
        return ""
    number = counts_of(job, action, reason=reason_in(request.POST)).affected
    if not needs_typed_number(action, job, number):
        return ""
    return typed_number_problem(request.POST.get(TYPED_FIELD, ""), number)


def _follow_up(request: HttpRequest, job: Job, action: FollowUpAction) -> Job:
    """Make the new job; a small one runs at once, and a worker goes on if it takes longer than expected."""
    reason = reason_in(request.POST)
    number = counts_of(job, action, reason=reason).affected
    if reason and not number:
        raise actions.NotPossible(f"Job {job.pk} has no ticket that failed for this reason.")
    made = actions.follow_up(
        job=job,
        kind=action.kind,
        by=person(signed_in(request)),
        reason=reason,
        here=number <= settings.SYNC_TICKET_LIMIT and may_run_here(),
        options=_options(request, action),
        nonce=_nonce(request, job, action),
    )
    if made.token:
        run_inline(made)
    return made.job


def _options(request: HttpRequest, action: FollowUpAction) -> dict[str, bool]:
    """What is asked of the new job other than of the earlier one."""
    ticked = action.kind is FollowUp.UNDO and CLOSED_FIELD in request.POST
    return {CLOSED_FIELD: True} if ticked else {}


def _posted_nonce(request: HttpRequest) -> str:
    return storable(request.POST.get("nonce", ""), NONCE_LENGTH)


def _nonce(request: HttpRequest, job: Job, action: JobAction) -> str | None:
    """What makes a page that is sent twice one job: its nonce, for this person, job and action alone.

    The nonce of another page is thus another one, and never answers with what that page made.
    """
    if not (posted := _posted_nonce(request)):
        return None
    bound = (signed_in(request).pk, job.pk, action.name, posted)
    return blake2s(repr(bound).encode(), digest_size=24).hexdigest()
