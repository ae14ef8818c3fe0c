"""The connection to Zendesk at a glance, asked for at most once a minute however many people look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.utils import timezone

from tagmanager.account import connection
from zendesk import Zendesk, ZendeskError, check

T = TypeVar("T")

#: Seconds that an answer of Zendesk's is good for, errors included: nobody learns more by asking again.
KEPT_FOR = 60
#: A part of a page does not wait longer than this for Zendesk, seconds.
FRAGMENT_MAX_WAIT = 3.0
#: Days before its end on which a credential is spoken of loudly.
ENDS_SOON = 30


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What is known of the connection; with a `problem`, which is a sentence, it does not serve."""

    account: str = ""
    user: str = ""
    role: str = ""
    warnings: tuple[str, ...] = ()
    limit: int | None = None  # calls a minute of the whole account
    left: int | None = None  # of them, in this minute
    credential: str = ""  # when it ends, in a sentence
    ends_soon: bool = False
    problem: str = ""


def named() -> AccountStatus:
    """The account that the settings name, or what they lack; nobody is called for it."""
    try:
        account = connection.address()
        connection.credentials()
    except connection.NotConnected as problem:
        return AccountStatus(problem=str(problem))
    return AccountStatus(account=account)


def account_status() -> AccountStatus:
    """Never raises; the calls are made when nobody has asked within the last minute."""
    settings = named()
    if settings.problem:
        return settings
    return kept(f"glance:{settings.account}", lambda: _look(settings.account))


def _look(account: str) -> AccountStatus:
    try:
        with connection.connect(max_wait=FRAGMENT_MAX_WAIT) as zendesk:
            found = check(zendesk)
            rate = zendesk.rate
    except (connection.NotConnected, ZendeskError) as problem:
        return AccountStatus(account=account, problem=str(problem))
    end = found.credentials_end
    return AccountStatus(
        account=account,
        user=found.user.name,
        role=found.role,
        warnings=tuple(warning for warning in found.warnings if warning != end.text),
        limit=found.calls_per_minute,
        left=rate.remaining if rate else None,
        credential=end.text,
        ends_soon=end.on is not None and (end.on - timezone.now().date()).days < ENDS_SOON,
    )


def calls_per_minute() -> int | None:
    """The account's limit, when somebody has looked within the last minute; nobody is called."""
    try:
        known: AccountStatus | None = cache.get(f"glance:{connection.address()}")
    except connection.NotConnected:
        return None
    return known.limit if known else None


def kept(key: str, read: Callable[[], T], *, seconds: int = KEPT_FOR) -> T:
    """What `read` answers, kept for a while for everybody; what it raises is not kept."""
    found: T | None = cache.get(key)
    if found is None:
        found = read()
        cache.set(key, found, seconds)
    return found


def ask(read: Callable[[Zendesk], T]) -> T:
    """One question to Zendesk by a part of a page; raises `NotConnected` or `ZendeskError`."""
    with connection.connect(max_wait=FRAGMENT_MAX_WAIT) as zendesk:
        return read(zendesk)
