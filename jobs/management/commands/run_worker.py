"""`manage.py run_worker`: a worker cluster under supervision.

Django-Q2 replaces a process of its cluster that died, but a lock which that one held stays locked: the
cluster then looks alive and works no more. So a cluster that lost a process, or gives no sign of life, is
replaced as a whole. A stop is gentle: what runs is put down at its next step.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from jobs import owner, processes
from jobs.models import Beat
from jobs.stopping import STOP_FILE

logger = logging.getLogger(__name__)

#: Between two looks at the cluster, seconds; a signal ends the pause.
LOOK_EVERY = 0.5
#: A cluster gets so long to end by itself when it is stopped, and when it is replaced, seconds.
STOP_GRACE, REPLACE_GRACE = 30.0, 10.0
#: A cluster without a sign of life for so long is dead, seconds; a new one has more time to come up.
SILENT_AFTER, START_TAKES = 15.0, 60.0
#: Between two starts when the cluster does not stay up, seconds.
BACK_OFF_FIRST, BACK_OFF_MOST = 1.0, 30.0


class Cluster:
    """One `qcluster` with its processes, as the supervisor sees it."""

    def __init__(self, stop_file: Path) -> None:
        self._stop_file = stop_file
        stop_file.unlink(missing_ok=True)
        environment = os.environ | {STOP_FILE: str(stop_file)}
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        self._child = processes.start(command, environment=environment)
        self.started_at = self._alive_at = time.monotonic()
        self._beat: datetime | None = None
        self._seen: set[int] = set()

    def trouble(self) -> str:
        """Why it has to be replaced; "" while it is well."""
        if self._child.poll() is not None:
            return f"it ended by itself (exit code {self._child.returncode})"
        now = processes.members(self._child.pid)
        self._listen()
        # Who comes and goes while it starts is nobody's worker.
        if self._beat and (lost := self._seen - now):
            return f"its process {min(lost)} died"
        self._seen = now
        patience = SILENT_AFTER if self._beat else START_TAKES
        if time.monotonic() - self._alive_at > patience:
            return f"it gave no sign of life for {patience:.0f} s"
        return ""

    def stop(self, grace: float) -> None:
        self._stop_file.touch()
        # Its main process alone: told all at once, the processes of a cluster wait for each other for ever.
        processes.stop(self._child, grace)
        self._stop_file.unlink(missing_ok=True)

    def _listen(self) -> None:
        try:
            close_old_connections()
            beats = [at for name, at in Beat.objects.values_list("owner", "at") if self._is_ours(name)]
        except DatabaseError as problem:
            logger.warning("The database is away, so the worker cannot be judged: %s", type(problem).__name__)
            self._alive_at = time.monotonic()
            return
        if beats and max(beats) != self._beat:
            self._beat, self._alive_at = max(beats), time.monotonic()

    def _is_ours(self, name: str) -> bool:
        pid = owner.pid_here(name)
        try:
            return pid is not None and os.getpgid(pid) == self._child.pid
        except OSError:  # it is gone
            return False


class Stop:
    """Set by a signal."""

    def __init__(self) -> None:
        self._asked = False
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True

    def is_asked(self) -> bool:
        return self._asked

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._asked and time.monotonic() < end:
            time.sleep(LOOK_EVERY)


class Command(BaseCommand):
    help = "Runs the worker of this machine: keeps it alive, and stops it gently on SIGTERM or Ctrl-C."

    def handle(self, **_: Any) -> None:
        stop = Stop()
        stop_file = Path(settings.VAR_DIR) / f"stop-{os.getpid()}"
        back_off = BACK_OFF_FIRST
        while not stop.is_asked():
            cluster = Cluster(stop_file)
            logger.info("The worker has started")
            trouble = ""
            while not (stop.is_asked() or trouble):
                stop.pause(LOOK_EVERY)
                trouble = cluster.trouble()
            if trouble and not stop.is_asked():
                logger.warning("The worker is replaced: %s", trouble)
            cluster.stop(STOP_GRACE if stop.is_asked() else REPLACE_GRACE)
            stayed = time.monotonic() - cluster.started_at > START_TAKES
            back_off = BACK_OFF_FIRST if stayed else min(back_off * 2, BACK_OFF_MOST)
            stop.pause(0 if stayed else back_off)
        logger.info("The worker has stopped")
