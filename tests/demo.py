"""A demo Zendesk for a test, and jobs that run against it over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from django.core.cache import cache

from jobs import actions
from jobs.actors import COMMAND_LINE, Actor
from jobs.engine import execution
from jobs.models import Job
from jobs.states import FollowUp
from tagmanager.account import asking, connection
from tagmanager.changes.job_options import JobOptions
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from zendesk import sandbox as zd

ANA = Actor(name="ana")
#: Seconds; longer than any test's job.
TIME_LIMIT = 120.0


@dataclass(slots=True)
class Demo:
    """A demo Zendesk that the settings of the test point to."""

    account: zd.Sandbox
    url: str

    def tags(self, ref: int) -> set[str]:
        return set(self.account.ticket(ref).tags)

    def fault(self, kind: str, *, on: str = "PUT /api/v2/tickets/update_many", **params: Any) -> None:
        self.account.faults.add(on, kind, **params)

    def update_as_others(self, ref: int) -> None:
        """A bulk update of one ticket by another client, over the API."""
        requests.put(
            f"{self.url}/api/v2/tickets/update_many.json?ids={ref}",
            json={"ticket": {"additional_tags": ["theirs"]}},
            headers={"Authorization": f"Bearer {zd.BEARER_TOKEN}"},
            timeout=30,
        ).raise_for_status()

    def take_tag_off(self, refs: Iterable[int], tag: str) -> None:
        """A bulk update by another client that takes the tag off; it ends before this returns."""
        requests.put(
            f"{self.url}/api/v2/tickets/update_many.json?ids={','.join(map(str, refs))}",
            json={"ticket": {"remove_tags": [tag]}},
            headers={"Authorization": f"Bearer {zd.BEARER_TOKEN}"},
            timeout=30,
        ).raise_for_status()

    def calls(self, path: str) -> int:
        return self.account.ledger.calls[path]

    @property
    def open_tickets(self) -> list[int]:
        """Tickets that are not closed, by id."""
        return [ref for ref in self.account.ticket_ids() if self.account.ticket(ref).status != "closed"]

    @property
    def closed_tickets(self) -> list[int]:
        return [ref for ref in self.account.ticket_ids() if self.account.ticket(ref).status == "closed"]


@contextmanager
def demo_zendesk(settings: Any, **options: Any) -> Iterator[Demo]:
    """Start a demo Zendesk and point the settings to it; bulk jobs finish at once unless `scale` is given."""
    account = zd.Sandbox(zd.Options(**{"scale": 0.0, "tickets": 400, "rate_limit": 100_000} | options))
    with zd.serve(account) as server:
        point_to(server.url, settings)
        yield Demo(account, server.url)


@contextmanager
def zendesk_away(settings: Any) -> Iterator[str]:
    """Point the settings to an address at which nobody answers; the port stays taken, so nobody else may."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        point_to(url, settings)
        yield url


def point_to(url: str, settings: Any) -> None:
    """Point the settings to the demo at this URL, and drop everything cached about another.

    Ports are reused now and then. A cached token or page of the demo that had the port before would be taken
    for this one's.
    """
    settings.ZENDESK_BASE_URL = url
    settings.ZENDESK_OAUTH_CLIENT_ID = zd.CLIENT_ID
    settings.ZENDESK_OAUTH_CLIENT_SECRET = zd.CLIENT_SECRET
    connection._credentials.cache_clear()
    cache.clear()
    asking.forget_words_of_customers()


def params(
    *, add: Iterable[str] = (), remove: Iterable[str] = (), exact: Iterable[str] = ()
) -> dict[str, Any]:
    return {"add": sorted(add), "remove": sorted(remove), "set": sorted(exact)}


def submit(
    *,
    refs: Iterable[int] | None = None,
    view: int | None = None,
    search: str | None = None,
    tag: str | None = None,
    all_tickets: bool = False,
    chosen: Source | None = None,
    only: TicketFilter | None = None,
    here: bool = True,
    by: Actor = ANA,
    dry_run: bool = False,
    limit: int | None = None,
    canary: int | None = None,
    nonce: str | None = None,
    closed: bool = False,
    **change: Any,
) -> actions.Submission:
    """A job of bulk-tag; adds `vip` when no change is given."""
    if chosen is not None:
        source: dict[str, Any] = chosen.stored
    elif refs is not None:
        source = {"kind": "ids", "name": ""}
    elif view is not None:
        source = {"kind": "view", "id": view, "title": "A view"}
    elif all_tickets:
        source = {"kind": "all"}
    elif search is not None:
        source = {"kind": "search", "query": search}
    else:
        source = {"kind": "tag", "tag": tag}
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to some tickets",
        params=params(**(change or {"add": ["vip"]})),
        options=JobOptions(closed, only or TicketFilter()).to_json(),
        source=source,
        refs=chosen.refs if chosen else refs or (),
        lists=chosen.lists if chosen else None,
        by=by,
        limit=limit,
        canary=canary,
        dry_run=dry_run,
        nonce=nonce,
        here=here,
    )


def run(
    made: actions.Submission | Job, *, seconds: float = TIME_LIMIT, tick: Callable[[], None] | None = None
) -> Job:
    """Run the job in this process and return it as stored afterwards."""
    job = made.job if isinstance(made, actions.Submission) else made
    token = made.token if isinstance(made, actions.Submission) else ""
    execution.run(job.pk, token=token, seconds=seconds, on_step=tick)
    job.refresh_from_db()
    return job


def follow(job: Job, kind: FollowUp, **options: Any) -> Job:
    """Submit the follow-up and run it to its end."""
    return run(actions.follow_up(job=job, kind=kind, by=COMMAND_LINE, here=True, **options))


def outcomes(job: Job) -> dict[int, str]:
    """Ref to outcome of every item."""
    return {ref: str(outcome) for ref, outcome in job.items.values_list("ref", "outcome")}


def counts(job: Job) -> dict[str, int]:
    """The counts that are not zero, `remaining` included."""
    return {name: n for name, n in (job.counts | {"remaining": job.remaining}).items() if n}


def has_ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.is_ended


def holder_of(job: Job) -> int:
    """The process id of the worker that has the job; 0 when nobody has."""
    job.refresh_from_db()
    return int(job.lease_owner.split("/")[2]) if job.lease_owner else 0
