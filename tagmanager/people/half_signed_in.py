"""Between password and second factor: the session knows who it is to be, and nobody is signed in.

Every page is closed as for a stranger, since `request.user` is one. The state lasts `LASTS`, and ends with a
changed password or a deactivated account.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, login
from django.contrib.auth.models import AbstractUser, User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

#: The key in the session.
FIELD = "half_signed_in"
#: Set in the session of somebody who showed a second factor.
VERIFIED = "second_factor_shown"
#: Seconds from the password to the code; setting up an app takes a while.
LASTS = 15 * 60


def begin(request: HttpRequest, person: AbstractUser, *, backend: str) -> None:
    """Remember that the person has given their password."""
    request.session.cycle_key()
    request.session[FIELD] = {
        "account": str(person.pk),
        "proof": person.get_session_auth_hash(),
        "backend": backend,
        "at": time.time(),
        "back": "",
        "kept": "",
    }


def demote(request: HttpRequest, person: AbstractUser) -> None:
    """Take somebody who is signed in back to before the second factor."""
    backend = request.session[BACKEND_SESSION_KEY]
    request.session.flush()
    begin(request, person, backend=backend)


def come_back(request: HttpRequest, *, to: str, kept: str) -> None:
    """Remember where the person wants to go once they are signed in, and the form that was sent there."""
    request.session[FIELD] |= {"back": to, "kept": kept}
    request.session.modified = True


def person_of(request: HttpRequest) -> User | None:
    """Who has given their password in this session, and still has to show the second factor."""
    state = request.session.get(FIELD)
    if not state or not 0 <= time.time() - state["at"] <= LASTS:
        return None
    person = User.objects.filter(pk=state["account"], is_active=True).first()
    if person is None or not constant_time_compare(state["proof"], person.get_session_auth_hash()):
        return None
    return person


def finish(request: HttpRequest, person: User) -> tuple[str, str]:
    """Sign the person in; where they wanted to go, and the form that was kept for there."""
    state = request.session.pop(FIELD)
    login(request, person, backend=state["backend"])
    request.session[VERIFIED] = True
    return state["back"], state["kept"]


def forget(request: HttpRequest) -> None:
    """Begin anew."""
    request.session.pop(FIELD, None)


def account_of(stored: Mapping[str, Any]) -> str | None:
    """The account of a stored session that is half signed in."""
    state = stored.get(FIELD)
    return state["account"] if state else None
