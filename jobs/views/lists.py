"""The list of jobs, and the part of it that keeps itself up to date."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.access import SEE, allowed
from jobs.keyset import page_of, place_in
from jobs.looks import version_of
from jobs.models import Job
from jobs.states import ACTIVE, STOPPED, Status

PAGE = 25


@dataclass(frozen=True, slots=True)
class Tab:
    """One choice of states, as the address names it."""

    name: str
    label: str
    statuses: frozenset[str]


TABS = (
    Tab("", "All", frozenset(Status.values)),
    Tab("active", "Active", frozenset(ACTIVE)),
    Tab("stopped", "Needs a person", frozenset(STOPPED)),
    Tab("finished", "Finished", frozenset({Status.SUCCEEDED, Status.PARTIAL})),
    Tab("cancelled", "Cancelled", frozenset({Status.CANCELLED})),
)


@require_safe
@allowed(SEE)
def show(request: HttpRequest) -> HttpResponse:
    """The list, newest first. `?show=` picks states; what it does not know is taken for all."""
    numbers = dict(Job.objects.order_by().values_list("status").annotate(Count("pk")))
    tabs = [(tab, sum(numbers.get(status, 0) for status in tab.statuses)) for tab in TABS]
    return render(request, "jobs/list.html", _rows(request) | {"tabs": tabs, "any": bool(numbers)})


@require_safe
@allowed(SEE)
def rows(request: HttpRequest) -> HttpResponse:
    """The rows alone, for a page that shows `?version=`; 204 when they have not changed since."""
    context = _rows(request)
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "jobs/_rows.html", context)


def _rows(request: HttpRequest) -> dict[str, object]:
    tab = next((tab for tab in TABS if tab.name == request.GET.get("show", "")), TABS[0])
    jobs = Job.objects.select_related("created_by").defer("params", "source")
    if tab.name:
        jobs = jobs.filter(status__in=tab.statuses)
    page = page_of(jobs, place_in(request), key="pk", size=PAGE, descending=True)
    kept = request.GET.copy()
    kept.pop("version", None)
    return {
        "tab": tab,
        "page": page,
        "version": version_of(page.rows),
        "polls": any(job.is_active for job in page.rows),
        "query": kept.urlencode(),
    }
