"""Jobs under random kills and freezes, and the account of what became of their tickets."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from jobs.models import Job
from jobs.reports import recount
from jobs.runtime.failpoints import Failpoint
from jobs.states import BatchState, Outcome
from jobs.workers import processes
from tests.demo import Demo, has_ended, holder_of, outcomes, submit
from tests.fuzz.figures import Figures
from tests.fuzz.fleet import Fleet, outdate_beat, send_signal
from tests.fuzz.orders import FREEZE, KILL, Orders
from tests.processes import DEADLINE, await_that, exists, is_frozen

#: How long an order waits for somebody to come to its step, seconds; then it is taken back.
ORDER_LIVES = 4.0
#: A frozen process sleeps longer than the fence's age of this trial, seconds.
SLEEPS = 0.8
#: Deaths in a row without a settled batch that a job survives; one more and it stops by itself, as it should.
SURVIVED = 1
#: Tickets of a job: so few that they are read while the list is made, or more than the limit that is set.
TICKETS = (900, 1000)
TIMES = "jobs.runtime.lease.FENCE_MAX_AGE=0.5 jobs.tasks.SLICE=3 jobs.engine.selection.READ_LATE_ABOVE=950"


class Storm:
    """Strikes until the kills and freezes asked for are done, one job after the other."""

    def __init__(
        self, demo: Demo, fleet: Fleet, orders: Orders, *, seed: int, kills: int, freezes: int
    ) -> None:
        self.demo = demo
        self.fleet = fleet
        self.orders = orders
        self.random = random.Random(seed)
        self.strikes = ["kill"] * kills + ["freeze"] * freezes
        self.random.shuffle(self.strikes)
        self.figures = Figures()
        self._gap: set[int] = set()  # tickets whose call a frozen process may have had in its hands
        self._steps: list[Failpoint] = []

    def run(self) -> Figures:
        while self.strikes:
            self._one_job()
        return self.figures

    def _one_job(self) -> None:
        self.figures.jobs += 1
        refs = sorted(self.random.sample(self.demo.open_tickets, self.random.choice(TICKETS)))
        before = Counter(self.demo.account.ledger.updates)
        self._gap = set()
        tag = f"tag-{self.figures.jobs}"
        job = submit(refs=refs, here=False, add=[tag]).job
        end = time.monotonic() + DEADLINE
        while not has_ended(job) and job.status != "errored" and time.monotonic() < end:
            if self.strikes and job.crash_count <= SURVIVED:
                self._strike(job, self.strikes.pop())
            self.figures.replaced += self.fleet.replace_hurt()
            time.sleep(0.05)
        self.orders.forget()
        self._account(job, refs, tag, before)

    # Striking

    def _strike(self, job: Job, kind: str) -> None:
        if kind == "freeze":
            self._freeze(job)
        elif self.random.random() < 0.5:
            self._kill_at_step(job)
        else:
            self._kill_at_random(job)

    def _next_step(self) -> Failpoint:
        """All steps in turn, in an order that changes."""
        if not self._steps:
            self._steps = list(Failpoint)
            self.random.shuffle(self._steps)
        return self._steps.pop()

    def _kill_at_step(self, job: Job) -> None:
        step = self._next_step()
        self.orders.give(KILL, step)
        victim = self._struck(job)
        if not victim:
            self.strikes.append("kill")
            return
        self.figures.kills["workers at a step"] += 1
        self._measure_take_over(job, victim)

    def _kill_at_random(self, job: Job) -> None:
        time.sleep(self.random.uniform(0.0, 0.6))
        holder = holder_of(job)
        home = next((one for one in self.fleet.clusters if holder in processes.members(one.pid)), None)
        if home is None or not self.fleet.is_up(home):
            self.strikes.append("kill")
            return
        what = self.random.choice(("busy workers", "sentinels", "main processes", "whole groups", "others"))
        pids = sorted(processes.members(home.pid))
        victim = {
            "busy workers": holder,
            "main processes": home.pid,
            "whole groups": -home.pid,
            "sentinels": pids[min(1, len(pids) - 1)],  # the first that the main process starts
            "others": self.random.choice(pids),
        }[what]
        self.figures.kills[what] += 1
        if victim < 0:
            os.killpg(home.pid, signal.SIGKILL)
        else:
            send_signal(victim, signal.SIGKILL)
        self._measure_take_over(job, holder)

    def _measure_take_over(self, job: Job, victim: int) -> None:
        """From the death of who had the job until another has it; hurt clusters are replaced meanwhile."""
        began = time.monotonic()

        def is_taken_over() -> bool:
            self.figures.replaced += self.fleet.replace_hurt()
            return has_ended(job) or job.status == "errored" or holder_of(job) not in (0, victim)

        await_that(lambda: not exists(victim) or holder_of(job) != victim or has_ended(job), "a death")
        await_that(is_taken_over, "another worker")
        self.figures.take_overs.append(time.monotonic() - began)

    def _struck(self, job: Job) -> int:
        end = time.monotonic() + ORDER_LIVES
        while time.monotonic() < end and not has_ended(job):
            if victim := self.orders.struck():
                return victim
            time.sleep(0.02)
        self.orders.forget_those_open()
        return self.orders.struck()

    # Freezing

    def _freeze(self, job: Job) -> None:
        victim, where = self._frozen(job)
        if not victim:
            self.strikes.append("freeze")
            return
        await_that(lambda: is_frozen(victim) or not exists(victim), "a freeze")
        self.figures.freezes[where] += 1
        self._remember_gap(job)
        if outdate_beat(job):
            began = time.monotonic()
            await_that(self._taken_from(job, victim), "another worker")
            self.figures.from_frozen.append(time.monotonic() - began)
        time.sleep(SLEEPS)
        send_signal(victim, signal.SIGCONT)

    def _taken_from(self, job: Job, victim: int) -> Callable[[], bool]:
        def is_taken() -> bool:
            self.figures.replaced += self.fleet.replace_hurt()
            return has_ended(job) or job.status == "errored" or holder_of(job) not in (0, victim)

        return is_taken

    def _frozen(self, job: Job) -> tuple[int, str]:
        """Freeze who has the job, at a step or anywhere; (0, "") when there was nobody."""
        if self.random.random() < 0.6:
            step = self._next_step()
            self.orders.give(FREEZE, step)
            return self._struck(job), "at a step"
        time.sleep(self.random.uniform(0.0, 0.6))
        victim = holder_of(job)
        if victim and send_signal(victim, signal.SIGSTOP):
            return victim, "anywhere"
        return 0, ""

    def _remember_gap(self, job: Job) -> None:
        """The tickets of a batch whose call may have been on its way out when its sender froze."""
        sending = job.items.filter(batch__state=BatchState.SENDING)
        self._gap |= set(sending.values_list("ref", flat=True))

    # The account

    def _account(self, job: Job, refs: list[int], tag: str, before: Counter[int]) -> None:
        figures = self.figures
        if not has_ended(job):
            figures.unfinished += 1
            print(f"\njob {job.pk} is {job.status}: {job.error}\n{self.fleet.said()[-6000:]}")
            return
        stored = outcomes(job)
        after = self.demo.account.ledger.updates
        written = {ref: after[ref] - before[ref] for ref in refs}
        figures.tickets += len(refs)
        figures.lost += len(set(refs) ^ set(stored))
        figures.lost += sum(
            stored.get(ref) != Outcome.CHANGED or tag not in self.demo.tags(ref) or not written[ref]
            for ref in refs
        )
        doubled = {ref for ref, times in written.items() if times > 1}
        figures.in_the_gap += len(doubled & self._gap)
        figures.doubled += len(doubled - self._gap)
        drifts = list(recount.drifts(Job.objects.filter(pk=job.pk)))
        figures.wrong_sums += len(drifts)
        if doubled - self._gap or drifts:
            print(f"\njob {job.pk}: doubled {sorted(doubled - self._gap)}\n{drifts}")
