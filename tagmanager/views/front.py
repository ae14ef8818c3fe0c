"""The first page with the parts that keep themselves up to date, and what a probe asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs import reaper
from jobs.access import ACT, SEE, allowed, refusal
from jobs.looks import version_of
from jobs.models import Job
from jobs.states import STOPPED, FollowUp, Status
from tagmanager import tools as installed
from tagmanager.glance import glance, named

RUNNING_SHOWN, LATEST_SHOWN, ATTENTION_SHOWN = 10, 5, 5
#: A job that ended with failures is spoken of for so long; one that stands still, until somebody moves it.
ATTENTION = timedelta(days=7)


@require_safe
@allowed()
def home(request: HttpRequest) -> HttpResponse:
    """The tools, what is going on, what needs somebody, and the latest jobs. Zendesk is not asked here."""
    context: dict[str, Any] = {
        "tools": list(installed.tools().values()),
        "refusal": refusal(request.user, SEE, ACT),
        "worker_alive": reaper.is_worker_alive(),
        "glance": named(),
    }
    if request.user.has_perm(SEE):
        context |= _running()
        shown = [job.pk for job in context["running"]]
        attention = list(_attention()[:ATTENTION_SHOWN])
        shown += [job.pk for job in attention]
        context |= {
            "attention": attention,
            "latest": list(_jobs().exclude(pk__in=shown)[:LATEST_SHOWN]),
        }
        context["is_fresh"] = not (shown or context["latest"])
    return render(request, "home.html", context)


@require_safe
@allowed(SEE)
@never_cache
def running(request: HttpRequest) -> HttpResponse:
    """What is going on, for a page that shows `?version=`; 204 when nothing has changed since."""
    context = _running()
    if request.GET.get("version") == context["version"]:
        return HttpResponse(status=204)
    return render(request, "home/_running.html", context)


@require_safe
@allowed()
@never_cache
def connection_card(request: HttpRequest) -> HttpResponse:
    """Which account, as whom, and whether a worker is there; a page of its own where no script asks."""
    context = {"glance": glance(), "worker_alive": reaper.is_worker_alive()}
    is_part = request.headers.get("HX-Request") == "true"
    return render(request, "home/_connection.html" if is_part else "home/connection.html", context)


def _jobs() -> QuerySet[Job]:
    return Job.objects.select_related("created_by").defer("params", "source")


def _running() -> dict[str, Any]:
    jobs = list(_jobs().filter(pk__in=Job.objects.active().values("pk"))[:RUNNING_SHOWN])
    return {"running": jobs, "version": version_of(jobs)}


def _attention() -> QuerySet[Job]:
    """Jobs that stand still until somebody moves them, and those whose failures nobody has retried."""
    lately = Q(status=Status.PARTIAL, finished_at__gte=timezone.now() - ATTENTION)
    return _jobs().filter(Q(status__in=STOPPED) | lately).exclude(children__follow_up=FollowUp.RETRY)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's shape of a view
    """For probes, without a login: 200 while the database answers. A missing worker is no failure."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        worker = reaper.is_worker_alive()
    except DatabaseError:
        return JsonResponse({"database": "away", "worker": False}, status=503)
    return JsonResponse({"database": "ok", "worker": worker})
