"""Times as Zendesk writes and reads them: `2026-11-23T09:00:00Z`, whole seconds."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

DAY = 86_400


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def iso(seconds: float) -> str:
    """Seconds since 1970 in the format of tickets."""
    day, rest = divmod(int(seconds), DAY)
    return f"{_day(day)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def human(seconds: float) -> str:
    """Seconds since 1970 in the format of a job's message."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


def parse(text: str) -> float:
    """Seconds since 1970 of an ISO 8601 time or date. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
