"""The list of jobs, and the part of it that refreshes itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.models import Job, JobQuerySet
from jobs.presentation.job_actions import ALLOWED_IN
from jobs.presentation.job_page import version_of
from jobs.presentation.statuses import ATTENTION_TAB
from jobs.views.filters import TABS, FilterForm, Tab, filter_query, tab_of
from jobs.views.pagination import cursor_in, page_of
from jobs.views.permissions import ACT, SEE, allowed

PAGE = 25


@require_safe
@allowed(SEE)
def show(request: HttpRequest) -> HttpResponse:
    """The list, newest first. `?show=` picks a tab, the rest of the query narrows further."""
    form = FilterForm(request.GET)
    return render(request, "jobs/list.html", _list_context(request, form) | {"form": form})


@require_safe
@allowed(SEE)
def rows(request: HttpRequest) -> HttpResponse:
    """Tabs and rows alone, for a page that shows `?version=`; 204 when they have not changed since."""
    context = _list_context(request, FilterForm(request.GET, offer=False))
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "jobs/_rows.html", context)


def _list_context(request: HttpRequest, form: FilterForm) -> dict[str, Any]:
    tab = tab_of(request.GET)
    narrowed = form.narrow(Job.objects.all())
    jobs = tab.of(narrowed).select_related("created_by").defer("params", "options", "source")
    page = page_of(jobs, cursor_in(request), key="pk", size=PAGE, descending=True)
    numbers = dict(narrowed.order_by().values_list("status").annotate(Count("pk")))
    tabs = _tabs(narrowed, numbers)
    may_cancel = request.user.has_perm(ACT)
    # Right for "needs attention" too: that tab shows all jobs in those of its statuses that can be cancelled.
    can_cancel = _total_of(numbers, tab.statuses & ALLOWED_IN["cancel"]) if may_cancel else 0
    kept = request.GET.copy()
    kept.pop("version", None)
    return {
        "tab": tab,
        "tabs": tabs,
        "page": page,
        "version": version_of(page.rows, [number for _, number in tabs]),
        "is_moving": any(job.is_active for job in page.rows),
        "any": any(number for _, number in tabs) or Job.objects.exists(),
        "is_narrow": form.is_narrow,
        "query": kept.urlencode(),
        "kept": filter_query(request.GET),
        "kept_without_tab": _without_tab(request),
        "kept_fields": list(QueryDict(filter_query(request.GET)).items()),
        # Only jobs that can be cancelled can be chosen, and only with the permission.
        "choosable": may_cancel and any(job.status in ALLOWED_IN["cancel"] for job in page.rows),
        "cancellable": ALLOWED_IN["cancel"],
        "can_cancel": can_cancel,
    }


def _tabs(jobs: JobQuerySet, numbers: Mapping[str, int]) -> list[tuple[Tab, int]]:
    """Each tab with its number of jobs, from the numbers by status; one query."""
    numbers_of = {tab.name: _total_of(numbers, tab.statuses) for tab in TABS}
    numbers_of[ATTENTION_TAB] = jobs.needing_attention().count()
    return [(tab, numbers_of[tab.name]) for tab in TABS]


def _total_of(numbers: Mapping[str, int], statuses: Iterable[str]) -> int:
    return sum(numbers.get(status, 0) for status in statuses)


def _without_tab(request: HttpRequest) -> str:
    kept = request.GET.copy()
    kept.pop("show", None)
    return filter_query(kept)
