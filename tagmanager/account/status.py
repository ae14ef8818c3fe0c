"""The status of the connection to Zendesk, cached for a minute for all people."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.utils import timezone

from tagmanager.account import connection, queries
from zendesk import ZendeskError, check

#: Days before a credential expires on which the page begins to warn.
EXPIRY_NOTICE_DAYS = 30


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What is known about the connection. With a `problem`, a sentence, it does not work."""

    account: str = ""
    user: str = ""
    role: str = ""
    warnings: tuple[str, ...] = ()
    limit: int | None = None  # calls a minute of the whole account
    left: int | None = None  # of them, in this minute
    credential: str = ""  # when it ends, in a sentence
    ends_soon: bool = False
    problem: str = ""


def configured_account() -> AccountStatus:
    """The account in the settings, or what the settings lack; makes no call."""
    try:
        account = connection.address()
        connection.credentials()
    except connection.NotConnected as problem:
        return AccountStatus(problem=str(problem))
    return AccountStatus(account=account)


def account_status() -> AccountStatus:
    """The checked status of the connection. Never raises; calls Zendesk at most once a minute."""
    settings = configured_account()
    if settings.problem:
        return settings
    return queries.cached(f"account-status:{settings.account}", lambda: _check_connection(settings.account))


def _check_connection(account: str) -> AccountStatus:
    try:
        with connection.connect(max_wait=queries.FRAGMENT_MAX_WAIT) as zendesk:
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
        ends_soon=end.on is not None and (end.on - timezone.now().date()).days < EXPIRY_NOTICE_DAYS,
    )


def calls_per_minute() -> int | None:
    """The account's limit, if `account_status` was called within the last minute; makes no call."""
    known = _known_status()
    return known.limit if known else None


def calls_left() -> tuple[int, int] | None:
    """Calls left of this minute and the account's limit, as of less than a minute ago; makes no call."""
    known = _known_status()
    return (known.left, known.limit) if known and known.left is not None and known.limit else None


def _known_status() -> AccountStatus | None:
    try:
        known: AccountStatus | None = cache.get(f"account-status:{connection.address()}")
    except connection.NotConnected:
        return None
    return known
