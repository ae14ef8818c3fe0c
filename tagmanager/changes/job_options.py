"""What is asked of a job on tickets besides its tool's parameters, as `Job.options` holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.models import Job
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.macros.field_names import FieldNames
from tagmanager.ticket_change import Json


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The same for every tool; the names in JSON are stored with jobs and stay."""

    include_closed: bool = False
    only: TicketFilter = field(default_factory=TicketFilter)
    guard: str = ""  # the guard tag; "" for none
    field_names: FieldNames = field(default_factory=FieldNames)
    verify: str = ""  # what is read back, one of `jobs.work.Verify`; "" as the setting says

    def to_json(self) -> Json:
        stored: Json = {"include_closed": self.include_closed}
        if self.only:
            stored["only"] = self.only.to_json()
        if self.guard:
            stored["guard"] = self.guard
        if self.field_names:
            stored["field_names"] = self.field_names.to_json()
        if self.verify:
            stored["verify"] = self.verify
        return stored

    @classmethod
    def of(cls, job: Job) -> JobOptions:
        """No query."""
        stored = job.chosen_options
        return cls(
            bool(stored.get("include_closed")),
            TicketFilter.from_json(stored.get("only", {})),
            stored.get("guard", ""),
            FieldNames(**stored.get("field_names", {})),
            stored.get("verify", ""),
        )
