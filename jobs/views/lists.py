"""The list of jobs, and the part of it that keeps itself up to date."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.access import ACT, SEE, allowed
from jobs.doings import MAY_DO
from jobs.filters import TABS, FilterForm, kept_query, tab_of
from jobs.keyset import page_of, place_in
from jobs.looks import version_of
from jobs.models import Job

PAGE = 25


@require_safe
@allowed(SEE)
def show(request: HttpRequest) -> HttpResponse:
    """The list, newest first. `?show=` picks states, the rest of the address narrows further."""
    form = FilterForm(request.GET)
    narrowed = form.narrow(Job.objects.all())
    numbers = dict(narrowed.order_by().values_list("status").annotate(Count("pk")))
    tab = tab_of(request.GET)
    context = _rows(request, form) | {
        "tabs": [(choice, sum(numbers.get(s, 0) for s in choice.statuses)) for choice in TABS],
        "form": form,
        "can_cancel": sum(numbers.get(s, 0) for s in tab.statuses & MAY_DO["cancel"]),
        "kept_without_tab": _without_tab(request),
        "any": bool(numbers) or Job.objects.exists(),
    }
    return render(request, "jobs/list.html", context)


@require_safe
@allowed(SEE)
def rows(request: HttpRequest) -> HttpResponse:
    """The rows alone, for a page that shows `?version=`; 204 when they have not changed since."""
    context = _rows(request, FilterForm(request.GET, offer=False))
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "jobs/_rows.html", context)


def _rows(request: HttpRequest, form: FilterForm) -> dict[str, Any]:
    tab = tab_of(request.GET)
    jobs = form.narrow(Job.objects.all()).select_related("created_by").defer("params", "source")
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
        "kept": kept_query(request.GET),
        # Only jobs that can be cancelled can be chosen, and only by who may.
        "choosable": request.user.has_perm(ACT) and any(job.status in MAY_DO["cancel"] for job in page.rows),
        "cancellable": MAY_DO["cancel"],
    }


def _without_tab(request: HttpRequest) -> str:
    kept = request.GET.copy()
    kept.pop("show", None)
    return kept_query(kept)
