"""Regular duties of a worker beside its jobs, such as its heartbeat, each fenced off from everything else.

A fault in one of them is ours, and no reason for a job to stop. So duties run on a thread of their own; one
that raises is tried again after pauses that grow, and one that hangs is left to itself while another thread
takes over the others. Each is logged once, and shown by `faults`.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence

from django.db import close_old_connections, connections

from jobs.runtime.database_retry import trouble_in

logger = logging.getLogger(__name__)

#: The longest pause before a duty that fails is tried again, seconds. It doubles from the duty's interval.
LONGEST_PAUSE = 60.0
#: How long one duty may keep the others waiting until another thread takes them over, seconds.
BLOCKS_AFTER = 10.0
#: A duty that takes longer hangs, seconds: it may have to wait for several locks of the database.
HANGS_AFTER = 60.0
#: Seconds a database error may last before the duty counts as failing.
TROUBLE_IS_A_FAULT_AFTER = 30.0
#: How long the same cause is not logged again, seconds, for a duty that fails now and then.
LOG_INTERVAL = 3600.0


class Duty:
    """A periodic task, and whether it last succeeded."""

    def __init__(self, name: str, do: Callable[[], object], every: float) -> None:
        self.name = name
        self.cause = ""  # the type of the error, or that it hangs; "" while all is well
        self.since: float | None = None  # when that began; like all moments here, of `time.monotonic`
        self._do = do
        self._every = every
        self._next_at = 0.0
        self._began_at: float | None = None
        self._failed_since: float | None = None
        self._failures = 0  # in a row
        self._thread = 0
        self._logged: dict[str, float] = {}

    @property
    def is_failing(self) -> bool:
        """Whether the last try failed, for whatever reason."""
        return self._failures > 0 or bool(self.cause)

    def waits(self) -> float:
        """Seconds until it is due; infinity while it is under way."""
        return float("inf") if self._began_at is not None else max(self._next_at - time.monotonic(), 0.0)

    def lasts(self) -> float:
        """Seconds since it began; 0 while it is not under way."""
        began_at = self._began_at
        return 0.0 if began_at is None else time.monotonic() - began_at

    def attempt(self) -> None:
        """Do it now, whatever happens."""
        self._thread, self._began_at = threading.get_ident(), time.monotonic()
        pause = self._every
        try:
            self._do()
        except Exception as problem:  # noqa: BLE001 - a fault of any kind must not stop the others
            pause = self._fail(problem)
        else:
            self._succeed()
        finally:
            self._next_at = time.monotonic() + pause
            self._began_at = None

    def note_hang(self) -> None:
        """Call it now and then: record and log that it has been under way for too long."""
        if self.cause == "hangs" or self.lasts() < HANGS_AFTER:
            return
        frame = sys._current_frames().get(self._thread)
        where = "".join(traceback.format_stack(frame)) if frame else ""
        self.cause, self.since = "hangs", time.monotonic()
        if self._may_log("hangs"):
            logger.error("%s hangs; the jobs and the other duties go on.\n%s", self.name, where)

    def _fail(self, problem: Exception) -> float:
        """Record it; returns the pause before the next try, in seconds."""
        now = time.monotonic()
        self._failures += 1
        self._failed_since = self._failed_since or now
        trouble = trouble_in(problem)
        if trouble is None or now - self._failed_since >= TROUBLE_IS_A_FAULT_AFTER:
            self.since = self.since or now
            self.cause = type(problem).__name__
        if self._may_log(type(problem).__name__):
            if trouble:
                logger.warning("%s waits: %s (%s)", self.name, trouble.value, type(problem).__name__)
            else:
                logger.error("%s failed; the jobs go on, and it is tried again.", self.name, exc_info=problem)
        # Where the database is away, jobs of dead workers wait for the first try after that.
        return self._every if trouble else min(self._every * 2.0 ** min(self._failures, 20), LONGEST_PAUSE)

    def _succeed(self) -> None:
        if self.cause:
            logger.info("%s works again.", self.name)
        self.cause, self.since = "", None
        self._failures, self._failed_since = 0, None

    def _may_log(self, cause: str) -> bool:
        now = time.monotonic()
        if now - self._logged.get(cause, -LOG_INTERVAL) < LOG_INTERVAL:
            return False
        self._logged[cause] = now
        return True


class Duties:
    """The duties of one process, whose main loop calls `look_after`; that takes no time and never raises."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties
        self._attendant: Attendant | None = None

    def look_after(self) -> None:
        """Start the thread that attends to them, and another when one of them blocks it."""
        for duty in self._duties:
            duty.note_hang()
        current = self._attendant
        if current and current.is_alive() and all(duty.lasts() < BLOCKS_AFTER for duty in current.at_hand()):
            return
        if current:
            current.dismissed.set()
        self._attendant = Attendant(self._duties)
        try:
            self._attendant.start()
        except RuntimeError as problem:  # no more threads: the next look tries again
            logger.warning("The duties of the worker wait: %s", problem)

    def attend(self) -> None:
        """Do all that is due, here and now."""
        for duty in self._duties:
            if not duty.waits():
                duty.attempt()

    def stop(self, wait: float = 1.0) -> None:
        """Begin no other duty, and wait that many seconds for the one under way."""
        if self._attendant and self._attendant.ident:
            self._attendant.dismissed.set()
            self._attendant.join(wait)


class Attendant(threading.Thread):
    """Attends to duties until it is dismissed; one that is blocked in a duty ends after that."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        super().__init__(daemon=True, name="duties")
        self.dismissed = threading.Event()
        self._duties = duties
        self._at_hand: Duty | None = None

    def at_hand(self) -> list[Duty]:
        return [self._at_hand] if self._at_hand else []

    def run(self) -> None:
        try:
            while not self.dismissed.is_set():
                for duty in self._duties:
                    if not self.dismissed.is_set() and not duty.waits():
                        self._at_hand = duty
                        close_old_connections()
                        duty.attempt()
                        self._at_hand = None
                self.dismissed.wait(max(min((duty.waits() for duty in self._duties), default=1.0), 0.01))
        finally:
            connections.close_all()  # those of this thread
