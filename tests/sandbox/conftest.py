"""A demo Zendesk, a clock that a test moves, and a caller."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from zendesk.sandbox import BEARER_TOKEN, Options, Sandbox, Server, serve

# A Monday noon: half a day past the midnight the tickets' dates are counted from.
NOON = 1_795_435_200.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Zendesk:
    """A running demo account and somebody who calls it."""

    sandbox: Sandbox
    server: Server
    clock: Clock
    session: requests.Session

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """`path` below /api/v2/, or from the root with a leading slash."""
        root = self.server.url if path.startswith("/") else f"{self.server.url}/api/v2/"
        return self.session.request(method, root + path, timeout=10, **options)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def read(self, path: str, **params: Any) -> Any:
        """The body of a GET that succeeds."""
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def tag(self, ids: list[int], **change: Any) -> str:
        """One change for many tickets, accepted; the job's id."""
        response = self.update_many(ids, **change)
        assert response.status_code == 200, response.text
        job_id: str = response.json()["job_status"]["id"]
        return job_id

    def update_many(self, ids: list[int], **change: Any) -> requests.Response:
        listed = ",".join(map(str, ids))
        return self.call("PUT", f"tickets/update_many.json?ids={listed}", json={"ticket": change})

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.read(f"job_statuses/{job_id}.json")["job_status"]
        return job

    def ids(self, *statuses: str, count: int = 3) -> list[int]:
        """The first tickets of these statuses; of any but closed if none is named."""
        wanted = statuses or ("new", "open", "pending", "hold", "solved")
        found = (
            number for number in self.sandbox.ticket_ids() if self.sandbox.ticket(number).status in wanted
        )
        return [next(found) for _ in range(count)]


Start = Callable[..., Zendesk]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(clock: Clock) -> Iterator[Start]:
    """Starts a demo Zendesk: small, and with jobs that are done at once unless asked otherwise."""
    with ExitStack() as running:

        def start_one(**options: Any) -> Zendesk:
            chosen = {"tickets": 400, "scale": 0.0, "clock": clock, **options}
            sandbox = Sandbox(Options(**chosen))
            server = running.enter_context(serve(sandbox))
            session = running.enter_context(requests.Session())
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {BEARER_TOKEN}"
            return Zendesk(sandbox, server, clock, session)

        yield start_one


@pytest.fixture
def zendesk(start: Start) -> Zendesk:
    return start()
