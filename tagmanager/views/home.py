"""The home page and the parts of it that update themselves."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.clocks import clock
from jobs.models import Job
from jobs.presentation.attention import attention_words
from jobs.presentation.job_page import version_of
from jobs.presentation.pulse_chart import pulse_chart
from jobs.reports.pulse import pulse_of
from jobs.views.permissions import ACT, SEE, allowed, why_refused
from jobs.workers import health
from tagmanager import tools as installed
from tagmanager.account.status import account_status, configured_account
from tagmanager.tools.base import StartsElsewhere
from tagmanager.views.lookup_pages import LOOKUPS
from tagmanager.views.questions import PART, may_ask

RUNNING_SHOWN, LATEST_SHOWN, ATTENTION_SHOWN = 10, 5, 5


@require_safe
@allowed()
def home(request: HttpRequest) -> HttpResponse:
    """Tools, running jobs, jobs that need attention, and the latest jobs. Makes no call to Zendesk."""
    context: dict[str, Any] = {
        "tools": [*(t for t in installed.tools().values() if not isinstance(t, StartsElsewhere)), *LOOKUPS],
        "refusal": why_refused(request.user, SEE, ACT),
        **_worker(),
        "account_status": configured_account(),
    }
    if request.user.has_perm(SEE):
        context |= _jobs()
    return render(request, "home.html", context)


@require_safe
@allowed(SEE)
@never_cache
def jobs_now(request: HttpRequest) -> HttpResponse:
    """The jobs on the home page; 204 if nothing has changed since `?version=`."""
    context = _jobs()
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "home/now.html", context)


@require_safe
@allowed()
@may_ask(PART)
@never_cache
def connection_card(request: HttpRequest) -> HttpResponse:
    """The account, the connected user, and whether a worker is alive; a whole page without htmx."""
    context = {"account_status": account_status(), **_worker()}
    is_part = request.headers.get("HX-Request") == "true"
    return render(request, "home/_connection.html" if is_part else "home/connection.html", context)


def _worker() -> dict[str, Any]:
    """The state of the workers, as `healthz` reports it."""
    found = health.check()
    return {
        "worker_alive": found.is_worker_alive,
        "worker_state": found.worker_state,
        "clock_warning": clock.describe(found.clock_offset_seconds, "The clock of a server of Tag Manager"),
    }


def _jobs() -> dict[str, Any]:
    """Jobs that need attention, running ones, and the latest others; each job only once."""
    rows = Job.objects.select_related("created_by").defer("params", "options", "source").order_by("-pk")
    attention = list(rows.filter(pk__in=Job.objects.needing_attention().values("pk"))[: ATTENTION_SHOWN + 1])
    running = list(rows.filter(pk__in=Job.objects.active().values("pk"))[: RUNNING_SHOWN + 1])
    named = attention[:ATTENTION_SHOWN], running[:RUNNING_SHOWN]
    pulse = pulse_of([job.pk for job in named[1]]) if running else None
    latest = list(rows.exclude(pk__in=[job.pk for jobs in named for job in jobs])[:LATEST_SHOWN])
    return {
        "attention": [(job, attention_words(job)) for job in named[0]],
        "pulse": pulse,
        "pulse_chart": pulse_chart(pulse) if pulse else None,
        "most_in_flight": settings.ZENDESK_MAX_JOBS,
        "more_attention": len(attention) > ATTENTION_SHOWN,
        "running": named[1],
        "more_running": len(running) > RUNNING_SHOWN,
        "latest": latest,
        "is_fresh": not (attention or running or latest),
        "version": version_of([*attention, *running, *latest]),
    }
