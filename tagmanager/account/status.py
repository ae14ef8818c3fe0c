"""The status of the connection to Zendesk, cached for a minute for all people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from tagmanager.account import asking, connection, page_calls
from tagmanager.account.asking import Question
from zendesk import Zendesk, check

#: Days before a credential expires on which the page begins to warn.
EXPIRY_NOTICE_DAYS = 30
#: The most calls of a check: a token, and one for the user, the search, the role and each list of brands.
MOST_CALLS = 6


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What is known about the connection. With a `problem`, a sentence, it does not work."""

    account: str = ""
    user: str = ""
    role: str = ""
    warnings: tuple[str, ...] = ()
    limit: int | None = None  # calls a minute of the whole account
    left: int | None = None  # of them, in that minute
    credential: str = ""  # when it ends, in a sentence
    ends_soon: bool = False
    problem: str = ""
    checked_at: datetime | None = None  # None: never, as far as is remembered
    not_checked: str = ""  # why there is no newer check, in a sentence, where that is no problem
    is_pending: bool = False  # asking again in a moment helps


def configured_account() -> AccountStatus:
    """The account in the settings, or what the settings lack; makes no call."""
    try:
        account = connection.address()
        connection.credentials()
    except connection.NotConnected as problem:
        return AccountStatus(problem=str(problem))
    return AccountStatus(account=account)


def account_status() -> AccountStatus:
    """The checked status of the connection, or the last known one. Never raises."""
    settings = configured_account()
    if settings.problem:
        return settings
    known = asking.ask(Question("account-status", _check_connection, most_calls=MOST_CALLS))
    status = replace(known.answer or settings, checked_at=known.at, is_pending=known.is_pending)
    if known.is_pending or known.is_withheld:
        return replace(status, not_checked=known.why_not_current)
    return replace(status, problem=known.why_not_current)


def _check_connection(zendesk: Zendesk) -> AccountStatus:
    found = check(zendesk)
    end = found.credentials_end
    return AccountStatus(
        account=zendesk.base_url,
        user=found.user.name,
        role=found.role,
        warnings=tuple(warning for warning in found.warnings if warning != end.text),
        limit=found.calls_per_minute,
        left=zendesk.rate.remaining if zendesk.rate else None,
        credential=end.text,
        ends_soon=end.on is not None and (end.on - timezone.now().date()).days < EXPIRY_NOTICE_DAYS,
    )


def calls_per_minute() -> int | None:
    """The account's limit, as far as it is remembered; makes no call."""
    try:
        return page_calls.known_limit()
    except connection.NotConnected:
        return None
