"""A `qcluster` and its processes, as its supervisor sees them."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings

from jobs.common import process_id
from jobs.models import Beat
from jobs.runtime.shutdown import STOP_FILE
from jobs.workers import health, heartbeats, processes, pulse
from jobs.workers.duties import Duties, Duty
from jobs.workers.faults import DutyName, FaultReport

logger = logging.getLogger(__name__)

#: A cluster that has not beaten for this long is dead, seconds; a new one gets more time to start.
SILENT_AFTER, START_TIMEOUT = heartbeats.BEAT_STALE_AFTER.total_seconds(), 60.0
#: How often its beats and processes are looked at, and whether it works, seconds.
LOOK_EVERY, STANDSTILL_EVERY = 1.0, 5.0
#: How long a pulse may come without a heartbeat, seconds: after that the heartbeat has a fault.
PULSE_ALONE = 10.0


class Cluster:
    """A running cluster; making the `stop_file` asks it to stop.

    What it asks the database and the system is fenced off (`duties`): a fault in that is no reason to replace
    a cluster, or to stop looking after it.
    """

    def __init__(self, stop_file: Path) -> None:
        self._stop_file, self._pulse_file = stop_file, pulse.prepare()
        stop_file.unlink(missing_ok=True)
        environment = os.environ | {STOP_FILE: str(stop_file), pulse.PULSE_FILE: str(self._pulse_file)}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        self._child = processes.start(command, environment=environment)
        self._started_at = self._alive_at = time.monotonic()
        self._beat: datetime | None = None
        self._pulse, self._pulse_since = 0, 0.0
        self._processes: set[int] | None = None  # their ids, once it is up
        self._deaths = ""
        self._is_stuck = False
        self._beats = Duty(DutyName.CLUSTER_BEATS, self._read_beats, LOOK_EVERY)
        duties = [
            self._beats,
            Duty(DutyName.CLUSTER_PROCESSES, self._read_processes, LOOK_EVERY),
            Duty(DutyName.STANDSTILL, self._read_standstill, STANDSTILL_EVERY),
        ]
        self._duties = Duties([*duties, FaultReport(duties).duty()])

    @property
    def is_stable(self) -> bool:
        """Whether it has run long enough to call its start a success."""
        return time.monotonic() - self._started_at > START_TIMEOUT

    def trouble(self) -> str:
        """Why it has to be replaced; "" while it is healthy."""
        if self._child.poll() is not None:
            return f"it ended by itself (exit code {self._child.returncode})"
        self._duties.look_after()
        self._read_pulse()
        if self._beats.is_failing:  # nobody knows whether it beats
            self._alive_at = time.monotonic()
        if self._deaths:
            return self._deaths
        patience = SILENT_AFTER if self._beat or self._pulse else START_TIMEOUT
        if time.monotonic() - self._alive_at > patience:
            return f"it has not beaten for {patience:.0f} s"
        if self._is_stuck:
            return "it is alive, but jobs are waiting and nobody works on any"
        return ""

    def stop(self, grace: float) -> None:
        # Before another cluster is forked: a process had better fork without threads.
        self._duties.stop()
        with suppress(OSError):  # the disk is full or the folder gone: its time slices end anyway
            self._stop_file.touch()
        self._forget_beats()
        # Only its main process: if all get the signal at once, they wait for each other for ever.
        processes.stop(self._child, grace)
        for file in (self._stop_file, self._pulse_file):
            file.unlink(missing_ok=True)

    def _read_pulse(self) -> None:
        if (touched := pulse.last_of(self._pulse_file)) != self._pulse:
            now = time.monotonic()
            self._pulse, self._alive_at, self._pulse_since = touched, now, self._pulse_since or now

    def _read_beats(self) -> None:
        beats = [at for name, at in Beat.objects.values_list("owner", "at") if self._is_ours(name)]
        if beats and max(beats) != self._beat:
            self._beat, self._alive_at = max(beats), time.monotonic()

    def _read_processes(self) -> None:
        is_up = self._is_up()
        now = processes.members(self._child.pid)  # read after that, to include the one that beats first
        if is_up and self._processes is None:
            self._processes = now
            logger.info("The worker is up, with %s processes", len(now))
        # A new process may have replaced one whose death nobody saw.
        if self._processes is not None and now != self._processes:
            died = len(self._processes - now)
            self._deaths = f"its processes have changed ({died} of {len(self._processes)} died)"

    def _is_up(self) -> bool:
        if self._beat:
            return True
        return bool(self._pulse_since) and time.monotonic() - self._pulse_since > PULSE_ALONE

    def _read_standstill(self) -> None:
        # Not at once: workers take the jobs that waited one after the other.
        self._is_stuck = self.is_stable and health.check().worker_state == health.State.STUCK

    def _forget_beats(self) -> None:
        """From here on it counts as gone, however long it takes to end."""
        try:
            for beat in Beat.objects.all():
                if self._is_ours(beat.owner):
                    beat.delete()
        except Exception as problem:  # noqa: BLE001 - it ends all the same, and its beats go stale
            logger.warning("The heartbeats of the old worker stay for a while: %s", type(problem).__name__)

    def _is_ours(self, name: str) -> bool:
        pid = process_id.pid_here(name)
        try:
            return pid is not None and os.getpgid(pid) == self._child.pid
        except OSError:  # it is gone
            return False
