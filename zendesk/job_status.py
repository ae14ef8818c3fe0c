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

#: Codes that say why a ticket failed, whatever language the details are in. Letters only, in lower case.
_CONFLICT = frozenset({"updateconflict", "conflict"})
_NOT_FOUND = frozenset({"recordnotfound", "ticketnotfound", "notfound"})
#: Codes of other troubles of Zendesk's own that pass, besides those of its database.
_UNAVAILABLE = re.compile("unavailable|timeout|timedout|toomanyrequests|ratelimit")
#: What `is_passing` codes are in words, where an item has no such code: "Database collision".
_PASSING_TEXT = re.compile("database(collision|conflict|deadlock)")


@dataclass(frozen=True, slots=True)
class ItemResult:
    """The result of one ticket in a bulk job.

    Successes have the ticket's id, failures mostly the id and the index, some only the index: the position
    among the ids sent (the zenpy cassettes; cloudbees-oss/zendesk-java-client issue 98). Beside an id the
    index means nothing: it was 0 in every failed item of a public test.

    An item that names neither success nor failure, or both, has no verdict: the fate of its ticket is
    unknown. Items of create jobs look like that (the zenpy cassettes).
    """

    id: int | None
    index: int | None
    ok: bool
    code: str = ""  # such as TicketUpdateFailed
    text: str = ""  # Zendesk's words
    has_verdict: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ItemResult:
        """Parse one item. It is a success or a failure only if it says so, and does not say both."""
        status = raw.get("status")
        updated = raw.get("success") is True or status == "Updated"
        failed = (
            bool(raw.get("error") or raw.get("errors")) or raw.get("success") is False or status == "Failed"
        )
        # In older items the title is the ticket's subject: not a reason, and not ours to store.
        error = parse_error_object({key: value for key, value in raw.items() if key != "title"})
        has_verdict = updated != failed
        return cls(
            id=_whole_number(raw.get("id"), least=1),
            index=_whole_number(raw.get("index"), least=0),
            ok=updated and has_verdict,
            code=error.code if failed else "",
            text=(joined_details(list(error.details)) or error.text) if failed else "",
            has_verdict=has_verdict,
            raw=raw,
        )

    @property
    def is_conflict(self) -> bool:
        """Someone changed the ticket after the job was queued; bulk jobs never overwrite such changes."""
        return self._is_failure and self._word in _CONFLICT

    @property
    def is_not_found(self) -> bool:
        """The ticket does not exist, or no longer."""
        return self._is_failure and self._word in _NOT_FOUND

    @property
    def is_passing(self) -> bool:
        """It failed for a reason of Zendesk's own that passes."""
        return self._is_failure and (
            is_passing(self.code)
            or bool(_UNAVAILABLE.search(_letters(self.code)))
            or bool(_PASSING_TEXT.match(_letters(self.text)))
        )

    @property
    def _is_failure(self) -> bool:
        return self.has_verdict and not self.ok

    @property
    def _word(self) -> str:
        """The code. Where an item has none, its text may be one: "Update conflict"."""
        return _letters(self.code or self.text)


def _letters(text: str) -> str:
    return re.sub("[^a-z]", "", text.lower())


def _whole_number(value: object, *, least: int) -> int | None:
    """The number that JSON holds as such or, against the documents, as text; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value, re.ASCII):
        value = int(value)
    return value if type(value) is int and value >= least else None


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
