"""`manage.py qcluster`: Django-Q2's own command, whose processes start and end together.

Django-Q2's sentinel and workers live on as orphans when the process above them is killed: they hold messages,
and nobody stops them. On Linux each of our processes dies with its parent, down the whole tree. If all of its
processes get the signal to stop at once (systemd's default, `tini -g`), Django-Q2 waits for ever for those
that have ended already; here only the first process acts on it, and stops the others.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils.module_loading import import_string
from django_q.cluster import Cluster
from django_q.management.commands import qcluster

from jobs.apps import SETTINGS
from jobs.common import process_id
from jobs.runtime.shutdown import STOP_FILE
from jobs.workers import processes, schema


class GracefulCluster(Cluster):  # type: ignore[misc]  # django_q ships no types
    """Stops once, however many signals arrive, and releases its jobs at their next step."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        signal.signal(signal.SIGHUP, self.sig_handler)

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        # A second signal would interrupt the handling of the first, which may hold a lock that it needs.
        for each in processes.STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        if self.sentinel is None:  # nothing was started yet
            sys.exit(0)
        flag = Path(os.environ[STOP_FILE])
        with suppress(OSError):  # the disk is full or the folder gone: its time slices end anyway
            flag.touch()
        super().sig_handler(signum, frame)
        flag.unlink(missing_ok=True)


class Command(qcluster.Command):  # type: ignore[misc]  # django_q ships no types
    requires_system_checks = (SETTINGS,)

    def handle(self, *args: Any, **options: Any) -> None:
        if sentence := schema.migration_problem() or schema.newer_problem():
            raise CommandError(sentence)
        os.environ.setdefault(STOP_FILE, str(Path(settings.VAR_DIR) / f"stop-{process_id.file_name()}"))
        Path(os.environ[STOP_FILE]).unlink(missing_ok=True)
        import_string(settings.JOBS_WORK)  # loaded once for all the workers that are forked from here
        processes.bind_forks()
        # The forks block SIGTERM, so it could end neither a worker that hangs nor the monitor at the end.
        BaseProcess.terminate = BaseProcess.kill  # type: ignore[method-assign]
        qcluster.Cluster = GracefulCluster
        super().handle(*args, **options)
