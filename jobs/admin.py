"""Oversight: everything can be seen here and nothing can be edited.

A status changed by hand, a batch deleted, or a task of the queue sent again would break what the engine
relies on. What a person may do to a job goes through `jobs.actions`, here as on the pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_q.admin  # noqa: F401 - registers its editable pages, which are replaced below
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs import actions
from jobs.access import ACT, signed_in
from jobs.actors import person
from jobs.doings import ACTIONS
from jobs.models import Batch, Item, Job, Transition

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnly(ModelAdmin):
    """Nothing can be added, changed or deleted, whatever permissions a person has."""

    show_full_result_count = False  # counting a million items for a note beside the search costs seconds
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


class SearchedByNumber(ReadOnly):
    """Its search takes whole numbers, and asks an index for them."""

    searched_field = "pk"
    search_fields = ("pk",)  # shows the field; the search itself is below

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().removeprefix("#")
        if not term:
            return queryset, False
        if not (term.isascii() and term.isdigit() and len(term) < 19):
            self.message_user(request, "Search for a whole number, such as 4711.", messages.WARNING)
            return queryset.none(), False
        return queryset.filter(**{self.searched_field: int(term)}), False


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = (
        "id",
        "title",
        "status",
        "dry_run",
        "total",
        "changed",
        "failed",
        "created_by",
        "created_at",
    )
    list_display_links = ("id", "title")
    list_filter = ("status", "tool", "dry_run", "created_at")
    list_select_related = ("created_by",)
    search_fields = ("title",)
    exclude = ("lease_token", "nonce")
    readonly_fields = ("page",)
    actions = ("pause", "resume", "cancel")

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACT)

    @admin.display(description="Page")
    def page(self, job: Job) -> str:
        return format_html('<a href="{}">Job {}</a>', job.get_absolute_url(), job.pk)

    @admin.action(description="Pause the chosen jobs", permissions=["run"])
    def pause(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._do("pause", "told to pause", request, jobs)

    @admin.action(description="Resume the chosen jobs", permissions=["run"])
    def resume(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._do("resume", "told to go on", request, jobs)

    @admin.action(description="Cancel the chosen jobs", permissions=["run"])
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._do("cancel", "told to stop", request, jobs)

    def _do(self, name: str, done: str, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Each job by itself, so that one refusal does not keep the others back."""
        reached = 0
        for job in jobs:
            try:
                ACTIONS[name](job, person(signed_in(request)))
            except actions.NotPossible as problem:
                self.message_user(request, str(problem), messages.WARNING)
            else:
                reached += 1
        if reached:
            word = "job was" if reached == 1 else "jobs were"
            self.message_user(request, f"{reached} {word} {done}.", messages.SUCCESS)


@admin.register(Batch)
class BatchAdmin(SearchedByNumber):
    list_display = ("id", "job_id", "state", "size", "attempt", "changed", "failed", "sent_at", "settled_at")
    list_filter = ("state",)
    searched_field = "job_id"
    search_help_text = "The number of a job."
    raw_id_fields = ("job",)


@admin.register(Item)
class ItemAdmin(SearchedByNumber):
    list_display = ("id", "ref", "job_id", "outcome", "reason", "detail")
    list_display_links = ("id", "ref")
    list_filter = ("outcome",)
    searched_field = "ref"
    search_help_text = "A ticket number: what was ever done to it?"
    raw_id_fields = ("job", "batch")


@admin.register(Transition)
class TransitionAdmin(SearchedByNumber):
    list_display = ("id", "job_id", "from_status", "to_status", "actor", "why", "at")
    list_filter = ("to_status", "at")
    searched_field = "job_id"
    search_help_text = "The number of a job."
    raw_id_fields = ("job", "user")


for model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(model)


@admin.register(Failure, Success)
class TaskAdmin(ReadOnly):
    """Tasks of the queue that ended; a task is only a wake-up, so there is nothing to send again."""

    list_display = ("name", "func", "started", "stopped", "attempt_count")
    fields = ("name", "func", "cluster", "started", "stopped", "attempt_count", "result")


@admin.register(OrmQ)
class QueueAdmin(ReadOnly):
    """Wake-ups that lie in the queue."""

    list_display = ("id", "key", "lock")
    fields = ("key", "lock")


@admin.register(Schedule)
class ScheduleAdmin(ReadOnly):
    """What the queue does by the clock. It runs any function by its name, so it is never editable here."""

    list_display = ("id", "name", "func", "schedule_type", "next_run")
    fields = ("name", "func", "schedule_type", "minutes", "cron", "repeats", "next_run", "cluster")
