"""The watch of a cluster: its heartbeat, help for jobs whose worker or wake-up was lost, and daily chores."""

from __future__ import annotations

from jobs.workers import chores, clock_skew, heartbeats, pulse, reaper
from jobs.workers.duties import Duties, Duty
from jobs.workers.faults import DutyName, FaultReport


class Watch:
    """Kept by the process of a cluster that polls the queue."""

    def __init__(self, every: float) -> None:
        self._has_polled = False
        watched = [
            Duty(DutyName.HEARTBEAT, self._beat, every),
            Duty(DutyName.CLOCK_CHECK, clock_skew.correct, every),
            Duty(DutyName.TAKE_OVER, reaper.take_over_lost, every),
            Duty(DutyName.WAKE_UP, reaper.wake_forgotten, every),
            Duty(DutyName.DAILY_CHORES, chores.look_after, chores.LOOK_EVERY),
        ]
        self.duties = Duties([*watched, FaultReport(watched).duty()])

    def note_poll(self) -> None:
        """The queue is being polled."""
        pulse.touch()
        self._has_polled = True
        self.duties.look_after()

    def _beat(self) -> None:
        """Beat only while the queue is polled: a cluster that does not take messages is not alive."""
        if self._has_polled:
            heartbeats.beat()
            self._has_polled = False
