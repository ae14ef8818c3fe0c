"""Sessions of a person, ended when their ways to sign in change."""

from __future__ import annotations

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from tagmanager.people import half_signed_in


def end_all(person: int, *, but: str | None = None) -> None:
    """End every session of the account, also those that are half signed in, except the one with that key.

    A session names its person inside what is encoded, so all are read: this is rare, and sessions are few.
    """
    for session in Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key=but):
        stored = session.get_decoded()
        if str(person) in (stored.get(SESSION_KEY), half_signed_in.account_of(stored)):
            session.delete()
