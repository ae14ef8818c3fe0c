"""Which jobs a list shows, as its URL says: a tab of statuses, and the filters of the form above it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone

from jobs.actors import COMMAND_LINE, DELETED, Actor
from jobs.common.input import typed_number
from jobs.models import Item, Job, JobQuerySet
from jobs.presentation.labels import labels
from jobs.presentation.outcomes import Reasons, outcomes_with
from jobs.presentation.statuses import ACTIVE_TAB, ATTENTION_TAB, CANCELLED_TAB, FINISHED_TAB, shown_under
from jobs.states import Status

#: In place of a person's name: jobs made on the command line.
NOBODY = "-"
#: Qualifiers in the search box, such as tag:vip or error:"Status: closed".
QUALIFIER = re.compile(r'(?<!\S)(tag|by|tool|error|status):("[^"]*"|\S+)', re.IGNORECASE)
#: Days beyond these overflow in some time zones, and nobody needs them.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
#: People and tools offered at most; a URL may name any.
MOST_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Tab:
    """A group of statuses, by its name in the URL."""

    name: str
    label: str

    @property
    def statuses(self) -> frozenset[Status]:
        """Those of the jobs under this tab; jobs that need attention are fewer, see `needing_attention`."""
        return shown_under(self.name) if self.name else frozenset(Status)

    def of(self, jobs: JobQuerySet) -> JobQuerySet:
        """Only the jobs under this tab."""
        if self.name == ATTENTION_TAB:
            return jobs.needing_attention()
        return jobs.filter(status__in=self.statuses) if self.name else jobs


TABS = (
    Tab("", "All"),
    Tab(ACTIVE_TAB, "Active"),
    Tab(ATTENTION_TAB, "Needs attention"),
    Tab(FINISHED_TAB, "Finished"),
    Tab(CANCELLED_TAB, "Cancelled"),
)


def tab_of(data: QueryDict) -> Tab:
    """The tab that `?show=` names; an unknown name means all."""
    return next((tab for tab in TABS if tab.name == data.get("show", "")), TABS[0])


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        error_messages={"invalid": "Give a day as 2026-11-23."},
    )


class FilterForm(forms.Form):
    """The filters of the list. A value that is not valid is reported, and ignored."""

    q = forms.CharField(
        label="Find jobs",
        required=False,
        max_length=200,
        help_text="A part of the title, a number, or tag:vip, by:ana, status:partial, error:closed",
    )
    tool = forms.CharField(label="Tool", required=False, max_length=64, widget=forms.Select)
    by = forms.CharField(label="Person", required=False, max_length=150, widget=forms.Select)
    tag = forms.CharField(label="Tag", required=False, max_length=255)
    since = _day("From")
    until = _day("To")

    def __init__(self, data: QueryDict, *, offer: bool = True) -> None:
        """With `offer` the known tools and people are read for the form, in two queries."""
        super().__init__(data, auto_id="filter-%s")
        for field in self.fields.values():
            look = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs["class"] = f"{look} {look}-sm"
        if offer:
            tools = Job.objects.order_by("tool").values_list("tool", flat=True).distinct()[:MOST_OFFERED]
            self._offer("tool", "Any tool", [(slug, labels().tool_name(slug)) for slug in tools])
            self._offer("by", "Anyone", people_of_jobs())

    def _offer(self, name: str, all_of_them: str, choices: list[tuple[str, str]]) -> None:
        asked = str(self.data.get(name, ""))
        if asked and asked not in dict(choices):
            choices = [*choices, (asked, asked)]
        widget = self.fields[name].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", all_of_them), *choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first one.")
        return cleaned

    @property
    def problems(self) -> list[str]:
        """A sentence for each value in the URL that is not valid."""
        return [
            f"{self.fields[name].label}: {sentence} It was left out."
            for name, sentences in self.errors.items()
            for sentence in sentences
        ]

    @property
    def is_narrow(self) -> bool:
        """Whether something besides the tab narrows the list."""
        self.errors  # noqa: B018 - cleans the form
        return any(self.cleaned_data.values())

    @property
    def has_other_filters(self) -> bool:
        """Whether something besides the search box is filled in, valid or not."""
        return any(self.data.get(name) for name in self.base_fields if name != "q")

    def narrow(self, jobs: JobQuerySet) -> JobQuerySet:
        """Only the jobs that match all filters."""
        self.errors  # noqa: B018 - cleans the form
        asked = self.cleaned_data
        for name, value in [*_qualifiers(asked.get("q", "")), *asked.items()]:
            if value and name in FILTERS:
                jobs = FILTERS[name](jobs, value)
        if since := asked.get("since"):
            jobs = jobs.filter(created_at__gte=_start_of(since))
        if until := asked.get("until"):
            jobs = jobs.filter(created_at__lt=_start_of(until + timedelta(days=1)))
        return jobs


def filter_query(data: QueryDict) -> str:
    """The part of a URL that selects jobs, to be kept across pages and actions."""
    kept = QueryDict(mutable=True)
    for name in ("show", *FilterForm.base_fields):
        if value := data.get(name, "").strip():
            kept[name] = value
    return kept.urlencode()


def _qualifiers(text: str) -> Iterator[tuple[str, str]]:
    """The pairs name:value in the search box, and the rest of it as a part of the title."""
    for found in QUALIFIER.finditer(text):
        yield found[1].lower(), found[2].strip('"')
    yield "title", " ".join(QUALIFIER.sub(" ", text).split())


def _by_title(text: str) -> Q:
    """A part of the title, or the job's own number with or without #."""
    found = Q(title__icontains=text)
    number = typed_number(text)
    return found if number is None else found | Q(pk=number)


