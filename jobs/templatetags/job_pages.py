"""Tags and filters for the templates of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from jobs.models import Item, Job
from jobs.presentation.field_changes import field_changes
from jobs.presentation.job_actions import primary_action
from jobs.presentation.job_page import running_time
from jobs.presentation.labels import labels
from jobs.presentation.outcomes import outcome_word
from jobs.presentation.relations import relation_words
from jobs.presentation.statuses import not_taken_back, shown_status, status_template
from jobs.reports.failure_reasons import Cause

register = template.Library()

SECONDS, AGO = mark_safe(' data-seconds="yes"'), mark_safe(' data-ago="yes"')
#: Labels of comments, by who can see them.
COMMENTS = {"public": "public reply", "internal": "internal note"}

register.filter("primary_action", primary_action)
register.filter("status_template", lambda job: status_template(job.status))
register.filter("running_time", running_time)
register.filter("relation_words", relation_words)
register.filter("not_taken_back", not_taken_back)
register.simple_tag(field_changes, name="fields_of")
register.filter("outcome_of", lambda item, job: outcome_word(item.outcome, job))


@register.inclusion_tag("jobs/_badge.html")
def badge(job: Job) -> dict[str, Any]:
    """The status of a job as word, icon and colour."""
    shown = shown_status(job)
    return {"colour": shown.colour, "icon": shown.icon, "label": shown.label}


@register.simple_tag
def moment(at: datetime | None, *, seconds: bool = False, ago: bool = False) -> str:
    """A time in the person's zone; a script may show its seconds, or how long ago it is; "" for none.

    It is built without a template, which took a sixth of the time of a page of the list.
    """
    if at is None:
        return ""
    here = timezone.localtime(at)
    return format_html(
        '<time datetime="{}"{}{}>{} {}, {} {}</time>',
        here.isoformat(),
        SECONDS if seconds else "",
        AGO if ago else "",
        here.day,
        f"{here:%b}",
        f"{here:%H:%M:%S}" if seconds else f"{here:%H:%M}",
        here.tzname() or "",
    )


@register.simple_tag
def item_address(ref: int) -> str:
    """The URL of an item; "" when unknown."""
    return labels().item_address(ref)


@register.filter
def advice(cause: Cause, job: Job) -> str:
    """What a person can do about items of the job with this cause."""
    return labels().advice_on(cause.outcome, cause.reason, job)


@register.filter
def tags_of(item: Item, kind: str) -> list[str]:
    """The tags that an item gains ("add") or loses ("remove")."""
    tags: list[str] = (item.change or {}).get(kind, [])
    return tags


@register.filter
def comment_of(item: Item) -> str:
    """The comment that an item gets, in words: "public reply"; "" for none. Its text is not stored."""
    return COMMENTS.get((item.change or {}).get("comment", ""), "")


@register.filter
def named(key: str) -> str:
    """A stored name as people read it: "include_closed" is "Include closed"."""
    return key.replace("_", " ").capitalize()


@register.filter
def done(job: Job) -> int:
    """How many items have an outcome."""
    return job.found - job.remaining
