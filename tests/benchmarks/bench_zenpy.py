"""Against what people write with zenpy, in one run: the same tickets, the same demo Zendesk, the same delays.

Meanwhile another agent tags tickets, at the same moments of each run, after the script has read them and
before it writes. What a script then sends as the whole list of tags takes the other agent's tag away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import requests
from zenpy import Zenpy
from zenpy.lib.api_objects import Ticket

from jobs import actions
from jobs.actors import Actor
from tests.benchmarks import figures, sizes
from tests.benchmarks.worker_processes import at_work, await_end
from tests.benchmarks.zendesk_process import Account, account
from tests.sandbox.test_zenpy import HOST, ToTheDemo
from zendesk.sandbox import API_TOKEN, EMAIL, VIEW_UNSOLVED

AT_ONCE, PLACES = 100, 30
#: The loop and single updates are measured on a part, for they would take hours. Of the latter Zendesk lets a
#: hundred through in a minute, however quick each is.
PART, SINGLE_PART = 10, 100
#: The other agent tags so many tickets, spread over all, each this long after the one before, seconds.
OTHERS, EVERY = 50, 0.02
TAG, THEIRS = "campaign", "theirs"
#: Between two looks at a job that is being listed, seconds.
LOOK = 0.05
COLUMNS = (
    *("what", "tickets", "seconds", "tickets a second", "calls"),
    *("tags of others lost", "not tagged", "conflicts"),
)


@contextmanager
def zenpy(zendesk: Account) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount(HOST, ToTheDemo(zendesk.url))
        yield Zenpy(subdomain="demo", email=EMAIL, token=API_TOKEN, session=session, proactive_ratelimit=None)


def _read(client: Any, number: int) -> list[Any]:
    found = []
    for ticket in client.views.tickets(VIEW_UNSOLVED):
        found.append(ticket)
        if len(found) == number:
            break
    return found


def _tagged(tickets: Sequence[Any]) -> list[Ticket]:
    """The list that was read, with one tag more: how scripts do it."""
    return [Ticket(id=ticket.id, tags=[*ticket.tags, TAG]) for ticket in tickets]


def loop(client: Any, number: int, begun: threading.Event) -> int:
    """A hundred at a time, waiting for each job; the number of conflicts."""
    tickets = _read(client, number)
    begun.set()
    conflicts = 0
    for first in range(0, number, AT_ONCE):
        job = client.tickets.update(_tagged(tickets[first : first + AT_ONCE]))
        conflicts += _conflicts(_wait(client, job))
    return conflicts


def in_flight(client: Any, number: int, begun: threading.Event) -> int:
    """Many jobs in flight, the oldest waited for when all places are taken."""
    tickets = _read(client, number)
    begun.set()
    waiting: list[Any] = []
    conflicts = 0
    for first in range(0, number, AT_ONCE):
        if len(waiting) == PLACES:
            conflicts += _conflicts(_wait(client, waiting.pop(0)))
        waiting.append(client.tickets.update(_tagged(tickets[first : first + AT_ONCE])))
    return conflicts + sum(_conflicts(_wait(client, job)) for job in waiting)


def single(client: Any, number: int, begun: threading.Event) -> int:
    """One call for each ticket, as zenpy's own papers show it."""
    tickets = _read(client, number)
    begun.set()
    for ticket in tickets:
        ticket.tags.append(TAG)
        client.tickets.update(ticket)
    return 0


def _wait(client: Any, job: Any) -> Any:
    while (status := client.job_status(id=job.id)).status not in ("completed", "failed"):
        time.sleep(sizes.scale())  # a second of Zendesk's
    return status


def _conflicts(status: Any) -> int:
    return sum(
        "error" in vars(result) or bool(getattr(result, "error", "")) for result in status.results or []
    )


