"""Requests that are larger than an upload may be, refused before anything of them is read."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from jobs.input import whole_number
from tagmanager.ops import memory

#: Bytes that a form may have besides its file.
ROOM = 1_000_000


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 413 to a request whose length is over `UPLOAD_LIMIT`, before its form is read."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        size = whole_number(str(request.META.get("CONTENT_LENGTH") or "")) or 0
        if size <= settings.UPLOAD_LIMIT + ROOM:
            memory.note(size)
            return get_response(request)
        context = {"size": f"{size / 1e6:,.0f}", "limit": f"{settings.UPLOAD_LIMIT / 1e6:,.0f}"}
        refused = HttpResponse(render_to_string("413.html", context), status=413)
        refused["Connection"] = "close"  # the rest of the request is never read
        return refused

    return answer
