"""The tickets of an earlier job that ended with some outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.models import Job
from jobs.presentation.outcomes import OUTCOMES as DISPLAYS
from jobs.source_spec import ITEMS, Stored
from jobs.states import Outcome
from tagmanager.intake.fields import WholeNumberField
from tagmanager.intake.source_kinds.base import AND, NOT, Counts, SourceKind, Way
from tagmanager.intake.source_kinds.source import Source
from zendesk import Zendesk

#: The outcomes in the order of the form, as people read them.
OUTCOMES = (
    (Outcome.FAILED, "failed"),
    (Outcome.UNVERIFIED, "unverified"),
    (Outcome.PENDING, "not attempted"),
    (Outcome.SKIPPED, "skipped"),
    (Outcome.CHANGED, "changed"),
    (Outcome.UNCHANGED, "unchanged"),
    (Outcome.PLANNED, "will change (of a preview)"),
)


def items(job: int, outcomes: Sequence[str]) -> Source:
    """The tickets of an earlier job that ended with one of these outcomes."""
    return Source({"kind": ITEMS, "job": job, "outcomes": list(outcomes)})


def tickets_of(job: Job) -> dict[str, Any]:
    """The fields that name all tickets of this job, however it chose them."""
    return {"kind": EarlierJob.panel, "job": job.pk, "outcomes": _every_outcome()}


class EarlierJob(SourceKind):
    kind = ITEMS
    panel, tab, tab_place = "job", "Earlier job", 5
    template = "tool/_panel_job.html"
    ways = (
        Way(
            "job",
            help="{} of an earlier job.",
            argument={"type": int, "metavar": "ID"},
            labels={AND: "Another earlier job", NOT: "Those of an earlier job"},
        ),
    )
    is_exact = True

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        number = WholeNumberField(
            label="An earlier job",
            required=False,
            wrong="The number of a job is a whole number, such as 12.",
            help_text="The number of a job that has ended: all tickets of it."
            if extra
            else "The number of a job that has ended, such as 12.",
        )
        if extra:
            return {"job": number}
        outcomes = forms.MultipleChoiceField(
            label="Its tickets that ended as",
            required=False,
            choices=OUTCOMES,
            initial=[Outcome.FAILED],
            widget=forms.CheckboxSelectMultiple,
            error_messages=dict.fromkeys(
                ("invalid_choice", "invalid_list"), "Tick one of the choices that are offered."
            ),
        )
        return {"job": number, "outcomes": outcomes}

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        """Where the form does not ask for outcomes, all are meant."""
        number: int | None = form.cleaned_data.get(way)
        if not number:
            return None
        if "outcomes" not in form.fields:
            return items(number, _every_outcome())
        return items(number, form.cleaned_data.get("outcomes") or [])

    def checked(self, source: Source, zendesk: Zendesk | None) -> Source:
        number, outcomes = source.stored["job"], source.stored["outcomes"]
        job = Job.objects.filter(pk=number).first()
        if job is None:
            raise ValidationError(f"There is no job {number} here.", code="no_job")
        if not job.is_ended:
            raise ValidationError(
                f"Job {number} has not ended yet, so its tickets may still end otherwise. Wait for it, or "
                "cancel it.",
                code="not_ended",
            )
        if not outcomes:
            raise ValidationError("Tick which of its tickets: failed, skipped, and so on.", code="no_outcome")
        if not _number(job, outcomes):
            words = " or ".join(label for outcome, label in OUTCOMES if outcome in outcomes)
            raise ValidationError(f"Job {number} has no ticket that is {words}.", code="no_tickets")
        return source

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str] | None:
        """A command names all tickets of a job, whatever their outcome."""
        if stored.get("reason") or set(stored["outcomes"]) != set(_every_outcome()):
            return None
        return "job", str(stored["job"])

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        """The form has no place for the reason of a failure; without it these would be other tickets."""
        outcomes = stored["outcomes"]
        if stored.get("reason") or (extra and len(outcomes) < len(Outcome)):
            return {}
        filled = {"kind": self.panel, "job": stored["job"]}
        return filled if extra else filled | {"outcomes": outcomes}

    def phrase(self, stored: Stored) -> str:
        outcomes = stored["outcomes"]
        which = "" if len(outcomes) == len(Outcome) else f"{' and '.join(outcomes)} "
        return f"the {which}tickets of job {stored['job']}"

    def words(self, stored: Stored) -> str:
        outcomes = " or ".join(
            DISPLAYS[name].word if name in DISPLAYS else str(name) for name in stored["outcomes"]
        )
        because = f", for the reason “{stored['reason']}”" if stored.get("reason") else ""
        which = "" if len(stored["outcomes"]) == len(Outcome) else f"{outcomes} "
        return f"The {which}tickets of job {stored['job']}{because}"

    def number(self, stored: Stored, counts: Counts) -> int | None:
        job = Job.objects.filter(pk=stored["job"]).first()
        # None: deleted a moment ago; that is said when the new job is to be made.
        return None if job is None else _number(job, stored["outcomes"])


def _every_outcome() -> list[str]:
    return [str(outcome) for outcome in Outcome]


def _number(job: Job, outcomes: Sequence[str]) -> int:
    numbers = job.counts | {Outcome.PENDING.value: job.remaining}
    return sum(numbers[outcome] for outcome in outcomes)
