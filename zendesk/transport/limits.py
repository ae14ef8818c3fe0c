"""Zendesk's rate limit headers in all their spellings, and the waits that follow from them.

The limit is per account and minute, and all integrations share it (developer.zendesk.com, rate limits). The
header names changed between 2023 and 2024 (the zenpy cassettes hold both), so all spellings are accepted. Any
header may be missing, and an invalid value counts as missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

MAX_HOLD = 600.0  # seconds; Zendesk's windows are no longer, yet a Retry-After of 999999 has been seen
DEFAULT_RETRY_AFTER = 10.0  # seconds, for a 429 without the header; as in Zendesk's own Ruby client
MIN_RETRY_AFTER = 1.0  # seconds; "0" would cause a tight loop of refused calls
INFLIGHT_JOBS = (
    "inflight-jobs"  # counts bulk jobs, not calls: resets say nothing about when one may be queued
)

_LIMIT = ("ratelimit-limit", "rate-limit", "x-rate-limit")
_REMAINING = ("ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "rate-limit-reset", "x-rate-limit-reset")
_ENDPOINT = re.compile(r"zendesk-rate-?limit-(.+)", re.IGNORECASE)
_PART = re.compile(r"(total|remaining|resets)\s*=\s*([0-9.]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The account's calls per minute, according to the latest answer."""

    limit: int  # calls per minute
    remaining: int  # calls left in this minute
    reset: float | None  # seconds until the next minute begins; None: unknown

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateLimit | None:
        """None unless the headers hold both the limit and the remaining calls."""
        given = {name.lower(): value for name, value in headers.items()}
        limit, remaining = _number(given, _LIMIT), _number(given, _REMAINING)
        if limit is None or remaining is None or limit < 1:
            return None
        return cls(limit=int(limit), remaining=int(remaining), reset=_number(given, _RESET))

    def hold_for(self, share: float, kept_back: float = 0.0) -> float:
        """Seconds to wait so that this program stays within ``share`` of the limit; 0: no wait.

        ``kept_back`` more calls are left to others. Without a reset time it assumes ten seconds: a call too
        early costs less than a wasted minute.
        """
        if self.remaining > self.limit * (1 - share) + kept_back:
            return 0.0
        return min(self.reset if self.reset is not None else DEFAULT_RETRY_AFTER, MAX_HOLD)


@dataclass(frozen=True, slots=True)
class EndpointLimit:
    """A limit of one endpoint: ``zendesk-ratelimit-tickets-index: total=100; remaining=93; resets=16``."""

    name: str
    total: int | None
    remaining: int | None
    resets: float | None  # seconds


def endpoint_limits(headers: Mapping[str, str]) -> list[EndpointLimit]:
    found = []
    for header, value in headers.items():
        if name := _ENDPOINT.fullmatch(header):
            parts = {key.lower(): _finite(text) for key, text in _PART.findall(value)}
            total, remaining = parts.get("total"), parts.get("remaining")
            found.append(
                EndpointLimit(
                    name=name[1].lower(),
                    total=None if total is None else int(total),
                    remaining=None if remaining is None else int(remaining),
                    resets=parts.get("resets"),
                )
            )
    return found


def exhausted_endpoint(headers: Mapping[str, str]) -> EndpointLimit | None:
    """The endpoint limit that caused a 429; None if the account's own limit is used up."""
    account = RateLimit.from_headers(headers)
    if account is not None and account.remaining == 0:
        return None
    spent = (e for e in endpoint_limits(headers) if e.remaining == 0 and e.name != INFLIGHT_JOBS)
    return next(spent, None)


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, between 1 and ``MAX_HOLD``; None without a valid one."""
    given = {name.lower(): value for name, value in headers.items()}
    text = given.get("retry-after", "").strip()
    seconds = _finite(text)
    if seconds is None:
        seconds = _until_date(text, given.get("date", ""))
    return None if seconds is None else min(max(seconds, MIN_RETRY_AFTER), MAX_HOLD)


def retry_after_or_default(headers: Mapping[str, str]) -> float:
    """Seconds to wait after a 429."""
    seconds = retry_after_of(headers)
    if seconds is not None:
        return seconds
    spent = exhausted_endpoint(headers)
    if spent is not None and spent.resets:
        return min(max(spent.resets, MIN_RETRY_AFTER), MAX_HOLD)
    return DEFAULT_RETRY_AFTER


def _until_date(text: str, sent: str) -> float | None:
    """Seconds from the answer's Date to a Retry-After in the form of a date (RFC 9110)."""
    try:
        return (parsedate_to_datetime(text) - parsedate_to_datetime(sent)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _number(headers: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    return next((n for name in names if (n := _finite(headers.get(name, ""))) is not None), None)


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
