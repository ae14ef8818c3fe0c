"""Compared with scripts that use zenpy, in one run: same tickets, same demo Zendesk, same delays.

Meanwhile another agent tags tickets, at the same moments of each run, after the script has read them and
before it writes. A script that then sends the whole list of tags removes the other agent's tag.
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
from tests.benchmarks.worker_processes import await_end, start_workers
from tests.benchmarks.zendesk_process import ZendeskProcess, start_zendesk
from tests.sandbox.test_zenpy import HOST, ToTheDemo
from zendesk.sandbox import API_TOKEN, EMAIL, VIEW_UNSOLVED

BATCH, SLOTS = 100, 30
#: The loop and single updates tag only a part of the tickets, because all would take hours. Zendesk accepts a
#: hundred single updates a minute, whatever the speed of each.
LOOP_PART, SINGLE_PART = 10, 100
#: Tickets that the other agent tags, spread over all; seconds between two of them.
OTHER_EDITS, EDIT_INTERVAL = 50, 0.02
TAG, OTHER_TAG = "campaign", "theirs"
#: Seconds between two checks of a job that is being listed.
POLL_INTERVAL = 0.05
COLUMNS = (
    *("what", "tickets", "seconds", "tickets a second", "calls"),
    *("tags of others lost", "not tagged", "conflicts"),
)


@contextmanager
def zenpy(zendesk: ZendeskProcess) -> Iterator[Any]:
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
    """The list of tags that was read plus one tag, as scripts do it."""
    return [Ticket(id=ticket.id, tags=[*ticket.tags, TAG]) for ticket in tickets]


def tag_and_wait(client: Any, number: int, tickets_read: threading.Event) -> int:
    """Send a hundred at a time and wait for each job; return the number of conflicts."""
    tickets = _read(client, number)
    tickets_read.set()
    conflicts = 0
    for first in range(0, number, BATCH):
        job = client.tickets.update(_tagged(tickets[first : first + BATCH]))
        conflicts += _conflicts(_wait(client, job))
    return conflicts


def tag_in_flight(client: Any, number: int, tickets_read: threading.Event) -> int:
    """Keep many jobs in flight; wait for the oldest when all slots are taken."""
    tickets = _read(client, number)
    tickets_read.set()
    waiting: list[Any] = []
    conflicts = 0
    for first in range(0, number, BATCH):
        if len(waiting) == SLOTS:
            conflicts += _conflicts(_wait(client, waiting.pop(0)))
        waiting.append(client.tickets.update(_tagged(tickets[first : first + BATCH])))
    return conflicts + sum(_conflicts(_wait(client, job)) for job in waiting)


def tag_one_by_one(client: Any, number: int, tickets_read: threading.Event) -> int:
    """Make one call for each ticket, as zenpy's documentation shows."""
    tickets = _read(client, number)
    tickets_read.set()
    for ticket in tickets:
        ticket.tags.append(TAG)
        client.tickets.update(ticket)
    return 0


def _wait(client: Any, job: Any) -> Any:
    while (status := client.job_status(id=job.id)).status not in ("completed", "failed"):
        time.sleep(sizes.delay_factor())  # one scaled second of Zendesk's time
    return status


def _conflicts(status: Any) -> int:
    return sum(
        "error" in vars(result) or bool(getattr(result, "error", "")) for result in status.results or []
    )


