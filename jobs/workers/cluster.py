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
from django.db import DatabaseError, close_old_connections

from jobs.common import process_id
from jobs.models import Beat
from jobs.runtime.shutdown import STOP_FILE
from jobs.workers import health, heartbeats, processes

logger = logging.getLogger(__name__)

#: A cluster that has not beaten for this long is dead, seconds; a new one gets more time to start.
SILENT_AFTER, START_TIMEOUT = heartbeats.BEAT_STALE_AFTER.total_seconds(), 60.0


class Cluster:
    """A running cluster; making the `stop_file` asks it to stop."""

    def __init__(self, stop_file: Path) -> None:
        self._stop_file = stop_file
        stop_file.unlink(missing_ok=True)
        environment = os.environ | {STOP_FILE: str(stop_file)}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        self._child = processes.start(command, environment=environment)
        self._started_at = self._alive_at = time.monotonic()
        self._beat: datetime | None = None
        self._processes: set[int] | None = None  # their ids, once it is up

    @property
    def is_stable(self) -> bool:
        """Whether it has run long enough to call its start a success."""
        return time.monotonic() - self._started_at > START_TIMEOUT

    def trouble(self) -> str:
        """Why it has to be replaced; "" while it is healthy."""
        if self._child.poll() is not None:
            return f"it ended by itself (exit code {self._child.returncode})"
        self._read_beats()
        now = processes.members(self._child.pid)  # read after the beats, to include the one that beats first
        if self._beat and self._processes is None:
            self._processes = now
            logger.info("The worker is up, with %s processes", len(now))
        # A new process may have replaced one whose death nobody saw.
        if self._processes is not None and now != self._processes:
            return f"its processes have changed ({len(self._processes - now)} of {len(self._processes)} died)"
        patience = SILENT_AFTER if self._beat else START_TIMEOUT
        if time.monotonic() - self._alive_at > patience:
            return f"it has not beaten for {patience:.0f} s"
        # Not at once: workers take the jobs that waited one after the other.
        if self.is_stable and self._is_stuck():
            return "it is alive, but jobs are waiting and nobody works on any"
        return ""

    def stop(self, grace: float) -> None:
        with suppress(OSError):  # the disk is full or the folder gone: its time slices end anyway
            self._stop_file.touch()
        self._forget_beats()
        # Only its main process: if all get the signal at once, they wait for each other for ever.
        processes.stop(self._child, grace)
        self._stop_file.unlink(missing_ok=True)

    def _read_beats(self) -> None:
        try:
            close_old_connections()
            beats = [at for name, at in Beat.objects.values_list("owner", "at") if self._is_ours(name)]
        except DatabaseError as problem:
            logger.warning("The database is away, so the worker cannot be judged: %s", type(problem).__name__)
            self._alive_at = time.monotonic()
            return
        if beats and max(beats) != self._beat:
            self._beat, self._alive_at = max(beats), time.monotonic()

    def _is_stuck(self) -> bool:
        try:
            return health.check().worker_state == health.State.STUCK
        except DatabaseError:
            return False

    def _forget_beats(self) -> None:
        """From here on it counts as gone, however long it takes to end."""
        with suppress(DatabaseError):
            for beat in Beat.objects.all():
                if self._is_ours(beat.owner):
                    beat.delete()

    def _is_ours(self, name: str) -> bool:
        pid = process_id.pid_here(name)
        try:
            return pid is not None and os.getpgid(pid) == self._child.pid
        except OSError:  # it is gone
            return False
