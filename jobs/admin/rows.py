"""Batches, items and transitions: tables that grow to millions of rows, found by a number."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from jobs.admin import cells
from jobs.admin.read_only import JOB_LOOKUP, NumberSearchAdmin
from jobs.engine.batcher import UNREAD
from jobs.models import Batch, Item, Transition
from jobs.presentation.outcomes import outcome_word
from jobs.states import BATCH_COUNTS, WITH_CHANGE, BatchState, Outcome

IN_FLIGHT = "in_flight"


class ByOutcome(admin.SimpleListFilter):
    """Offered within one job: only there does an index find the outcomes."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return list(Outcome.choices) if JOB_LOOKUP in request.GET else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        narrowed = JOB_LOOKUP in request.GET and self.value() in Outcome.values
        return queryset.filter(outcome=self.value()) if narrowed else queryset


class ByState(admin.SimpleListFilter):
    """Batches in flight have an index of their own; other states are offered only within one job."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(IN_FLIGHT, "In flight"), *(BatchState.choices if JOB_LOOKUP in request.GET else [])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Batch]) -> QuerySet[Batch]:
        if self.value() == IN_FLIGHT:
            return queryset.filter(state__in=[BatchState.SENDING, BatchState.SENT])
        narrowed = JOB_LOOKUP in request.GET and self.value() in BatchState.values
        return queryset.filter(state=self.value()) if narrowed else queryset


class ByKindOfActor(admin.SimpleListFilter):
    """What people did, without the many steps of the workers."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("people", "People")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transition]) -> QuerySet[Transition]:  # noqa: ARG002
        return queryset.filter(by_person=True) if self.value() == "people" else queryset


@admin.register(Item)
class ItemAdmin(NumberSearchAdmin):
    """One ticket in one job; searched by the ticket's number, it tells all that was ever done to it."""

    list_title = "What was done to which ticket"
    list_display = ("ticket", "of_job", "ended", "added", "removed", "because", "at", "asked_by")
    list_display_links = ("ticket",)
    list_filter = (ByOutcome,)
    lookups = (JOB_LOOKUP, "batch__id__exact", ByOutcome.parameter_name)
    searched_field = "ref"
    search_help_text = "A ticket number: all that was ever done to it, the latest job first."
    fieldsets = (
        (None, {"fields": ("number", "everything", "of_job", "in_batch", "asked_by")}),
        ("What became of it", {"fields": ("ended", "because", "reason", "at", "added", "removed")}),
        ("As it was read", {"fields": ("tags_before", "status_before", "planned")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Item]:
        items: QuerySet[Item] = super().get_queryset(request)
        # The request of a job may be long, and is not shown here.
        return items.select_related("job__created_by", "batch").defer(
            "job__params", "job__options", "job__source", "job__cursor", "batch__change"
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # The order of the index that finds the items of a job; ordering by `pk` would sort them all.
        return ("ref",) if JOB_LOOKUP in request.GET else ("-pk",)

    @admin.display(description="Ticket")
    def ticket(self, item: Item) -> int:
        return item.ref

    @admin.display(description="Ticket")
    def number(self, item: Item) -> str:
        return cells.outside_link(item)

    @admin.display(description="Other jobs")
    def everything(self, item: Item) -> str:
        return cells.list_link("item", f"All that was ever done to {item.ref}", q=item.ref)

    @admin.display(description="Job")
    def of_job(self, item: Item) -> str:
        return cells.job_link(item.job)

    @admin.display(description="Batch")
    def in_batch(self, item: Item) -> str:
        return cells.batch_link(item.batch)

    @admin.display(description="Asked for by")
    def asked_by(self, item: Item) -> str:
        return item.job.asked_by

    @admin.display(description="Outcome")
    def ended(self, item: Item) -> str:
        return cells.outcome_of(item, outcome_word(item.outcome, item.job))

    @admin.display(description="Tags added")
    def added(self, item: Item) -> str:
        return cells.changed_tags(item, "add")

    @admin.display(description="Tags removed")
    def removed(self, item: Item) -> str:
        return cells.changed_tags(item, "remove")

    @admin.display(description="Why")
    def because(self, item: Item) -> str:
        return item.detail or item.reason or cells.NOTHING

    @admin.display(description="When")
    def at(self, item: Item) -> str:
        return cells.outcome_moment(item)

    @admin.display(description="Tags before")
    def tags_before(self, item: Item) -> str:
        return cells.tags((item.before or {}).get("tags", ()))

    @admin.display(description="Status before")
    def status_before(self, item: Item) -> str:
        return str((item.before or {}).get("status") or cells.NOTHING)

    @admin.display(description="Planned, not done")
    def planned(self, item: Item) -> str:
        if item.outcome in WITH_CHANGE or not item.change:
            return cells.NOTHING
        parts = [
            f"{word} {', '.join(item.change[word])}" for word in ("add", "remove") if item.change.get(word)
        ]
        return "; ".join(parts) or cells.NOTHING


@admin.register(Batch)
class BatchAdmin(NumberSearchAdmin):
    list_title = "What was sent together"
    list_display = (
        "id", "of_job", "state", "size", "attempt", "changed", "failed", "sent_at", "settled_at",
    )  # fmt: skip
    list_filter = (ByState,)
    lookups = (JOB_LOOKUP, ByState.parameter_name)
    searched_field = "job_id"
    search_help_text = "The number of a job."
    fieldsets = (
        (None, {"fields": ("of_job", "tickets", "state", "attempt", "size", "note")}),
        ("What was sent", {"fields": ("adds", "removes", "receipt", "read_at", "sent_at", "settled_at")}),
        ("What became of it", {"fields": BATCH_COUNTS}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        batches: QuerySet[Batch] = super().get_queryset(request)
        return batches.select_related("job").defer(
            "job__params", "job__options", "job__source", "job__cursor"
        )

    @admin.display(description="Job")
    def of_job(self, batch: Batch) -> str:
        return cells.job_link(batch.job)

    @admin.display(description="Tickets")
    def tickets(self, batch: Batch) -> str:
        return cells.list_link("item", "The tickets of this batch", batch__id__exact=batch.pk)

    @admin.display(description="Tags to add")
    def adds(self, batch: Batch) -> str:
        return self._sent(batch, "add")

    @admin.display(description="Tags to remove")
    def removes(self, batch: Batch) -> str:
        return self._sent(batch, "remove")

    def _sent(self, batch: Batch, kind: str) -> str:
        if batch.key == UNREAD:
            return "Not read yet"
        if batch.change is None:
            return "Each ticket has its own"
        return cells.tags(batch.change.get(kind, ()), f"tag-{kind}")


@admin.register(Transition)
class TransitionAdmin(NumberSearchAdmin):
    list_title = "Who did what to which job, and when"
    list_display = ("id", "of_job", "from_status", "to_status", "who", "why", "at")
    list_filter = (ByKindOfActor,)
    lookups = (JOB_LOOKUP, ByKindOfActor.parameter_name)
    searched_field = "job_id"
    search_help_text = "The number of a job."
    fields = ("of_job", "from_status", "to_status", "who", "user", "why", "at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transition]:
        steps: QuerySet[Transition] = super().get_queryset(request)
        return steps.select_related("job", "user").defer(
            "job__params", "job__options", "job__source", "job__cursor"
        )

    @admin.display(description="Job")
    def of_job(self, step: Transition) -> str:
        return cells.job_link(step.job)

    @admin.display(description="Actor")
    def who(self, step: Transition) -> str:
        return step.who
