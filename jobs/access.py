"""Who may come in: signed in, and with the permission that the page asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

SEE, ACT = "jobs.view_job", "jobs.run_job"

#: What is said to who lacks the permission, and whom to ask.
REFUSALS = {
    SEE: (
        "Your account may not see jobs. Ask an administrator of Tag Manager to give it the permission "
        "“Can view job”."
    ),
    ACT: (
        "Your account may look at jobs, but not start or change one. Ask an administrator of Tag Manager to "
        "give it the permission “Can run, pause, resume, cancel and undo jobs”."
    ),
}


def allowed(*permissions: str, script: bool = False) -> Callable[[View[P]], View[P]]:
    """Let in who is signed in and has all the permissions.

    Others are sent to sign in, or get a 403 whose words say whom to ask. A view for scripts answers 401 and
    403 as JSON, because a script would take the sign-in page for its answer.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _say_unknown() if script else _send_to_sign_in(request)
            missing = [permission for permission in permissions if not request.user.has_perm(permission)]
            if missing and script:
                return JsonResponse({"error": REFUSALS[missing[0]]}, status=403)
            if missing:
                raise PermissionDenied(REFUSALS[missing[0]])
            return view(request, *args, **kwargs)

        return guarded

    return guard


def signed_in(request: HttpRequest) -> AbstractUser:
    """The person behind a request that passed `allowed`."""
    assert isinstance(request.user, AbstractUser)
    return request.user


def _say_unknown() -> HttpResponseBase:
    return JsonResponse({"error": "Not signed in. Send the session cookie of a signed-in user."}, status=401)


def _send_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and then back; a part of a page that asks for itself sends the whole page there."""
    is_part = request.headers.get("HX-Request") == "true"
    back = urlsplit(request.headers.get("HX-Current-URL", "")) if is_part else None
    where = back._replace(scheme="", netloc="").geturl() if back else request.get_full_path()
    query = {"next": where if request.method == "GET" else resolve_url(settings.LOGIN_REDIRECT_URL)}
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        query["ended"] = "1"
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode(query)}"
    return HttpResponseClientRedirect(address) if is_part else HttpResponseRedirect(address)
