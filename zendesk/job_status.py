"""Zendesk's own bulk jobs: how far one is, and what became of each ticket."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk.error_body import error_body_of, flattened
from zendesk.errors import UnexpectedAnswer

log = logging.getLogger(__name__)

RUNNING = frozenset({"queued", "working"})
OVER = frozenset({"completed", "failed", "killed"})

_CLOSED = re.compile(r"closed prevents ticket update", re.IGNORECASE)
_CONFLICT = re.compile(
    r"update ?conflict|^conflict$|safe update prevented|outdated ticket data", re.IGNORECASE
)
_NOT_FOUND = re.compile(
    r"record ?not ?found|ticket ?not ?found|couldn't find ticket|^not ?found", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one ticket of a bulk job.

    Successes name the ticket and no index, failures mostly both, some only the index: the place in the
    ids as they were sent (the zenpy cassettes; cloudbees-oss/zendesk-java-client issue 98).
    """

    id: int | None
    index: int | None
    ok: bool
    code: str = ""  # such as TicketUpdateFailed
    text: str = ""  # Zendesk's words
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ItemResult:
        """Read one item. An item is good only if it says so: no success key on a failure is the rule."""
        id_, index = raw.get("id"), raw.get("index")
        no_error = not raw.get("error") and not raw.get("errors")
        ok = raw.get("success") is True or (no_error and raw.get("status") == "Updated")
        # Older items carry the ticket's subject as their title: not a reason, and not to be kept.
        said = error_body_of({key: value for key, value in raw.items() if key != "title"})
        return cls(
            id=id_ if type(id_) is int else None,
            index=index if type(index) is int else None,
            ok=ok,
            code="" if ok else said.code,
            text="" if ok else flattened(list(said.details)) or said.text,
            raw=raw,
        )

    @property
    def is_conflict(self) -> bool:
        """Someone changed the ticket after the job was queued; bulk jobs never overwrite that."""
        return self._says(_CONFLICT)

    @property
    def is_closed(self) -> bool:
        """The ticket is closed, and the account does not let closed tickets be changed."""
        return self._says(_CLOSED)

    @property
    def is_not_found(self) -> bool:
        """There is no such ticket (any more)."""
        return self._says(_NOT_FOUND)

    def _says(self, pattern: re.Pattern[str]) -> bool:
        return not self.ok and bool(pattern.search(self.code) or pattern.search(self.text))


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A bulk job as it is now. Zendesk forgets it a day after it was made (formerly an hour).

    ``results`` is None until the job is over. A ticket that no result names has an unknown outcome, even
    in a job that succeeded.
    """

    id: str
    status: str  # queued, working, completed, failed, killed
    total: int | None = None
    progress: int | None = None
    message: str = ""
    results: list[ItemResult] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Any) -> JobStatus:
        """Raises UnexpectedAnswer when the job has no id or no status."""
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
        if job.status not in RUNNING | OVER:
            log.warning("bulk job %s has the unknown status %r; taken as still running", job.id, job.status)
        return job

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def succeeded(self) -> bool:
        """The job went through to its end. Single tickets may have failed all the same: see results."""
        return self.status == "completed"


def _results(raw: Any) -> list[ItemResult] | None:
    """A list of items; an object is one result about the whole job, as permanent deletion sends it."""
    if raw is None:
        return None
    items = raw if isinstance(raw, list) else [raw]
    read = [ItemResult.from_json(item) for item in items if isinstance(item, dict)]
    if len(read) < len(items):
        log.warning("%d results of a bulk job are not objects and were left out", len(items) - len(read))
    return read
