"""Another program of the same account: it takes a number of job slots by turns, over HTTP.

A refused try is one that ours may have caused. It then waits a second, as the documents ask for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

import requests

from tests.benchmarks.zendesk_process import CALL_TIMEOUT, ZendeskProcess
from zendesk import sandbox as zd

#: Slots that it wants, one after the other: 3 to 15 of 30, and the seconds of each turn with recorded delays.
TURNS, TURN_SECONDS = (3, 15, 7, 12, 3, 15, 5, 10), 12.0
#: Tickets in each of its jobs, seconds between two looks at its jobs, and after a refusal.
TICKETS, LOOK_INTERVAL, REST = 60, 0.25, 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Slots in use at a moment, seconds since the start."""

    at: float
    ours: int
    others: int


@dataclass(slots=True)
class OtherClient:
    """Its figures; `run` keeps it going."""

    zendesk: ZendeskProcess
    refs: Sequence[int]
    scale: float
    tries: int = 0
    refused: int = 0
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _mine: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def run(self) -> Iterator[None]:
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _work(self) -> None:
        begun, rests_until, turns = time.monotonic(), 0.0, cycle(TURNS)
        wanted, turn_ends = next(turns), begun + TURN_SECONDS * self.scale
        with requests.Session() as http:
            http.headers["Authorization"] = f"Bearer {zd.BEARER_TOKEN}"
            while not self._stop.wait(LOOK_INTERVAL * self.scale):
                now = time.monotonic()
                open_ = self.zendesk.open_jobs()
                self._mine &= open_
                self.samples.append(Sample(now - begun, len(open_ - self._mine), len(self._mine)))
                if now >= turn_ends:
                    wanted, turn_ends = next(turns), now + TURN_SECONDS * self.scale
                while len(self._mine) < wanted and now >= rests_until:
                    if not self._send(http):
                        rests_until = now + REST * self.scale

    def _send(self, http: requests.Session) -> bool:
        first = self.tries * TICKETS % max(len(self.refs) - TICKETS, 1)
        ids = ",".join(map(str, self.refs[first : first + TICKETS]))
        answer = http.put(
            f"{self.zendesk.url}/api/v2/tickets/update_many.json",
            params={"ids": ids},
            json={"ticket": {"additional_tags": [f"other_{self.tries}"]}},
            timeout=CALL_TIMEOUT,
        )
        self.tries += 1
        if answer.ok:
            self._mine.add(answer.json()["job_status"]["id"])
        elif answer.json().get("error") == "TooManyJobs":
            self.refused += 1
        else:
            self.problems.append(answer.text)
        return answer.ok
