"""The metrics for Prometheus."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import exposition

from jobs.runtime.database_retry import trouble_in
from tagmanager.ops.metrics import registry
from tagmanager.views.server_errors import RETRY_AFTER

#: Every scraper supports version 0.0.4.
EXPOSITION, WORDS = exposition.CONTENT_TYPE_PLAIN_0_0_4, "text/plain; charset=utf-8"


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, for callers with METRICS_TOKEN; 404 if none is set.

    503 with a sentence while the database is in trouble. Ignores logins and sessions.
    """
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    # Compared in constant time, and whatever the scheme, so that timing reveals nothing.
    is_right = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    if scheme.lower() != "bearer" or not is_right:
        answer = HttpResponse("Metrics need “Authorization: Bearer” and METRICS_TOKEN.\n", WORDS, status=401)
        answer["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    try:
        return HttpResponse(exposition.generate_latest(registry), content_type=EXPOSITION)
    except DatabaseError as problem:
        trouble = trouble_in(problem)
        if trouble is None:
            raise
        return HttpResponse(
            f"{trouble.value}\n", WORDS, status=503, headers={"Retry-After": str(RETRY_AFTER)}
        )
