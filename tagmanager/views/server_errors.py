"""The answers to requests that fail on our side."""

from __future__ import annotations

import logging
import re
import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.log import log_response
from django.views.debug import SafeExceptionReporterFilter
from django.views.decorators.csrf import requires_csrf_token

from jobs.runtime.database_retry import Trouble, trouble_in
from jobs.views.permissions import is_partial_request

logger = logging.getLogger(__name__)

#: Seconds in the Retry-After header.
RETRY_AFTER = 5
MESSAGES = {
    Trouble.AWAY: (
        "The database does not answer",
        "It is away for the moment, and this page works again as soon as it is back.",
    ),
    Trouble.BUSY: ("The database is busy", "Others were writing for longer than a page can wait."),
    Trouble.FULL: (
        "The database cannot be written",
        "Its disk is full, or does not work. Tell an administrator of Tag Manager: the disk needs room.",
    ),
    Trouble.POOLED: (
        "Tag Manager cannot connect to its database",
        "A connection pooler is between them. An administrator sets DATABASE_POOLED=True.",
    ),
    Trouble.BEHIND: (
        "Tag Manager is being brought up to date",
        "The database is not of the program's version yet. An administrator runs “manage.py migrate”.",
    ),
}


class SettingsFilter(SafeExceptionReporterFilter):
    """Hides SENTRY_DSN, which contains a key, on the error page of DEBUG."""

    hidden_settings = re.compile(rf"{SafeExceptionReporterFilter.hidden_settings.pattern}|DSN", re.IGNORECASE)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """503 with a sentence while our own database is in trouble, otherwise 500 for a bug.

    Django calls it while handling the exception. Neither page reads the database.
    """
    problem = sys.exc_info()[1]
    trouble = trouble_in(problem) if problem else None
    if trouble is None:
        return HttpResponse(render_to_string("500.html", request=None), status=500)
    answer = _render(request, trouble)
    answer["Retry-After"] = str(RETRY_AFTER)
    answer["Cache-Control"] = "no-store"
    # Log one line per request instead of a traceback; log_response keeps Django from logging it again.
    log_response(
        "%s: %s %s (%s)",
        trouble.value,
        request.method,
        request.path,
        type(problem.__cause__ or problem).__name__ if problem else "",
        response=answer,
        request=request,
        logger=logger,
        level="warning",
    )
    return answer


def _render(request: HttpRequest, trouble: Trouble) -> HttpResponse:
    heading, sentence = MESSAGES[trouble]
    match = request.resolver_match
    if match is not None and getattr(match.func, "is_for_scripts", False):
        return JsonResponse({"error": f"{heading}. {sentence}"}, status=503)
    if is_partial_request(request):  # the page keeps its content and asks again
        return HttpResponse(f"{heading}. {sentence}", status=503, content_type="text/plain; charset=utf-8")
    context = {"heading": heading, "sentence": sentence, "is_form": request.method == "POST"}
    return render(None, "503.html", context, status=503)  # without the request, which would read the user
