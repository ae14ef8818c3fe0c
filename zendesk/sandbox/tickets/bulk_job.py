"""One bulk job: the updates it was given and the results it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from zendesk.sandbox.faults import FaultRule

JobStatus = Literal["queued", "working", "completed", "failed", "killed"]


@dataclass(frozen=True, slots=True)
class TicketUpdate:
    """One ticket's update within a job. `index` is its position in the call."""

    index: int
    ticket_id: int
    change: Mapping[str, Any]
    stamp: str | None = None
    lacks_stamp: bool = False


@dataclass(slots=True)
class BulkJob:
    id: str
    updates: list[TicketUpdate]
    queued_at: float
    queued_at_sequence: int
    begins_at: float
    seconds_per_ticket: float
    faults: list[FaultRule] = field(default_factory=list)
    status: JobStatus = "queued"
    progress: int | None = None
    message: str | None = None
    ended_at: float | None = None
    items: list[int | dict[str, Any]] = field(default_factory=list)
    """The results: only the id of an updated ticket, to save memory, or the whole item of another."""
    total: int = 0

    def __post_init__(self) -> None:
        self.total = len(self.updates)

    def fault(self, *kinds: str) -> FaultRule | None:
        return next((rule for rule in self.faults if rule.kind in kinds), None)

    @property
    def is_open(self) -> bool:
        return self.status in ("queued", "working")

    @property
    def breaks_after(self) -> int | None:
        """Number of tickets after which the whole job fails; None if it does not."""
        rule = self.fault("job_failed", "job_killed", "poison")
        return None if rule is None else min(int(rule.params.get("done", 0)), len(self.updates))

    def _results(self) -> Any:
        if self.status != "completed" or self.fault("results_null"):
            return None
        if self.fault("results_object"):
            return {"success": True}
        if self.fault("other_ids"):
            return [shown_result(item) | {"id": -number} for number, item in enumerate(self.items, 1)]
        missing = self.fault("results_missing")
        count = 0 if missing is None else int(missing.params.get("count", 1))
        return [shown_result(item) for item in self.items[: max(0, len(self.items) - count)]]

    def to_json(self, base: str, *, with_type: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id}
        if with_type:
            shown["job_type"] = "Bulk Update Ticket"
        return shown | {
            "url": f"{base}/api/v2/job_statuses/{self.id}.json",
            "total": self.total,
            "progress": self.progress,
            "status": self.status,
            "message": self.message,
            "results": self._results(),
        }


def shown_result(item: int | dict[str, Any]) -> dict[str, Any]:
    """A result item. Successes have no `index`, failures no `success`."""
    if isinstance(item, int):
        return {"action": "update", "status": "Updated", "success": True, "id": item}
    return item