class Contender:
    """One way to tag the same tickets, on its own account, while another agent tags some of them."""

    def __init__(self, zendesk: ZendeskProcess, number: int) -> None:
        self.zendesk = zendesk
        zendesk.configure(runtime_scale=0.0)
        with zenpy(zendesk) as client:
            self.refs = [ticket.id for ticket in _read(client, number)]
        zendesk.configure(runtime_scale=sizes.delay_factor())
        self.edited_by_other = self.refs[:: max(number // OTHER_EDITS, 1)][:OTHER_EDITS]
        self._calls = self._call_count()

    def run(self, work: Callable[[threading.Event], int]) -> int:
        """Do the work. Once it sets the event, another agent tags tickets that it read, the last first."""
        tickets_read = threading.Event()

        def tag() -> None:
            tickets_read.wait()
            for ref in reversed(self.edited_by_other):
                self.zendesk.edit([{"id": ref, "add": [OTHER_TAG]}])
                time.sleep(EDIT_INTERVAL)

        agent = threading.Thread(target=tag)
        agent.start()
        try:
            return work(tickets_read)
        finally:
            tickets_read.set()
            agent.join()

    def row(self, what: str, seconds: float, conflicts: object) -> tuple[object, ...]:
        number, tags = len(self.refs), self.zendesk.tags(self.refs)
        lost = sum(OTHER_TAG not in tags[ref] for ref in self.edited_by_other)
        missed = sum(TAG not in tags[ref] for ref in self.refs)
        calls = self._call_count() - self._calls
        return (
            *(what, f"{number:,}", f"{seconds:.1f}", f"{number / seconds:,.0f}"),
            *(f"{calls:,}", lost, missed, conflicts),
        )

    def _call_count(self) -> int:
        return sum(self.zendesk.ledger()["calls"].values())


def fresh_zendesk(number: int) -> AbstractContextManager[ZendeskProcess]:
    return start_zendesk(tickets=3 * number, scale=sizes.delay_factor(), runtime_scale=sizes.delay_factor())


def tag_with_a_job(contender: Contender, number: int) -> tuple[float, int]:
    """Run a job on a worker; return its seconds and the number of tickets resent."""
    job = actions.submit(
        tool="bulk-tag",
        title="Add a tag",
        params={"add": [TAG], "remove": [], "set": [], "include_closed": False},
        source={"kind": "view", "id": VIEW_UNSOLVED, "title": "All unsolved"},
        limit=number,
        by=Actor(name="bench"),
    ).job

    def work(tickets_read: threading.Event) -> int:
        while job.frozen_at is None and not job.is_ended:
            time.sleep(POLL_INTERVAL)
            job.refresh_from_db()
        tickets_read.set()
        await_end([job])
        return sum(job.batches.filter(attempt__gt=1).values_list("size", flat=True))

    resent = contender.run(work)
    assert (job.status, job.changed) == ("succeeded", number)
    assert job.finished_at
    return (job.finished_at - job.created_at).total_seconds(), resent


def test_zenpy(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    number = sizes.compared_tickets()
    rows, speeds = [], []
    for what, tag, tickets in (
        ("zenpy, 100 and wait", tag_and_wait, number // LOOP_PART),
        ("zenpy, 30 in flight", tag_in_flight, number),
        ("zenpy, one by one", tag_one_by_one, number // SINGLE_PART),
    ):
        with fresh_zendesk(number) as zendesk, zenpy(zendesk) as client:
            contender = Contender(zendesk, tickets)
            start = time.perf_counter()
            conflicts = contender.run(partial(tag, client, tickets))
            seconds = time.perf_counter() - start
            rows.append(contender.row(what, seconds, f"{conflicts} left"))
            speeds.append(tickets / seconds)
    with fresh_zendesk(number) as zendesk:
        contender = Contender(zendesk, number)
        environment = process_environment | zendesk.environment | {"ZENDESK_MAX_JOBS": str(SLOTS)}
        with start_workers(environment, tmp_path):
            seconds, resent = tag_with_a_job(contender, number)
        rows.append(contender.row("Tag Manager", seconds, f"{resent} resent"))
    assert rows[-1][5:7] == (0, 0), "no tag of another agent is lost, and no ticket is missed"
    times = number / seconds / speeds[0]
    figures.save("zenpy", times=times)
    figures.print_table(
        f"Compared with zenpy, {figures.database()}",
        f"A demo Zendesk with recorded delays times {sizes.delay_factor()}; {SLOTS} slots where\n"
        "many jobs are in flight. "
        f"Another agent tags {OTHER_EDITS} of the tickets after the script has read them.\n"
        f"Tag Manager tags {times:.1f} times as many tickets a second as the waiting loop. Target: 10 times.",
        COLUMNS,
        rows,
    )
