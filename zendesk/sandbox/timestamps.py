"""Instants as Zendesk writes and reads them: `2026-11-23T09:00:00Z`, whole seconds."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

DAY = 86_400


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def iso(seconds: float) -> str:
    """Seconds since 1970 as a ticket shows them."""
    day, rest = divmod(int(seconds), DAY)
    return f"{_day(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def human(seconds: float) -> str:
    """Seconds since 1970 as a job's message shows them."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


def parse(text: str) -> float:
    """An instant or a day in ISO 8601, as seconds since 1970; ValueError if it is neither."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
