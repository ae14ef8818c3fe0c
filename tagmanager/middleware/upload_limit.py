"""Requests that are larger than they may be, refused before anything of them is read.

An upload is for people who may run jobs. Everybody else gets along with a short form, so a stranger can make
the server neither read nor keep more than that.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse

from jobs.common.input import whole_number
from jobs.views.permissions import (
    ACT,
    is_partial_request,
    redirect_to_sign_in,
    session_ended,
    why_refused,
)
from tagmanager.middleware import memory

#: Bytes that a form may have besides its file.
ROOM = 1_000_000
#: Bytes of a request from somebody who may not upload: more than a sign-in with a form that it carries along,
#: and than any form of the admin.
SHORT = 64_000


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer 413 to a request whose length is over `UPLOAD_LIMIT`, before its form is read."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        size = _size_of(request)
        if size <= settings.UPLOAD_LIMIT + ROOM:
            memory.note(size)
            return get_response(request)
        return _unread(_too_large(size, settings.UPLOAD_LIMIT))

    return answer


def uploaders_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let only people who may run jobs send more than `SHORT` bytes; it has to know who they are."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        size = _size_of(request)
        if size <= SHORT or request.user.has_perm(ACT):
            return get_response(request)
        if request.user.is_authenticated:
            raise PermissionDenied(why_refused(request.user, ACT))
        if request.path == reverse("login"):
            return _unread(_too_large(size, SHORT))
        # A form sent after the session has ended, and too long to be carried through the sign-in page. The
        # page of a tool keeps what was typed in the browser.
        if is_partial_request(request):
            return _unread(session_ended(request, draft=True))
        is_tool = request.path.startswith(reverse("home") + "tools/")
        back = f"{request.path}?restore=1" if is_tool else request.path
        redirect = redirect_to_sign_in(request, back=back)
        redirect.status_code = 303
        return _unread(redirect)

    return answer


def _size_of(request: HttpRequest) -> int:
    return whole_number(str(request.META.get("CONTENT_LENGTH") or "")) or 0


def _too_large(size: int, limit: int) -> HttpResponse:
    digits = 2 if limit == SHORT else 0
    context = {
        "size": f"{size / 1e6:,.{digits}f}",
        "limit": f"{limit / 1e6:,.{digits}f}",
        "is_short": limit == SHORT,
    }
    return HttpResponse(render_to_string("413.html", context), status=413)


def _unread(answer: HttpResponseBase) -> HttpResponseBase:
    """The rest of the request is never read."""
    answer["Connection"] = "close"
    return answer
