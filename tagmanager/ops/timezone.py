"""Times as the person who reads them counts them: the browser tells its zone in a cookie."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

COOKIE = "zone"  # set by static/js/time-zone.js: a name such as Europe/Vienna


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Days and times of the request are those of the cookie's zone; without one, or an odd one, UTC."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_named(request.COOKIES.get(COOKIE, ""))):
            return get_response(request)

    return answer


@cache
def _known() -> frozenset[str]:
    """Read once: it looks through the folders of the time zones."""
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of that name; None when there is none. Only known names: the rest may be any path."""
    return ZoneInfo(name) if name in _known() else None
