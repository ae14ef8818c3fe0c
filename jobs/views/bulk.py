"""Cancelling many jobs at once: those that were ticked, or all that match the list's filters."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs import actions
from jobs.actors import person
from jobs.common.formatting import some
from jobs.common.input import whole_number
from jobs.models import Job
from jobs.presentation.job_actions import ALLOWED_IN
from jobs.views import saved_form
from jobs.views.filters import FilterForm, filter_query, tab_of
from jobs.views.permissions import ACT, SEE, allowed, signed_in

#: Jobs cancelled by one click at most: each is a transaction of its own, within the request.
MOST_AT_ONCE = 1_000
#: How many jobs the page that confirms names, and how many refusals are shown afterwards.
NAMED = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """The jobs that were chosen and can be cancelled as they were read, newest first."""

    jobs: list[Job]  # at most `MOST_AT_ONCE`
    is_cut: bool  # there were more
    ended: int  # ticked, but ended by now


@require_http_methods(["GET", "HEAD", "POST"])
@allowed(SEE, ACT)
@never_cache
def cancel(request: HttpRequest) -> HttpResponse:
    """Confirm on GET, with the counts; on POST cancel each job, and report which refused.

    Each `?job=` names one job. `?all=yes` takes all that match the filters, up to the job `?upto=`, so that
    jobs made since the page was shown are left alone.
    """
    data = request.POST if request.method == "POST" else saved_form.take(request) or request.GET
    narrowed = filter_query(data)
    back = reverse("jobs:list") + (f"?{narrowed}" if narrowed else "")
    choice = _choice(data)
    if request.method == "POST":
        _cancel(request, choice)
        return redirect(back)
    newest = choice.jobs[0].pk if choice.jobs else 0
    context = {
        "choice": choice,
        "named": choice.jobs[:NAMED],
        "more": len(choice.jobs) - NAMED,
        "changed": sum(job.changed for job in choice.jobs),
        "left": sum(job.remaining for job in choice.jobs),
        "most": MOST_AT_ONCE,
        "back": back,
        "fields": _hidden_fields(data, newest),
        "is_back": request.method == "GET" and data is not request.GET,
    }
    return render(request, "jobs/cancel_many.html", context)


def _choice(data: QueryDict) -> Choice:
    if data.get("all"):
        return _read_choice(_matching(data), ended=0)
    chosen = [pk for pk in map(whole_number, data.getlist("job")) if pk is not None]
    ticked, cancellable = Job.objects.filter(pk__in=chosen[: MOST_AT_ONCE + 1]), ALLOWED_IN["cancel"]
    return _read_choice(
        ticked.filter(status__in=cancellable), ended=ticked.exclude(status__in=cancellable).count()
    )


def _matching(data: QueryDict) -> QuerySet[Job]:
    form = FilterForm(data, offer=False)
    jobs = tab_of(data).of(form.narrow(Job.objects.all())).filter(status__in=ALLOWED_IN["cancel"])
    # A filter that is not valid would widen the choice, so nothing is chosen.
    if form.errors:
        return jobs.none()
    if (upto := whole_number(data.get("upto", ""))) is not None:
        jobs = jobs.filter(pk__lte=upto)
    return jobs


def _read_choice(jobs: QuerySet[Job], *, ended: int) -> Choice:
    read = list(jobs.defer("params", "options", "source").order_by("-pk")[: MOST_AT_ONCE + 1])
    return Choice(read[:MOST_AT_ONCE], is_cut=len(read) > MOST_AT_ONCE, ended=ended)


def _cancel(request: HttpRequest, choice: Choice) -> None:
    """One transaction per job, so that one refusal does not stop the others."""
    done, refusals = 0, []
    for job in choice.jobs:
        try:
            actions.cancel(job=job, by=person(signed_in(request)))
        except actions.NotPossible as problem:
            refusals.append(str(problem))
        else:
            done += 1
    if done:
        messages.success(request, f"{some(done, 'job was', 'jobs were')} told to stop.")
    else:
        messages.warning(request, "No job was cancelled: none of those chosen can be cancelled any more.")
    if choice.ended and done:
        messages.info(request, f"{choice.ended:,} of the chosen jobs had already ended and stayed as before.")
    for refusal in refusals[:NAMED]:
        messages.warning(request, refusal)
    if len(refusals) > NAMED:
        messages.warning(request, f"{len(refusals) - NAMED:,} more could not be cancelled either.")
    if choice.is_cut:
        messages.info(
            request, f"No more than {MOST_AT_ONCE:,} jobs are cancelled at once; there are more. Do it again."
        )


def _hidden_fields(data: QueryDict, newest: int) -> list[tuple[str, str]]:
    """The hidden fields of the page that confirms: the same choice, and the filters to return to."""
    narrowed = QueryDict(filter_query(data)).items()
    fields = [(name, str(value)) for name, value in narrowed]
    if data.get("all"):
        return [*fields, ("all", "yes"), ("upto", str(newest))]
    return [*fields, *(("job", number) for number in data.getlist("job")[:MOST_AT_ONCE])]
