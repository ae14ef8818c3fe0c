"""Running a job to its end in this process, as commands do without `--detach`.

The engine is the same as in a worker. While the job is parked, paused or held by a worker, the command waits
and shows it. Ctrl-C cancels the job properly: the signal only sets a flag, and the next step acts on it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import IntEnum
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Protocol

from django.db import DatabaseError

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution
from jobs.guards.canary import canary_question
from jobs.installation import standstill
from jobs.models import Job
from jobs.runtime import shutdown
from jobs.runtime.database_retry import DatabaseRetry
from jobs.states import Status
from jobs.workers import reaper

logger = logging.getLogger(__name__)

#: Between two checks of a job that waits or that others hold, seconds.
POLL_INTERVAL = 0.3
#: Between two runs of the reaper, seconds.
REAP_EVERY = 2.0
#: Shows the cursor of a terminal again, which the progress bar hides, when the bar cannot end properly.
SHOW_CURSOR = b"\x1b[?25h\n"
#: The time slice of a command, seconds: until its job ends.
FOREVER = 366 * 24 * 3600.0


#: Puts a question to the person at the terminal; True for a Yes.
Ask = Callable[[str], bool]


class Exit(IntEnum):
    """Exit codes of commands that run a job."""

    DONE = 0  # every item accounted for and none failed
    NOT_RUN = 1  # it could not be run: settings, connection, refused
    USAGE = 2  # wrong arguments
    PARTIAL = 3  # ended, some items failed
    CANCELLED = 4
    HELD = 5  # paused after its first items, until somebody resumes it
    INTERRUPTED = 130  # Ctrl-C


EXIT_CODES = {
    Status.SUCCEEDED: Exit.DONE,
    Status.PARTIAL: Exit.PARTIAL,
    Status.CANCELLED: Exit.CANCELLED,
    Status.ERRORED: Exit.NOT_RUN,
}


class Display(Protocol):
    """Shows how far a job is."""

    def show(self, job: Job) -> None:
        """Called often, with the row as it is now."""
        ...

    def say(self, sentence: str) -> None:
        """Show a sentence beside the progress."""
        ...

    def aside(self) -> AbstractContextManager[None]:
        """Leave the terminal to a question for a while."""
        ...


class Interrupts:
    """Counts Ctrl-C, SIGTERM and SIGHUP while it is entered, instead of raising.

    An exception out of a signal handler could come in the middle of a transaction, or between a call and
    storing its receipt.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    #: This many interrupts end the process at once; a worker then takes its job over.
    FORCE_EXIT_AFTER = 4

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        self._before = {each: signal.signal(each, self._on_signal) for each in self.SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, before in self._before.items():
            signal.signal(each, before)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While a question is open, Ctrl-C ends it; it counts like any other."""
        self.__exit__(None, None, None)
        try:
            yield
        except KeyboardInterrupt:
            self.count += 1
        finally:
            self.__enter__()

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count >= self.FORCE_EXIT_AFTER:
            if os.isatty(sys.stderr.fileno()):
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(Exit.INTERRUPTED)


class Runner:
    """One job, run in this process until it ends or a person has to decide how to go on."""

    def __init__(
        self, job: Job, *, by: Actor, display: Display, interrupts: Interrupts, ask: Ask | None
    ) -> None:
        self.job = job
        self._ask = ask
        self._held = False
        self._by = by
        self._display = display
        self._interrupts = interrupts
        self._heard = 0  # how many interrupts were handled
        self._shown_at = 0.0
        self._reaped_at = 0.0
        self._patience = DatabaseRetry(FOREVER, notify=display.say)

    def run(self, token: str) -> Exit:
        """Work on it, and wait while others do or nobody can; `token` is what `actions.submit` gave."""
        self._patience.retry(self.on_step)
        while not self._is_over():
            self._work(token)
            token = ""
            self._patience.retry(lambda: self.show_progress(at_once=True))
            if self._is_over() or shutdown.is_requested() or self._is_held():
                break
            self._patience.retry(self._reap)
            time.sleep(POLL_INTERVAL)
            self._patience.retry(self.on_step)
        return self._exit()

    def _is_held(self) -> bool:
        """Whether the job asks to go on after its first items, and nobody here resumes it."""
        question = canary_question(self.job, self.job.transitions.order_by("-id").first())
        if not question:
            return False
        interrupted = self._interrupts.count
        if self._ask is not None:
            with self._display.aside(), self._interrupts.aside():
                if self._ask(f"{question} Go on?"):
                    with suppress(
                        actions.NotPossible
                    ):  # somebody else was first: it goes on, or is cancelled
                        actions.resume(job=self.job, by=self._by)
                    return False
        # Ctrl-C instead of an answer cancels, as everywhere.
        self._held = self._interrupts.count == interrupted
        return self._held

    def on_step(self) -> None:
        """Called at every step of the engine, never inside a transaction."""
        while self._heard < self._interrupts.count:
            self._handle_interrupt(self._heard + 1)
            self._heard += 1  # only now: a database in trouble must not swallow it
        self.show_progress()

    def show_progress(self, *, at_once: bool = False) -> None:
        """Read the row and show it, unless that was done a moment ago."""
        if at_once or time.monotonic() - self._shown_at >= POLL_INTERVAL:
            self.job = Job.objects.get(pk=self.job.pk)
            self._display.show(self.job)
            self._shown_at = time.monotonic()

    def _work(self, token: str) -> None:
        if self._patience.retry(standstill.is_copy):
            stop = standstill.current()
            raise actions.NotPossible(stop.sentence if stop else "The database was replaced; run it again.")
        claimable = Job.objects.claimable().filter(pk=self.job.pk)
        if not token and not self._patience.retry(claimable.exists):
            return
        try:
            execution.run(
                self.job.pk,
                token=token,
                seconds=FOREVER,
                on_step=self.on_step,
                database_retry=self._patience,
            )
        except DatabaseError:
            raise
        except Exception:
            # The engine has logged it and written the sentence for people on the job's row.
            if Job.objects.get(pk=self.job.pk).status != Status.ERRORED:
                raise

    def _handle_interrupt(self, times: int) -> None:
        if times == 1:
            with suppress(actions.NotPossible):  # it has just ended by itself
                actions.cancel(job=self.job, by=self._by)
            self._display.say("Cancelling: what is in flight is settled first, and nothing more is sent.")
        elif times == 2:
            self._display.say(
                "Still settling what is in flight. Press Ctrl-C once more to leave that to a worker."
            )
        else:
            self._display.say("Leaving: a worker settles the rest.")
            shutdown.request()

    def _reap(self) -> None:
        """If no worker runs, nobody else would notice the death of a process that took the job."""
        if time.monotonic() - self._reaped_at >= REAP_EVERY:
            reaper.reap()
            self._reaped_at = time.monotonic()

    def _is_over(self) -> bool:
        return self.job.is_ended or self.job.status == Status.ERRORED

    def _exit(self) -> Exit:
        if self._heard and self.job.status not in (Status.SUCCEEDED, Status.PARTIAL):
            return Exit.INTERRUPTED
        return Exit.HELD if self._held else EXIT_CODES[Status(self.job.status)]


def run(
    make: Callable[[], actions.Submission], *, by: Actor, display: Display, ask: Ask | None = None
) -> tuple[Job, Exit]:
    """Make a job for this process and run it; returns the job as it ended and the exit code.

    A job with a canary stays paused after its first items, unless `ask` says to go on.

    Ctrl-C is watched while the job is made, too: a worker would run a job that was made and then abandoned. A
    bug is recorded on the job's row like everything else that stops it; `DatabaseError` is raised.
    """
    shutdown.clear()
    with Interrupts() as interrupts:
        made = DatabaseRetry(FOREVER, notify=display.say).retry(make, once=True)
        runner = Runner(made.job, by=by, display=display, interrupts=interrupts, ask=ask)
        code = runner.run(made.token)
    return runner.job, code


def watch(job: Job, *, display: Display, sleep: Callable[[float], None] = time.sleep) -> tuple[Job, Exit]:
    """Show a job that others work on, until it is over. Ctrl-C ends the watching, not the job."""
    patience = DatabaseRetry(FOREVER, notify=display.say)
    while True:
        job = patience.retry(partial(Job.objects.get, pk=job.pk))
        display.show(job)
        if job.is_ended or job.status == Status.ERRORED:
            return job, EXIT_CODES[Status(job.status)]
        sleep(POLL_INTERVAL)
