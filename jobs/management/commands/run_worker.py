"""`manage.py run_worker`: a worker cluster under supervision.

Django-Q2 replaces a dead process of its cluster, but a lock that this process held stays locked: the cluster
then looks alive and does no work. So a cluster that lost a process, or does not beat, is replaced as a whole.
A stop is graceful: jobs are released at their next step.

`run_worker --check` starts nothing: its exit code tells a probe whether a worker of this host is alive.
"""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from jobs.apps import SETTINGS
from jobs.clocks import clock
from jobs.common import process_id
from jobs.runtime.database_retry import Trouble, trouble_in
from jobs.workers import faults, heartbeats, processes, pulse, schema
from jobs.workers.cluster import Cluster

logger = logging.getLogger(__name__)

#: Between two checks of the cluster, and between two checks for a request to stop, seconds.
CHECK_EVERY, POLL_INTERVAL = 1.0, 0.2
#: How long a cluster has to end by itself when it is stopped, and when it is replaced, seconds.
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
    """In a deploy the new program may start before `migrate` has run: log that, and wait.

    An older program on a migrated database can wait for nothing.
    """
    told = ""
    while not stop.is_asked():
        try:
            if newer := schema.newer_problem():
                raise CommandError(newer)
            sentence = schema.migration_problem()
        except DatabaseError as problem:
            if trouble_in(problem) is Trouble.POOLED:
                raise CommandError(Trouble.POOLED.value) from problem
            return  # it is away: the cluster waits for it
        if not sentence:
            return
        if sentence != told:
            logger.warning("%s The worker waits for that.", sentence)
            told = sentence
        stop.pause(CHECK_EVERY)


class Command(BaseCommand):
    help = "Runs the worker of this machine, keeps it alive, and stops it gracefully on SIGTERM or Ctrl-C."
    requires_system_checks = (SETTINGS,)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only tell, by the exit code, whether a worker is alive on this host.",
        )

    def handle(self, *, check: bool, **_: Any) -> None:
        if check:
            self._check()
        else:
            self._supervise()

    def _check(self) -> None:
        try:
            known = [fault for fault in faults.current() if process_id.pid_here(fault.owner)]
            living = heartbeats.living_clusters(heartbeats.living_beats(), known)
            alive = any(map(process_id.pid_here, living))
        except DatabaseError as problem:
            raise CommandError("The database is away, so nothing is known of the worker.") from problem
        if not alive and not pulse.is_felt_here(heartbeats.BEAT_STALE_AFTER.total_seconds()):
            raise CommandError("No worker is alive on this host. Start one with manage.py run_worker.")
        self.stdout.write("A worker is alive on this host.")
        if sentence := clock.describe(clock.host_is_ahead()):
            self.stdout.write(sentence)
        if not alive:
            self.stdout.write("It is degraded: it works, but its heartbeat does not reach the database.")
        for fault in known:
            self.stdout.write(
                f"It is degraded: {fault.duty} fails ({fault.cause}) since {fault.since:%-d %B, %H:%M} UTC. "
                "Jobs go on; its log has the cause."
            )

    def _supervise(self) -> None:
        stop = StopRequest()
        stop_file = Path(settings.VAR_DIR) / f"stop-{process_id.file_name()}"
        back_off = BACK_OFF_FIRST
        _await_migrations(stop)
        while not stop.is_asked():
            cluster = Cluster(stop_file)
            trouble = ""
            while not (stop.is_asked() or trouble):
                stop.pause(CHECK_EVERY)
                trouble = cluster.trouble()
            if trouble and not stop.is_asked():
                logger.warning("Replacing the worker: %s", trouble)
            cluster.stop(STOP_GRACE if stop.is_asked() else REPLACE_GRACE)
            if cluster.is_stable:
                back_off = BACK_OFF_FIRST
            else:
                stop.pause(back_off)
                back_off = min(back_off * 2, BACK_OFF_MOST)
        logger.info("The worker has stopped")
