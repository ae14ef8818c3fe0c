"""Old jobs that were deleted: the totals of each run."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from jobs.admin.read_only import ReadOnlyAdmin
from jobs.models import Pruning
from jobs.states import FINAL


def _number_column(field: str, label: str) -> Any:
    @admin.display(description=label)
    def number_of(run: Pruning) -> str:
        return f"{getattr(run, field):,}"

    return number_of


RUN = ("at", "actor", "ended_before")
JOBS, TICKETS = _number_column("jobs", "Jobs"), _number_column("found", "Tickets")
OUTCOMES = tuple(_number_column(outcome.value, outcome.label) for outcome in FINAL)
CALLS = (
    _number_column("calls_read", "Calls that read"),
    _number_column("calls_write", "Calls that write"),
    _number_column("calls_status", "Status checks"),
    _number_column("calls_verify", "Calls that verify"),
)
TROUBLES = (_number_column("workers_lost", "Workers lost"), _number_column("waits", "Waits"))


@admin.register(Pruning)
class PruningAdmin(ReadOnlyAdmin):
    list_title = "Old jobs that were deleted"
    list_display = (*RUN, JOBS, TICKETS, _number_column("changed", "Changed"))
    readonly_fields = (*RUN, JOBS, TICKETS, *OUTCOMES, *CALLS, *TROUBLES)
    fieldsets = (
        (None, {"fields": (*RUN, JOBS, TICKETS)}),
        ("What had become of the tickets", {"fields": OUTCOMES}),
        ("For engineers", {"fields": (*CALLS, *TROUBLES)}),
    )
