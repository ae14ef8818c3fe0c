"""The progress of a job as plain lines; `jobs.cli.progress_bar` draws it on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Self

from jobs.models import Job
from jobs.presentation.statuses import progress_words
from jobs.reports.progress import percent_of
from jobs.states import Status

#: A new line after this many seconds at the latest, and after this many percent.
LINE_EVERY, PERCENT_A_LINE = 10.0, 10


def printable(text: str) -> str:
    """Text from outside without its control characters, which a terminal would obey."""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


class ProgressLines:
    """Plain lines for a pipe or a log: on changes, every ten percent, and every ten seconds."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._told: tuple[str, str, int] | None = None
        self._told_at = 0.0

    def show(self, job: Job) -> None:
        if job.is_ended:
            return  # the summary follows
        percent = percent_of(job)
        state = (job.status, job.waiting_for, (percent or 0) // PERCENT_A_LINE)
        if state == self._told and self._clock() - self._told_at < LINE_EVERY:
            return
        self._told, self._told_at = state, self._clock()
        part = f"{percent} %, " if percent is not None and job.status == Status.RUNNING else ""
        self.say(f"Job {job.pk}: {part}{progress_words(job)}")

    def say(self, sentence: str) -> None:
        self._write(printable(sentence))

    def aside(self) -> AbstractContextManager[None]:
        return nullcontext()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to clean up."""