def _by_tag(tag: str) -> Q:
    """Jobs that add, remove or set the tag, or that chose their tickets by it.

    The tag is searched in the text of the parameters as a JSON value, which no colon follows, unlike a key.
    One database stores letters beyond ASCII as they are, the other escapes them.
    """
    found = Q(source__tag=tag)
    for written in {json.dumps(tag), json.dumps(tag, ensure_ascii=False)}:
        is_value = (Q(params_text__contains=written + end) for end in (",", "]", "}"))
        # The bare tag comes first because most jobs lack it, and each search casts the parameters to text.
        found |= Q(params_text__contains=written) & reduce(or_, is_value)
    return found


def people_of_jobs() -> list[tuple[str, str]]:
    """Who asked for jobs, each as a value for `by_person` and a label, in one query."""
    living = get_user_model().objects.filter(Exists(Job.objects.filter(created_by=OuterRef("pk"))))
    deleted = Job.objects.filter(created_by=None).exclude(created_by_name="")
    found = (
        living.values_list("username", Value(False))
        .union(deleted.order_by().values_list("created_by_name", Value(True)))
        .order_by("username")[:MOST_OFFERED]
    )
    people = [Actor(name=name, is_deleted=bool(is_deleted)).label for name, is_deleted in found]
    return [*((label, label) for label in people), (NOBODY, COMMAND_LINE.name.capitalize())]


def by_person(name: str) -> Q:
    """The jobs of everybody of that name; with "(deleted)" behind it, of those whose account is gone."""
    if name == NOBODY:
        return Q(created_by__isnull=True, created_by_name="")
    deleted = Q(created_by__isnull=True, created_by_name=name.removesuffix(DELETED))
    return deleted if name.endswith(DELETED) else Q(created_by__username=name) | deleted


def _by_error(text: str) -> Q:
    """Jobs with this text in their error, or with tickets that failed or were skipped for this reason."""
    left = Item.objects.filter(
        job=OuterRef("pk"), outcome__in=outcomes_with(Reasons.FAILURES, Reasons.LEFT_OUT), reason=text
    )
    return Q(error__icontains=text) | Q(Exists(left))


FILTERS: dict[str, Callable[[JobQuerySet, str], JobQuerySet]] = {
    "title": lambda jobs, text: jobs.filter(_by_title(text)),
    "tool": lambda jobs, slug: jobs.filter(tool=slug),
    "by": lambda jobs, name: jobs.filter(by_person(name)),
    "tag": lambda jobs, tag: jobs.alias(params_text=Cast("params", TextField())).filter(_by_tag(tag.lower())),
    "error": lambda jobs, text: jobs.filter(_by_error(text)),
    "status": lambda jobs, status: jobs.filter(status=status.lower()),
}


def _start_of(day: date) -> datetime:
    """The start of the day in the person's time zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
