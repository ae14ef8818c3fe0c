"""How many calls Zendesk allows: the limit headers in all their spellings, and the waits that follow.

The limit is per account and minute and shared by every integration (developer.zendesk.com, rate
limits). The header names changed between 2023 and 2024 (the zenpy cassettes hold both), so every
spelling is read, any of them may be absent, and nonsense counts as absent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

LONGEST_HOLD = 600.0  # seconds; Retry-After of 999999 has been seen, and no window of Zendesk is longer
DEFAULT_RETRY_AFTER = 10.0  # seconds, for a 429 that does not say; as Zendesk's own Ruby client has it
SHORTEST_RETRY_AFTER = 1.0  # seconds; "0" would make a loop of refused calls
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
    """The account's calls per minute, as the last answer told them."""

    limit: int  # calls per minute
    remaining: int  # calls left in this minute
    reset: float | None  # seconds until the next minute begins; None: not told

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> RateLimit | None:
        """None when the headers do not tell both the limit and what remains."""
        given = {name.lower(): value for name, value in headers.items()}
        limit, remaining = _number(given, _LIMIT), _number(given, _REMAINING)
        if limit is None or remaining is None or limit < 1:
            return None
        return cls(limit=int(limit), remaining=int(remaining), reset=_number(given, _RESET))

    def hold_for(self, share: float) -> float:
        """Seconds to make no call so that this program stays within ``share`` of the limit; 0: go on.

        Without a reset time it is a guess of ten seconds: one call to ask again does little harm, and
        sleeping through a whole minute does.
        """
        if self.remaining > self.limit * (1 - share):
            return 0.0
        return min(self.reset if self.reset is not None else DEFAULT_RETRY_AFTER, LONGEST_HOLD)


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
    """The endpoint limit that a 429 speaks of, when the account as a whole may go on calling."""
    account = RateLimit.from_headers(headers)
    if account is not None and account.remaining == 0:
        return None
    spent = (e for e in endpoint_limits(headers) if e.remaining == 0 and e.name != INFLIGHT_JOBS)
    return next(spent, None)


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for, between 1 and ``LONGEST_HOLD``; None when it does not say."""
    given = {name.lower(): value for name, value in headers.items()}
    text = given.get("retry-after", "").strip()
    seconds = _finite(text)
    if seconds is None:
        seconds = _until_date(text, given.get("date", ""))
    return None if seconds is None else min(max(seconds, SHORTEST_RETRY_AFTER), LONGEST_HOLD)


def retry_after_or_default(headers: Mapping[str, str]) -> float:
    """Seconds to wait after a 429."""
    asked = retry_after_of(headers)
    if asked is not None:
        return asked
    spent = exhausted_endpoint(headers)
    if spent is not None and spent.resets:
        return min(max(spent.resets, SHORTEST_RETRY_AFTER), LONGEST_HOLD)
    return DEFAULT_RETRY_AFTER


def _until_date(text: str, sent: str) -> float | None:
    """Seconds between the answer's own Date and a Retry-After given as a date (RFC 9110 allows it)."""
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
