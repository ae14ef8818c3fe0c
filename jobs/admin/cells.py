"""The content of cells: a job's progress, a status, tags, links to related rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from jobs.common.formatting import duration
from jobs.models import Batch, Item, Job
from jobs.presentation.outcomes import OUTCOMES
from jobs.presentation.statuses import shown_status
from jobs.reports.progress import percent_of
from jobs.states import WITH_CHANGE, Outcome
from jobs.templatetags.job_pages import done, item_address, tags_of

NOTHING = "\N{EM DASH}"


def progress_of(job: Job) -> SafeString:
    """The job's progress in numbers and, once the total is known, as a bar."""
    if job.total is None:
        return format_html("{} found so far", f"{job.found:,}")
    reached = done(job)
    words = f"{reached:,} of {job.total:,}"
    if not job.total:
        return format_html("{}", words)
    return format_html(
        '<progress max="{}" value="{}" aria-hidden="true"></progress> {} ({} %)',
        job.total,
        reached,
        words,
        percent_of(job),
    )


def status_of(job: Job) -> SafeString:
    """The status as a coloured word, and whether it is a dry run."""
    shown = shown_status(job)
    return format_html(
        '<span class="status status-{}">{}</span> {}',
        shown.colour,
        shown.label,
        "dry run" if job.dry_run else "",
    )


def outcome_of(item: Item, word: str) -> SafeString:
    return format_html('<span class="status status-{}">{}</span>', OUTCOMES[item.outcome].colour, word)


def changed_tags(item: Item, kind: str) -> SafeString | str:
    """The tags that the ticket really gained ("add") or lost ("remove"), or would in a dry run."""
    return tags(tags_of(item, kind) if item.outcome in WITH_CHANGE else (), f"tag-{kind}")


def tags(names: Iterable[str], look: str = "") -> SafeString | str:
    shown = format_html_join(" ", '<span class="tag {}">{}</span>', ((look, name) for name in names))
    return shown or NOTHING


def outcome_moment(item: Item) -> str:
    """When the outcome was known: the batch settled or, for an item never sent, the list was complete."""
    if item.outcome == Outcome.PENDING:
        return NOTHING
    sent = item.batch and (item.batch.settled_at or item.batch.sent_at)
    moment = sent or item.job.frozen_at
    return format_moment(moment) if moment else NOTHING


def format_moment(moment: datetime) -> str:
    """As Django formats the times of fields, in the person's zone."""
    return date_format(localtime(moment), "DATETIME_FORMAT")


def job_link(job: Job) -> SafeString:
    return format_html('<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[job.pk]), job)


def job_number(pk: int | None) -> SafeString | str:
    """A link to a job of which only the number is known."""
    if pk is None:
        return NOTHING
    return format_html('<a href="{}">Job {}</a>', reverse("admin:jobs_job_change", args=[pk]), pk)


def batch_link(batch: Batch | None) -> SafeString | str:
    if batch is None:
        return "None: it was never sent"
    address = reverse("admin:jobs_batch_change", args=[batch.pk])
    return format_html('<a href="{}">Batch {}</a>', address, batch.pk)


def list_link(model: str, words: str, **query: object) -> SafeString:
    """A link to the filtered list of a model."""
    address = reverse(f"admin:jobs_{model}_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, urlencode(query), words)


def outside_link(item: Item) -> SafeString | str:
    """A link to where people see the item."""
    address = item_address(item.ref)
    if not address:
        return str(item.ref)
    return format_html('<a href="{}" rel="noreferrer">{}</a>', address, item.ref)


def elapsed(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return NOTHING
    return duration((end - start).total_seconds())


def join_links(*ways: SafeString) -> SafeString:
    return format_html_join(" · ", "{}", ((way,) for way in ways))


def join_lines(sentences: Iterable[str]) -> SafeString:
    return format_html_join("", "<div>{}</div>", ((sentence,) for sentence in sentences))
