"""Old jobs that were deleted: of each run what they added up to."""

from __future__ import annotations

from django.contrib import admin

from jobs.admin.reading import ReadOnly
from jobs.models import Pruning


@admin.register(Pruning)
class PruningAdmin(ReadOnly):
    list_title = "Old jobs that were deleted"
    list_display = ("at", "actor", "ended_before", "jobs", "tickets", "changed")
    fieldsets = (
        (None, {"fields": ("at", "actor", "ended_before", "jobs", "tickets")}),
        (
            "What had become of the tickets",
            {"fields": ("planned", "changed", "unchanged", "skipped", "failed", "unverified")},
        ),
        (
            "For engineers",
            {"fields": (("calls_read", "calls_write", "calls_status"), "workers_lost", "waits")},
        ),
    )

    @admin.display(description="Tickets")
    def tickets(self, run: Pruning) -> str:
        return f"{run.found:,}"
