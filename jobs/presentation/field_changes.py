"""The fields that an item gets, each with its old and its new value, in words."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.models import Item, Job
from jobs.presentation.labels import labels
from jobs.reports.exports import custom_fields


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; as text it is a phrase: "status: open → solved"."""

    label: str
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.label}: {self.was} → {self.becomes}"


def field_changes(item: Item, job: Job) -> list[FieldChange]:
    """The fields that an item of the job gets; makes no query."""
    before = {**(item.before or {}).get("along", {}), **(item.before or {}).get("fields", {})}
    before |= custom_fields((item.before or {}).get("custom", {}))
    change = item.change or {}
    changes = []
    for name, value in {**change.get("fields", {}), **custom_fields(change.get("custom", {}))}.items():
        label, becomes = labels().field(job, name, value)
        _, was = labels().field(job, name, before.get(name))
        changes.append(FieldChange(label, was, becomes))
    return changes
