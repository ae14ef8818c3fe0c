"""Nobody who needs a second factor gets by without one, however their session began."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase

from jobs.views.permissions import signed_in
from tagmanager.people import half_signed_in, second_factor
from tagmanager.people.proxy_sign_in import BACKEND as PROXY


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Treat a session as half signed in where the settings, or a new permission, demand more than it showed.

    Whoever signs in by the proxy has shown there what the proxy demands.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        if settings.REQUIRE_TWO_FACTOR != "off" and _lacks_second_factor(request):
            half_signed_in.demote(request, signed_in(request))
            request.user = AnonymousUser()
        return get_response(request)

    return answer


def _lacks_second_factor(request: HttpRequest) -> bool:
    if not request.user.is_authenticated or request.session.get(half_signed_in.VERIFIED):
        return False
    if request.session.get(BACKEND_SESSION_KEY) == PROXY:
        return False
    return second_factor.is_required(signed_in(request))
