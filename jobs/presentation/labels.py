"""Labels and sentences that the project supplies; the setting `JOBS_WORDS` names the module."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from jobs.models import Job
from jobs.reports.exports import Asked
from jobs.source_spec import Stored


class Labels(Protocol):
    """Functions, so a module will do. None of them may call the other side."""

    def tool_name(self, slug: str) -> str:
        """How people call a tool, also one that is not installed any more."""
        ...

    def item_address(self, ref: int) -> str:
        """Where people see what a ref stands for; "" when unknown."""
        ...

    def source_words(self, source: Stored) -> str:
        """Where the tickets of a job come from: "The view All unsolved"; "" for a kind not known any more."""
        ...

    def field(self, job: Job, name: str, value: object) -> tuple[str, str]:
        """What people call a field that the job sets, and what stands in it: ("group", "Billing")."""
        ...

    def filter_words(self, only: Stored) -> str:
        """Which items of the source are in the job: "have vip and lack spam"; "" where that is not known."""
        ...

    def warning_on(self, job: Job, number: int) -> str:
        """What this job sends to people outside if it runs on `number` items, in a sentence; "" for nothing.

        Such a follow-up is confirmed by typing the number.
        """
        ...

    def what_stays(self, job: Job) -> str:
        """What an undo of the job cannot take back, in a sentence; "" for nothing."""
        ...

    def undo_limits(self, job: Job) -> list[str]:
        """What an undo of the job cannot bring back, in sentences with the number of items."""
        ...

    def advice_on(self, outcome: str, reason: str, job: Job | None = None) -> str:
        """What a person can do about items of the job that ended so, a sentence; "" for nothing to say."""
        ...

    def asked(self, job: Job) -> Asked:
        """Tells what the job was to do to items that it had no plan for."""
        ...


def labels() -> Labels:
    return cast(Labels, import_module(settings.JOBS_WORDS))
