"""An account with 30 slots: our workers beside another program, in steps of a tenth of a second.

`OurJobs` does what `pacing.concurrency` and the pipeline do with a `SlotLimit`, without a database.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from jobs.engine.pacing.slot_limit import READING_LAG, SlotLimit

TOTAL, BOUND, STEP = 30, 28, 0.1
BATCH_SECONDS, CALL_SECONDS, POLL_SECONDS, RETRY_SECONDS = 10.0, 0.4, 0.6, 1.0
SENT_AT_ONCE, START_OF_TIME = 4, 1_000_000.0


@dataclass
class Account:
    """Zendesk's side. `header` is "exact", "late", "queued" (counts only what has not begun) or "absent"."""

    header: str = "exact"
    lag: float = 0.0
    total: int = TOTAL
    open: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"ours": [], "others": []})
    history: deque[tuple[float, int]] = field(default_factory=deque)

    def advance(self, now: float) -> None:
        for who, batches in self.open.items():
            self.open[who] = [one for one in batches if one[1] > now]
        self.history.append((now, self.used))
        while self.history[0][0] < now - self.lag:
            self.history.popleft()

    @property
    def used(self) -> int:
        return sum(map(len, self.open.values()))

    def queue(self, who: str, now: float, seconds: float) -> bool:
        if self.used >= self.total:
            return False
        self.open[who].append((now, now + seconds))
        return True

    def named(self, now: float) -> tuple[int, int] | None:
        """Slots in all and free, as the header of an answer names them."""
        if self.header == "absent":
            return None
        if self.header == "queued":
            used = sum(since > now - 1 for batches in self.open.values() for since, _ in batches)
        else:
            used = max(self.history[0][1], 1) if self.header == "late" else self.used
        return self.total, self.total - used


@dataclass
class Other:
    """A program that wants a number of slots by turns, and tries again a second after a refusal."""

    turns: Sequence[tuple[int, float]]  # slots, seconds
    seconds: float = 4.0  # that a batch of it takes
    tries: int = 0
    refused: int = 0
    _rests_until: float = 0.0

    def wants(self, age: float) -> int:
        if not self.turns:
            return 0
        age %= sum(seconds for _, seconds in self.turns)
        for slots, seconds in self.turns:
            if age < seconds:
                return slots
            age -= seconds
        return 0

    def step(self, account: Account, now: float) -> None:
        while now >= self._rests_until and len(account.open["others"]) < self.wants(now - START_OF_TIME):
            self.tries += 1
            if not account.queue("others", now, self.seconds):
                self.refused += 1
                self._rests_until = now + RETRY_SECONDS


@dataclass
class Call:
    sent_at: float
    accepted: bool | None = None  # None: it has not arrived
    named: tuple[int, int] | None = None


class OurJobs:
    """Some workers with as many batches as they may send, and what they store together."""

    def __init__(self, batches: int, *, workers: int, random: Random) -> None:
        self.known = SlotLimit()
        self.left, self.done, self.refused = batches, 0, 0
        self.most = 0
        self._random = random
        self._calls: list[list[Call]] = [[] for _ in range(workers)]
        self._sent: list[float] = []  # in flight as stored: when they were sent
        self._answers_at: list[float] = []  # when those accepted are over at Zendesk
        self._settled: list[float] = []
        self._rests_until = [0.0] * workers
        self._back_off = [2.0] * workers

    @property
    def in_flight(self) -> int:
        return len(self._sent)

    def step(self, account: Account, now: float) -> None:
        self._poll(now)
        for worker, calls in enumerate(self._calls):
            for call in list(calls):
                age = now - call.sent_at
                if call.accepted is None and age >= CALL_SECONDS / 2:
                    call.accepted = account.queue("ours", now, BATCH_SECONDS)
                    call.named = account.named(now)
                elif age >= CALL_SECONDS and self._random.random() < 0.7:  # answers change places
                    calls.remove(call)
                    self._take(worker, call, now)
            while self._may_send(worker, now):
                calls.append(Call(now))
                self._sent.append(now)
                self.left -= 1
        self.most = max(self.most, self.in_flight)

    def _may_send(self, worker: int, now: float) -> bool:
        busy = len(self._calls[worker]) >= SENT_AT_ONCE
        if busy or not self.left or now < self._rests_until[worker]:
            return False
        since_reading = sum(sent_at > self.known.read_at for sent_at in self._sent)
        learned = self.known.request(now, in_flight=self.in_flight, since_reading=since_reading, bound=BOUND)
        self.known = learned or self.known
        return learned is not None

    def _take(self, worker: int, call: Call, now: float) -> None:
        if not call.accepted:
            self.refused += 1
            self.left += 1
            self._sent.remove(call.sent_at)
            self.known = self.known.refused(now, called_at=call.sent_at, in_flight=self.in_flight)
            if now >= self._rests_until[worker]:
                self._rests_until[worker] = now + self._back_off[worker]
                self._back_off[worker] = min(self._back_off[worker] * 2, 30.0)
            return
        self._back_off[worker] = 2.0
        self._answers_at.append(call.sent_at + CALL_SECONDS / 2 + BATCH_SECONDS)
        if call.named:
            total, free = call.named
            ours = self.in_flight + sum(at >= call.sent_at for at in self._settled)
            lately = self.in_flight + sum(at >= call.sent_at - READING_LAG for at in self._settled)
            ours = max(ours, min(lately, self.known.most(now, BOUND)))
            span = (len(self._answers_at), ours)
            self.known = self.known.read(now, called_at=call.sent_at, total=total, free=free, ours=span)

    def _poll(self, now: float) -> None:
        if self._random.random() > STEP / POLL_SECONDS:
            return
        over = [at for at in self._answers_at if at <= now]
        self._answers_at = [at for at in self._answers_at if at > now]
        for at in over:
            self._sent.remove(min(self._sent, key=lambda sent: abs(sent + BATCH_SECONDS - at)))
            self._settled.append(now)
        self._settled = [at for at in self._settled if at > now - 60]
        self.done += len(over)


def run(account: Account, ours: OurJobs, other: Other, *, seconds: float) -> Iterator[float]:
    """Each moment, until all our batches are done or the time is over."""
    for step in range(int(seconds / STEP)):
        now = START_OF_TIME + step * STEP
        account.advance(now)
        other.step(account, now)
        ours.step(account, now)
        yield now
        if not ours.left and not ours.in_flight:
            return
