"""What of the workers' duties does not work now, stored so that pages, probes and metrics can show it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum

from jobs.clocks import clock
from jobs.common import process_id
from jobs.models import WorkerFault
from jobs.workers.duties import Duty

#: Seconds between two reports.
REPORT_EVERY = 5.0
#: Older reports are ignored: their process has ended, or cannot report.
CURRENT_FOR = timedelta(seconds=60)


class DutyName(StrEnum):
    """All duties there are: names for people's logs, in metrics and in `/healthz`."""

    HEARTBEAT = "heartbeat"  # says that a cluster is alive
    CLOCK_CHECK = "clock_check"  # corrects times that a clock which was set back has left
    TAKE_OVER = "take_over"  # takes jobs from dead workers
    WAKE_UP = "wake_up"  # wakes jobs whose wake-up was lost
    DAILY_CHORES = "daily_chores"  # what is done once a day for the whole installation
    CLUSTER_BEATS = "cluster_beats"  # how the supervisor sees whether its cluster beats,
    CLUSTER_PROCESSES = "cluster_processes"  # whether all of its processes live,
    STANDSTILL = "standstill"  # and whether it works
    FAULT_REPORT = "fault_report"  # stores what is wrong with the others


class FaultReport:
    """Keeps the rows of one process as its duties are."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties
        self._is_empty = False  # nothing is stored of this process, for certain

    def duty(self) -> Duty:
        return Duty(DutyName.FAULT_REPORT, self.store, REPORT_EVERY)

    def store(self) -> None:
        failing = {duty.name: duty for duty in self._duties if duty.cause}
        if not failing and self._is_empty:
            return
        owner, now = process_id.this_process(), clock.now()
        for name, duty in failing.items():
            found = {"cause": duty.cause, "at": now}
            since = now - timedelta(seconds=time.monotonic() - duty.since) if duty.since else now
            WorkerFault.objects.update_or_create(
                owner=owner, duty=name, defaults=found, create_defaults=found | {"since": since}
            )
        WorkerFault.objects.filter(owner=owner).exclude(duty__in=failing).delete()
        WorkerFault.objects.filter(at__lt=now - timedelta(days=1)).delete()
        self._is_empty = not failing


def current() -> list[WorkerFault]:
    """The faults of living processes, by duty."""
    now = clock.now()
    lately = WorkerFault.objects.filter(at__range=(now - CURRENT_FOR, now + CURRENT_FOR))
    return [fault for fault in lately.order_by("duty", "owner") if not process_id.is_dead(fault.owner)]


def with_broken_heartbeat(faults: Iterable[WorkerFault]) -> set[str]:
    """The clusters that are alive although they cannot say so."""
    return {fault.owner for fault in faults if fault.duty == DutyName.HEARTBEAT}
