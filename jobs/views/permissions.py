"""Who may see a page: people who are signed in and have the permission that it requires."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render, resolve_url
from django_htmx.http import HttpResponseStopPolling, reswap, retarget

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

SEE, ACT, HOLD = "jobs.view_job", "jobs.run_job", "jobs.hold_jobs"
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
#: htmx 2 shows a response with this status and stops polling (htmx.org/docs, polling).
STOP_POLLING = HttpResponseStopPolling.status_code

#: Shown to people who lack the permission: what they cannot do, and whom to ask.
REFUSALS = {
    SEE: "Your account may not see jobs. Ask {whom} to give it the permission “Can view job”.",
    ACT: (
        "Your account may look at jobs, but not start or change one. Ask {whom} to give it the permission "
        "“Can run, pause, resume, cancel and undo jobs”."
    ),
    HOLD: (
        "Your account may not hold or release all jobs. Ask {whom} to give it the permission “Can hold and "
        "release all jobs, and confirm a copied database”."
    ),
}
#: How many of the people who can grant a permission are named.
GRANTERS_NAMED = 3


def why_refused(user: AbstractBaseUser | AnonymousUser, *permissions: str) -> str:
    """Which of the permissions this person lacks and whom to ask for it, as sentences; "" when none."""
    missing = next((name for name in permissions if not user.has_perm(name)), None)  # type: ignore[union-attr]
    return REFUSALS[missing].format(whom=_whom_to_ask()) if missing else ""


def allowed(*permissions: str, script: bool = False, draft: bool = False) -> Callable[[View[P]], View[P]]:
    """Admit people who are signed in and have all the permissions.

    Others are sent to sign in, or get a 403 that says whom to ask. A view for scripts answers 401 and 403 as
    JSON, because a script would take the sign-in page for data. `draft` marks the parts of a page that keeps
    what is typed in the browser and restores it for `?restore=1`.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                if script:
                    return _not_signed_in_json()
                if is_partial_request(request):
                    return session_ended(request, draft=draft)
                return redirect_to_sign_in(request)
            words = why_refused(request.user, *permissions)
            if words and script:
                return JsonResponse({"error": words}, status=403)
            if words:
                raise PermissionDenied(words)
            return view(request, *args, **kwargs)

        guarded.is_for_scripts = script  # type: ignore[attr-defined]  # its other errors are JSON, too
        return guarded

    return guard


def signed_in(request: HttpRequest) -> AbstractUser:
    """The person behind a request that passed `allowed`."""
    assert isinstance(request.user, AbstractUser)
    return request.user


def _not_signed_in_json() -> HttpResponseBase:
    return JsonResponse({"error": "Not signed in. Send the session cookie of a signed-in user."}, status=401)


def _whom_to_ask() -> str:
    """The names of people who can grant a permission in the admin."""
    granting = User.objects.with_perm("auth.change_user", backend=MODEL_BACKEND).filter(is_staff=True)
    names = list(granting.order_by("username").values_list("username", flat=True)[:GRANTERS_NAMED])
    if not names:
        return "an administrator of Tag Manager"
    *others, last = names
    return (
        f"an administrator of Tag Manager ({', '.join(others)} or {last})"
        if others
        else (f"{last}, an administrator of Tag Manager,")
    )


def is_partial_request(request: HttpRequest) -> bool:
    """Whether htmx requests a part of a page."""
    return request.headers.get("HX-Request") == "true"


def redirect_to_sign_in(request: HttpRequest, *, back: str = "") -> HttpResponseBase:
    """Redirect to the sign-in page, and from there to `back` or to the current page.

    A form that was sent goes along, because a browser repeats the POST for a 307, and is restored after
    sign-in.
    """
    query = {"next": back or request.get_full_path()}
    is_form = request.method == "POST"
    if is_form or request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        query["ended"] = "1"
    answer = HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode(query)}")
    answer.status_code = 307 if is_form else 302
    return answer


def session_ended(request: HttpRequest, *, draft: bool) -> HttpResponseBase:
    """A notice at the top of the page, which otherwise stays as it is with everything typed into it."""
    where = urlsplit(request.headers.get("HX-Current-URL", ""))
    back = where._replace(scheme="", netloc="", fragment="")
    if draft:
        back = back._replace(query=urlencode({"restore": "1"}))
    query = {"next": back.geturl() or resolve_url(settings.LOGIN_REDIRECT_URL), "ended": "1"}
    answer = render(
        request,
        "_session_ended.html",
        {"address": f"{resolve_url(settings.LOGIN_URL)}?{urlencode(query)}"},
        status=STOP_POLLING,
    )
    return reswap(retarget(answer, "#session-ended"), "innerHTML")