class Race:
    """One way to tag the same tickets, on an account of its own, with another agent at work meanwhile."""

    def __init__(self, zendesk: Account, number: int) -> None:
        self.zendesk = zendesk
        zendesk.configure(runtime_scale=0.0)
        with zenpy(zendesk) as client:
            self.refs = [ticket.id for ticket in _read(client, number)]
        zendesk.configure(runtime_scale=sizes.scale())
        self.of_other = self.refs[:: max(number // OTHERS, 1)][:OTHERS]
        self._calls = self._called()

    def run(self, work: Callable[[threading.Event], int]) -> int:
        """Do the work; tickets that it has read by the event are tagged by somebody else, the last first."""
        begun = threading.Event()

        def tag() -> None:
            begun.wait()
            for ref in reversed(self.of_other):
                self.zendesk.edit([{"id": ref, "add": [THEIRS]}])
                time.sleep(EVERY)

        agent = threading.Thread(target=tag)
        agent.start()
        try:
            return work(begun)
        finally:
            begun.set()
            agent.join()

    def row(self, what: str, seconds: float, conflicts: object) -> tuple[object, ...]:
        number, tags = len(self.refs), self.zendesk.tags(self.refs)
        lost = sum(THEIRS not in tags[ref] for ref in self.of_other)
        missed = sum(TAG not in tags[ref] for ref in self.refs)
        calls = self._called() - self._calls
        return (
            *(what, f"{number:,}", f"{seconds:.1f}", f"{number / seconds:,.0f}"),
            *(f"{calls:,}", lost, missed, conflicts),
        )

    def _called(self) -> int:
        return sum(self.zendesk.ledger()["calls"].values())


def fresh(number: int) -> AbstractContextManager[Account]:
    return account(tickets=3 * number, scale=sizes.scale(), runtime_scale=sizes.scale())


def ours(race: Race, number: int) -> tuple[float, int]:
    """A job of a worker; its seconds, and how many tickets were sent again."""
    job = actions.submit(
        tool="bulk-tag",
        title="Add a tag",
        params={"add": [TAG], "remove": [], "set": [], "include_closed": False},
        source={"kind": "view", "id": VIEW_UNSOLVED, "title": "All unsolved"},
        limit=number,
        by=Actor(name="bench"),
    ).job

    def work(begun: threading.Event) -> int:
        while job.frozen_at is None and not job.is_ended:
            time.sleep(LOOK)
            job.refresh_from_db()
        begun.set()
        await_end([job])
        return sum(job.batches.filter(attempt__gt=1).values_list("size", flat=True))

    again = race.run(work)
    assert (job.status, job.changed) == ("succeeded", number)
    assert job.finished_at
    return (job.finished_at - job.created_at).total_seconds(), again


def test_zenpy(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    number = sizes.compared()
    rows, pace = [], []
    for what, tag, tickets in (
        ("zenpy, 100 and wait", loop, number // PART),
        ("zenpy, 30 in flight", in_flight, number),
        ("zenpy, one by one", single, number // SINGLE_PART),
    ):
        with fresh(number) as zendesk, zenpy(zendesk) as client:
            race = Race(zendesk, tickets)
            start = time.perf_counter()
            conflicts = race.run(partial(tag, client, tickets))
            seconds = time.perf_counter() - start
            rows.append(race.row(what, seconds, f"{conflicts} left"))
            pace.append(tickets / seconds)
    with fresh(number) as zendesk:
        race = Race(zendesk, number)
        environment = process_environment | zendesk.environment | {"ZENDESK_MAX_JOBS": str(PLACES)}
        with at_work(environment, tmp_path):
            seconds, again = ours(race, number)
        rows.append(race.row("Tag Manager", seconds, f"{again} sent again"))
    assert rows[-1][5:7] == (0, 0), "no tag of anybody is lost, and no ticket is missed"
    times = number / seconds / pace[0]
    figures.keep("zenpy", times=times)
    figures.tell(
        f"Against zenpy, {figures.database()}",
        f"A demo Zendesk with its recorded delays times {sizes.scale()}; {PLACES} places where\n"
        "many are in flight. "
        f"Another agent tags {OTHERS} of the tickets after they were read.\n"
        f"Ours are {times:.1f} times as many tickets a second as the loop's that waits. Target: 10 times.",
        COLUMNS,
        rows,
    )
