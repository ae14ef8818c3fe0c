"""Times in the reader's time zone, which the browser sends in a cookie."""

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
    """Use the cookie's time zone during the request; UTC without a valid one."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with timezone.override(zone_named(request.COOKIES.get(COOKIE, ""))):
            return get_response(request)

    return answer


@cache
def _known() -> frozenset[str]:
    """Cached, because it reads the folders of the time zone database."""
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """The zone with this name; None if unknown, since any other name could be a path."""
    return ZoneInfo(name) if name in _known() else None
