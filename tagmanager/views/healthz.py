"""The health of the installation, for probes."""

from __future__ import annotations

from dataclasses import asdict

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.workers import health


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """For probes, without a login: 200 while the database answers.

    With `?worker=1` it is 503 unless a worker is alive and working.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        found = health.check()
    except DatabaseError:
        return JsonResponse({"database": "away", "worker": False}, status=503)
    wanted = request.GET.get("worker") == "1"
    failed = wanted and found.worker_state != health.State.ALIVE
    answer = {"database": "ok", "worker": found.is_worker_alive} | asdict(found)
    return JsonResponse(answer, status=503 if failed else 200)
