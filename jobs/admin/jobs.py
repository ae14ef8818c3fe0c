"""All jobs, with the three actions on those that have not ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from jobs.admin import cells
from jobs.admin.bulk_actions import run_action
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.common.formatting import some
from jobs.common.input import typed_number
from jobs.models import Item, Job
from jobs.presentation.job_summary import request_summary
from jobs.presentation.outcomes import outcome_word
from jobs.states import Outcome
from jobs.views import filters
from jobs.views.permissions import ACT


class ByPerson(admin.SimpleListFilter):
    """The people who asked for jobs, those with a deleted account among them, and the command line."""

    title = "person"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return filters.people_of_jobs()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:  # noqa: ARG002
        name = self.value()
        return queryset.filter(filters.by_person(name)) if name else queryset


class ByTime(admin.DateFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "time"


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_title = "Jobs"
    list_display = (
        "id", "title", "state", "progress", "altered", "lost", "person", "created_at", "took",
    )  # fmt: skip
    list_display_links = ("id", "title")
    list_filter = (
        "status",
        "tool",
        "dry_run",
        ByPerson,
        ("created_at", ByTime),
    )
    search_fields = ("title",)
    search_help_text = (
        "A part of the title, the number of a job, or the number of a ticket: the jobs that had it."
    )
    change_list_template = "admin/jobs/job/change_list.html"
    actions = ("pause", "resume", "cancel")
    fieldsets = (
        (None, {"fields": ("title", "state", "progress", "rows", "person", "error")}),
        ("What was asked for", {"fields": ("asked", "parent", "follow_up", ("canary", "tried_at"))}),
        ("What became of the tickets", {"fields": ("tally", "complete")}),
        (
            "When",
            {
                "fields": (
                    ("created_at", "started_at", "finished_at", "took"),
                    ("waiting_for", "resumes_at"),
                )
            },
        ),
        (
            "For engineers",
            {
                "classes": ("collapse",),
                "fields": (
                    ("calls_read", "calls_write", "calls_status", "calls_verify", "verified"),
                    ("worker", "beat_at", "woken_at", "crash_count"),
                ),
            },
        ),
    )  # fmt: skip

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACT)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Any filter: the table of jobs never has millions of rows."""
        return super(ReadOnlyAdmin, self).lookup_allowed(lookup, value, request)  # type: ignore[arg-type]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: QuerySet[Job] = super().get_queryset(request)
        return jobs.select_related("created_by", "parent").defer(
            "cursor", "parent__params", "parent__options", "parent__source"
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        number = typed_number(search_term)
        if number is None:
            return super().get_search_results(request, queryset, search_term)
        held = Item.objects.filter(ref=number).values("job_id")
        found = Q(pk=number) | Q(pk__in=held)
        if not search_term.strip().startswith("#"):
            found |= Q(title__contains=search_term.strip())
        return queryset.filter(found), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        asked = {"ticket": typed_number(request.GET.get("q", ""))}
        return super().changelist_view(request, asked | (extra_context or {}))

    def view_on_site(self, job: Job) -> str:
        return job.get_absolute_url()

    @admin.display(description="Status", ordering="status")
    def state(self, job: Job) -> str:
        return cells.status_of(job)

    @admin.display(description="Progress")
    def progress(self, job: Job) -> str:
        return cells.progress_of(job)

    @admin.display(description="Asked for by")
    def person(self, job: Job) -> str:
        return job.asked_by

    @admin.display(description="Took")
    def took(self, job: Job) -> str:
        return cells.elapsed(job.started_at, job.finished_at)

    @admin.display(description="Its rows")
    def rows(self, job: Job) -> str:
        return cells.join_links(
            cells.list_link("item", some(job.found, "ticket"), job__id__exact=job.pk),
            cells.list_link("batch", "Batches", job__id__exact=job.pk),
            cells.list_link("transition", "Timeline", job__id__exact=job.pk),
        )

    @admin.display(description="Request")
    def asked(self, job: Job) -> str:
        return cells.join_lines(f"{name}: {value}" for name, value in request_summary(job))

    @admin.display(description="Changed", ordering="changed")
    def altered(self, job: Job) -> str:
        return f"{job.changed:,}"

    @admin.display(description="Failed", ordering="failed")
    def lost(self, job: Job) -> str:
        return f"{job.failed:,}"

    @admin.display(description="Tickets")
    def tally(self, job: Job) -> str:
        counts = [(outcome_word(name, job), number) for name, number in job.counts.items()]
        counts.append((outcome_word(Outcome.PENDING, job), job.remaining))
        return cells.join_lines(f"{number:,} {word}" for word, number in counts if number)

    @admin.display(description="List complete since")
    def complete(self, job: Job) -> str:
        return cells.format_moment(job.frozen_at) if job.frozen_at else "Not complete yet"

    @admin.display(description="Worker")
    def worker(self, job: Job) -> str:
        return job.lease_owner or cells.NOTHING

    @admin.action(description="Pause the chosen jobs", permissions=["run"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Job]) -> HttpResponse:
        return run_action(self, "pause", request, chosen)

    @admin.action(description="Resume the chosen jobs", permissions=["run"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Job]) -> HttpResponse:
        return run_action(self, "resume", request, chosen)

    @admin.action(description="Cancel the chosen jobs", permissions=["run"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> HttpResponse:
        return run_action(self, "cancel", request, chosen)
