"""Sign-in by a proxy that knows who somebody is, and says so in a header (PROXY_AUTH_HEADER).

Only what a proxy of ours sent counts (`middleware.proxy_peer`); from anywhere else the header is dropped. The
proxy also decides about second factors: whoever comes this way is asked for none here. A session that began
this way ends with the header.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, login, logout
from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from jobs.views.permissions import signed_in
from tagmanager.middleware.proxy_peer import came_through_proxy

logger = logging.getLogger(__name__)

#: What a session of this kind names as its backend.
BACKEND = "tagmanager.people.proxy_sign_in.ProxyBackend"
#: Pages without a person: probes, and the page after signing out, which must not sign in again.
LEFT_ALONE = frozenset({"/healthz", "/metrics", "/signed-out/"})


class ProxyBackend(RemoteUserBackend):
    """Gives sessions their person; accounts are made only where PROXY_AUTH_CREATE says so."""

    @property
    def create_unknown_user(self) -> bool:  # type: ignore[override]  # decided by the settings
        return bool(settings.PROXY_AUTH_CREATE)

    def configure_user(self, request: HttpRequest | None, user: Any, created: bool = True) -> Any:  # noqa: ARG002
        """A new account has no permission, and no password."""
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
            logger.info("Account %s made, as the proxy named it", user.pk)
        return user


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Sign in whom the proxy names, and sign out whom it no longer names."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not settings.PROXY_AUTH_HEADER:
            return get_response(request)
        name = _named(request)
        if request.path_info in LEFT_ALONE:
            return get_response(request)
        if not name:
            if request.session.get(BACKEND_SESSION_KEY) == BACKEND:
                logout(request)
            return get_response(request)
        return _sign_in(request, name) or get_response(request)

    return answer


def is_by_proxy(request: HttpRequest) -> bool:
    """Whether the session began by the proxy's word."""
    return request.session.get(BACKEND_SESSION_KEY) == BACKEND


def _named(request: HttpRequest) -> str:
    """Whom the proxy names, and nobody but it; the header is gone afterwards."""
    key = f"HTTP_{settings.PROXY_AUTH_HEADER.upper().replace('-', '_')}"
    name: str = request.META.pop(key, "")
    return name.strip() if came_through_proxy(request) else ""


def _sign_in(request: HttpRequest, name: str) -> HttpResponse | None:
    """None if the session is the person's; else the page that says why not."""
    if is_by_proxy(request) and request.user.is_authenticated and request.user.get_username() == name:
        return None
    person = _account(request, name)
    if person is None:
        logout(request)
        logger.warning("The proxy named somebody without an active account")
        return render(request, "no_account.html", {"name": name}, status=403)
    if request.user.is_authenticated and signed_in(request).pk != person.pk:
        logout(request)
    login(request, person, backend=BACKEND)
    return None


def _account(request: HttpRequest, name: str) -> User | None:
    field = User._meta.get_field("username")
    if len(name) > (field.max_length or 0) or not re.fullmatch(r"[\w.@+-]+", name):
        return None
    person = ProxyBackend().authenticate(request, remote_user=name)
    return person if isinstance(person, User) else None
