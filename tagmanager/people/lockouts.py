"""Guessed passwords: what locks whom out of where, for how long, and who still gets in.

Nobody is locked out by what strangers do elsewhere. Ten wrong passwords lock one name for one address; fifty
over all names mean that the address is guessing. Then only those may still sign in from it who did so lately:
colleagues behind one address of an office go on working, and each name still has its ten tries.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address, get_client_username, get_cool_off
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

if TYPE_CHECKING:
    from django.db.models import QuerySet

    Attempts = QuerySet[Any]

#: Wrong passwords over all names after which an address is taken to be guessing.
ADDRESS_LIMIT = 50
#: How long a sign-in shows that a person belongs to an address.
KNOWN_FOR = timedelta(days=30)


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # django-axes has no types
    """Locks by name and address, as django-axes is set up to, and by address over all names."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        address, name = get_client_ip_address(request), get_client_username(request, credentials)
        return is_guessing(address) and not is_known(name, address)


def recent_attempts() -> Attempts:
    """The wrong passwords that still count."""
    attempts: Attempts = AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - cool_off())
    return attempts


def cool_off() -> timedelta:
    """How long after the last wrong password a lock-out ends."""
    duration: timedelta | None = get_cool_off()
    assert duration is not None, "AXES_COOLOFF_TIME is set"
    return duration


def is_guessing(address: str | None) -> bool:
    """Whether many wrong passwords came from the address lately, whatever the names."""
    wrong = recent_attempts().filter(ip_address=address).aggregate(all=Sum("failures_since_start"))["all"]
    return (wrong or 0) >= ADDRESS_LIMIT


def is_known(name: str, address: str | None) -> bool:
    """Whether this person signed in from the address lately."""
    since = timezone.now() - KNOWN_FOR
    signed_in = AccessLog.objects.filter(username=name, ip_address=address, attempt_time__gte=since)
    return bool(signed_in.exists())


def seconds_left(name: str, address: str | None) -> float:
    """How long this name is still locked out of this address; 0 if it is not."""
    here = recent_attempts().filter(ip_address=address)
    own = here.filter(username=name)
    if (own.aggregate(all=Sum("failures_since_start"))["all"] or 0) >= settings.AXES_FAILURE_LIMIT:
        return _until_end(own)
    return _until_end(here) if is_guessing(address) and not is_known(name, address) else 0.0


def _until_end(attempts: Attempts) -> float:
    last = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    return max((last + cool_off() - timezone.now()).total_seconds(), 0.0) if last else 0.0
