"""Zendesk's bulk jobs: their status and the result of each ticket."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zendesk.answer_headers import IgnoredPart, JobSlots, ignored_part
from zendesk.error_body import is_passing, joined_details, parse_error_object
from zendesk.errors import UnexpectedAnswer

log = logging.getLogger(__name__)

OPEN = frozenset({"queued", "working"})
ENDED = frozenset({"completed", "failed", "killed"})

_CLOSED = re.compile(r"closed prevents ticket update", re.IGNORECASE)
_CONFLICT = re.compile(
    r"update ?conflict|^conflict$|safe update prevented|outdated ticket data", re.IGNORECASE
)
_NOT_FOUND = re.compile(
    r"record ?not ?found|ticket ?not ?found|couldn't find ticket|^not ?found", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one ticket in a bulk job.

    Successes have the ticket's id, failures mostly the id and the index, some only the index: the position
    among the ids sent (the zenpy cassettes; cloudbees-oss/zendesk-java-client issue 98).
    """

    id: int | None
    index: int | None
    ok: bool
    code: str = ""  # such as TicketUpdateFailed
    text: str = ""  # Zendesk's words
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ItemResult:
        """Parse one item. It is a success only if it says so: failures often lack the key."""
        id_, index = raw.get("id"), raw.get("index")
        no_error = not raw.get("error") and not raw.get("errors")
        ok = raw.get("success") is True or (no_error and raw.get("status") == "Updated")
        # In older items the title is the ticket's subject: not a reason, and not ours to store.
        error = parse_error_object({key: value for key, value in raw.items() if key != "title"})
        return cls(
            id=id_ if type(id_) is int else None,
            index=index if type(index) is int else None,
            ok=ok,
            code="" if ok else error.code,
            text="" if ok else joined_details(list(error.details)) or error.text,
            raw=raw,
        )

    @property
    def is_conflict(self) -> bool:
        """Someone changed the ticket after the job was queued; bulk jobs never overwrite such changes."""
        return self._says(_CONFLICT)

    @property
    def is_passing(self) -> bool:
        """Zendesk's database was busy with the ticket and changed nothing: the change may be repeated."""
        return not self.ok and is_passing(self.code)

    @property
    def is_closed(self) -> bool:
        """The ticket is closed, and the account does not allow changes to closed tickets."""
        return self._says(_CLOSED)

    @property
    def is_not_found(self) -> bool:
        """The ticket does not exist, or no longer."""
        return self._says(_NOT_FOUND)

    def _says(self, pattern: re.Pattern[str]) -> bool:
        return not self.ok and bool(pattern.search(self.code) or pattern.search(self.text))


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The current state of a bulk job, which Zendesk keeps for a day (formerly an hour).

    ``results`` is None until the job has ended. The outcome of a ticket without a result is unknown, even in
    a job that succeeded.
    """

    id: str
    status: str  # queued, working, completed, failed, killed
    total: int | None = None
    progress: int | None = None
    message: str = ""
    results: list[ItemResult] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    # From the headers of the answer to the call that queued it:
    slots: JobSlots | None = None  # those of the account, this job counted; None: not named
    ignored: IgnoredPart | None = None  # what Zendesk ignores of the call; None: nothing

    def with_headers(self, headers: Mapping[str, str]) -> JobStatus:
        return replace(self, slots=JobSlots.from_headers(headers), ignored=ignored_part(headers))

    @classmethod
    def from_json(cls, raw: Any) -> JobStatus:
        """Parse a job. Raises UnexpectedAnswer if it has no id or no status."""
        if not isinstance(raw, dict) or not raw.get("id") or not isinstance(raw.get("status"), str):
            raise UnexpectedAnswer("Zendesk sent a bulk job without an id or without a status.")
        total, progress, message = raw.get("total"), raw.get("progress"), raw.get("message")
        job = cls(
            id=str(raw["id"]),
            status=raw["status"],
            total=total if type(total) is int else None,
            progress=progress if type(progress) is int else None,
            message=message if isinstance(message, str) else "",
            results=_results(raw.get("results")),
            raw=raw,
        )
        if job.status not in OPEN | ENDED:
            log.warning("bulk job %s has the unknown status %r; taken as still running", job.id, job.status)
        return job

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    @property
    def succeeded(self) -> bool:
        """The job completed. Single tickets may still have failed: see ``results``."""
        return self.status == "completed"


def _results(raw: Any) -> list[ItemResult] | None:
    """The items; an object instead of a list is one result for the whole job, as in permanent deletion."""
    if raw is None:
        return None
    items = raw if isinstance(raw, list) else [raw]
    parsed = [ItemResult.from_json(item) for item in items if isinstance(item, dict)]
    if len(parsed) < len(items):
        log.warning("ignored %d results of a bulk job that are not objects", len(items) - len(parsed))
    return parsed
