"""The progress of a job or a command, as a bar on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from jobs.cli.progress_lines import printable
from jobs.models import Job
from jobs.presentation.statuses import progress_words
from jobs.reports.progress import percent_of


@contextmanager
def progress_counter(stream: TextIO, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function that shows a count out of `total` on a terminal; elsewhere it does nothing."""
    if not stream.isatty():
        yield lambda _: None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}", markup=False),
        console=Console(file=stream),
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


class ProgressBar:
    """One line that is redrawn, for a terminal."""

    def __init__(self, stream: TextIO) -> None:
        # Only `show` draws: a thread that draws would be running when a command starts processes.
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12, table_column=Column(min_width=12)),
            TextColumn("{task.fields[percent]}", markup=False),
            # In a narrow window the words give way, not the bar.
            TextColumn("{task.fields[words]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            console=Console(file=stream),
            auto_refresh=False,
        )
        self._task: TaskID | None = None

    def show(self, job: Job) -> None:
        if self._task is None:
            self._task = self._progress.add_task(f"Job {job.pk}", total=None, percent="", words="")
        percent = percent_of(job)
        self._progress.update(
            self._task,
            total=job.total,
            completed=(job.total or 0) - job.remaining if job.total is not None else 0,
            percent="" if percent is None else f"{percent} %",
            words=printable(progress_words(job)),
        )
        self._progress.refresh()

    def say(self, sentence: str) -> None:
        self._progress.console.print(printable(sentence), markup=False, highlight=False)

    @contextmanager
    def aside(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
