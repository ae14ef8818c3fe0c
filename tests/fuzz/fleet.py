"""Worker clusters that are started, hurt and replaced.

They are bare clusters, replaced as a whole at once by us. `run_worker` does the same by itself, but waits
longer from one replacement to the next, so that two hundred kills would mostly be waiting.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.db import OperationalError, connection
from django.utils import timezone

from jobs.models import Beat, Job
from jobs.runtime.lease import STALE_AFTER
from jobs.workers import heartbeats, processes
from tests.processes import await_that

#: What a worker logs when it finds out that another has taken its job.
LOST = "is no longer held by this worker"


def send_signal(pid: int, how: signal.Signals) -> bool:
    """False when the process is gone."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return False
    return True


def outdate_beat(job: Job) -> bool:
    """End the lease now instead of in a minute; False when a frozen process locks the database."""
    try:
        Job.objects.filter(pk=job.pk).exclude(lease_token="").update(
            beat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1)
        )
    except OperationalError:
        return False
    return True


def be_impatient() -> None:
    """Wait for others' locks for three seconds, not thirty."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 3000")
        else:
            cursor.execute("SET lock_timeout = '3s'")


class Fleet:
    """The clusters of one trial."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._whole: dict[int, set[int]] = {}
        self.clusters: list[subprocess.Popen[bytes]] = []
        self.started = 0

    def start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        with (self._logs / f"cluster-{self.started}.log").open("wb") as log:
            cluster = subprocess.Popen(
                [sys.executable, "manage.py", "qcluster"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.clusters.append(cluster)
        return cluster

    def await_worker(self) -> None:
        await_that(heartbeats.is_worker_alive, "a cluster's first sign of life")

    def is_up(self, cluster: subprocess.Popen[bytes]) -> bool:
        """Whether its queue has been looked into; its processes are remembered then."""
        if cluster.pid not in self._whole:
            group = processes.members(cluster.pid)
            owners = {int(name.split("/")[2]) for name in Beat.objects.values_list("owner", flat=True)}
            if owners & group:
                self._whole[cluster.pid] = group
        return cluster.pid in self._whole

    def replace_hurt(self) -> int:
        """Put a new cluster in the place of each that lost a process, as `run_worker` does; how many."""
        hurt = [one for one in self.clusters if self._is_hurt(one)]
        for cluster in hurt:
            self.end(cluster)
            self.start()
        return len(hurt)

    def _is_hurt(self, cluster: subprocess.Popen[bytes]) -> bool:
        if cluster.poll() is not None:
            return True
        return self.is_up(cluster) and processes.members(cluster.pid) != self._whole[cluster.pid]

    def end(self, cluster: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()
        self.clusters.remove(cluster)

    def end_all(self) -> None:
        for cluster in list(self.clusters):
            self.end(cluster)

    def said(self) -> str:
        """All that the clusters have logged."""
        return "".join(log.read_text() for log in sorted(self._logs.glob("cluster-*.log")))
