"""Pausing, resuming or cancelling chosen jobs: a page that confirms, then one transaction per job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from jobs import actions
from jobs.actors import person
from jobs.common.formatting import some
from jobs.common.input import whole_number
from jobs.models import Job
from jobs.presentation.job_actions import CONTROLS, PERFORM, why_unavailable
from jobs.views.permissions import signed_in

if TYPE_CHECKING:
    JobPages = admin.ModelAdmin[Job]

#: Jobs handled by one click, and refusals shown afterwards, at most.
MOST_AT_ONCE, NAMED = 1_000, 20


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One action, in the words of the page that confirms."""

    question: str
    effect: str
    done: str  # ends a sentence on a job, in the history and in messages


BULK_ACTIONS = {
    "pause": BulkAction(
        "Pause these jobs?",
        "What is with Zendesk now is settled first; then nothing is sent until someone resumes them.",
        "told to pause",
    ),
    "resume": BulkAction("Resume these jobs?", "They go on where they stopped.", "told to go on"),
    "cancel": BulkAction(
        "Cancel these jobs?",
        "What is with Zendesk now is settled first; what is changed stays changed, the rest is not touched. "
        "A cancelled job cannot be resumed; a new job can do the rest.",
        "told to stop",
    ),
}


def run_action(pages: JobPages, name: str, request: HttpRequest, matching: QuerySet[Job]) -> HttpResponse:
    """Ask first; once the form says `confirmed`, act on each job, and report why any was refused."""
    chosen = _chosen(request, matching)
    if request.POST.get("confirmed"):
        _perform(pages, name, request, chosen)
        kept = request.POST.get("kept", "")
        address = reverse("admin:jobs_job_changelist")
        return HttpResponseRedirect(f"{address}?{kept}" if kept else address)
    objections = [(job, why_unavailable(job, CONTROLS[name])) for job in chosen]
    context: dict[str, Any] = {
        **pages.admin_site.each_context(request),
        "title": BULK_ACTIONS[name].question,
        "opts": pages.opts,
        "media": pages.media,
        "name": name,
        "action": CONTROLS[name],
        "words": BULK_ACTIONS[name],
        "ready": [job for job, why in objections if not why],
        "refused": [(job, why) for job, why in objections if why],
        "most": MOST_AT_ONCE if len(chosen) == MOST_AT_ONCE else 0,
        "checkbox": ACTION_CHECKBOX_NAME,
        "kept": request.GET.urlencode(),
    }
    return TemplateResponse(request, "admin/jobs/job/bulk_action.html", context)


def _chosen(request: HttpRequest, matching: QuerySet[Job]) -> list[Job]:
    """The ticked jobs, also those that the filters do not match any more: each gets an answer."""
    if request.POST.get("select_across") == "1":
        jobs = matching
    else:
        ticked = map(whole_number, request.POST.getlist(ACTION_CHECKBOX_NAME))
        jobs = Job.objects.filter(pk__in=[pk for pk in ticked if pk is not None][:MOST_AT_ONCE])
    return list(
        jobs.select_related("created_by")
        .defer("params", "options", "source", "cursor")
        .order_by("-pk")[:MOST_AT_ONCE]
    )


def _perform(pages: JobPages, name: str, request: HttpRequest, chosen: list[Job]) -> None:
    """One transaction per job, with its line in the history, so that one refusal does not stop the others."""
    order, by = BULK_ACTIONS[name], person(signed_in(request))
    reached, refusals = 0, []
    for job in chosen:
        try:
            with transaction.atomic():
                PERFORM[name](job, by, ())
                pages.log_change(request, job, f"The job was {order.done}.")
        except actions.NotPossible as problem:
            refusals.append(str(problem))
        else:
            reached += 1
    for refusal in refusals[:NAMED]:
        messages.warning(request, refusal)
    if len(refusals) > NAMED:
        messages.warning(request, f"{len(refusals) - NAMED:,} more could not be {order.done}.")
    if reached:
        messages.success(request, f"{some(reached, 'job was', 'jobs were')} {order.done}.")
