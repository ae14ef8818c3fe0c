"""`manage.py run_worker`: a worker cluster under supervision.

Django-Q2 replaces a process of its cluster that died, but a lock which that one held stays locked: the
cluster then looks alive and works no more. So a cluster that lost a process, or gives no sign of life, is
replaced as a whole. A stop is gentle: what runs is put down at its next step.

`run_worker --check` starts nothing: it tells a probe whether a worker of this host is alive.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from jobs import process_id
from jobs.apps import SETTINGS
from jobs.workers import heartbeats, processes, schema
from jobs.workers.cluster import Cluster

logger = logging.getLogger(__name__)

#: Between two looks at the cluster, and between two looks whether we are to stop, seconds.
CHECK_EVERY, POLL_INTERVAL = 1.0, 0.2
#: A cluster gets so long to end by itself when it is stopped, and when it is replaced, seconds.
STOP_GRACE, REPLACE_GRACE = 30.0, 3.0
#: Before another start when the cluster did not stay up, seconds; each time twice as long.
BACK_OFF_FIRST, BACK_OFF_MOST = 1.0, 30.0


class StopRequest:
    """Set by a signal."""

    def __init__(self) -> None:
        self._asked = False
        for each in processes.STOP_SIGNALS:
            signal.signal(each, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True

    def is_asked(self) -> bool:
        return self._asked

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._asked and time.monotonic() < end:
            time.sleep(POLL_INTERVAL)


def _await_migrations(stop: StopRequest) -> None:
    """In a deploy the new program may start before `migrate` has run: it says so, and waits."""
    told = ""
    while not stop.is_asked():
        try:
            sentence = schema.missing_migrations()
        except DatabaseError:  # it is away: the cluster waits for it
            return
        if not sentence:
            return
        if sentence != told:
            logger.warning("%s The worker waits for that.", sentence)
            told = sentence
        stop.pause(CHECK_EVERY)


class Command(BaseCommand):
    help = "Runs the worker of this machine: keeps it alive, and stops it gently on SIGTERM or Ctrl-C."
    requires_system_checks = (SETTINGS,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only tell, by the exit code, whether a worker lives here"
        )

    def handle(self, *, check: bool, **_: Any) -> None:
        if check:
            self._check()
        else:
            self._supervise()

    def _check(self) -> None:
        try:
            alive = any(process_id.pid_here(beat.owner) for beat in heartbeats.living_clusters())
        except DatabaseError as problem:
            raise CommandError("The database is away, so nothing is known of the worker.") from problem
        if not alive:
            raise CommandError("No worker is alive on this host. Start one with manage.py run_worker.")
        self.stdout.write("A worker is alive on this host.")

    def _supervise(self) -> None:
        stop = StopRequest()
        stop_file = Path(settings.VAR_DIR) / f"stop-{os.getpid()}"
        back_off = BACK_OFF_FIRST
        _await_migrations(stop)
        while not stop.is_asked():
            cluster = Cluster(stop_file)
            trouble = ""
            while not (stop.is_asked() or trouble):
                stop.pause(CHECK_EVERY)
                trouble = cluster.trouble()
            if trouble and not stop.is_asked():
                logger.warning("The worker is replaced: %s", trouble)
            cluster.stop(STOP_GRACE if stop.is_asked() else REPLACE_GRACE)
            if cluster.is_stable:
                back_off = BACK_OFF_FIRST
            else:
                stop.pause(back_off)
                back_off = min(back_off * 2, BACK_OFF_MOST)
        logger.info("The worker has stopped")
