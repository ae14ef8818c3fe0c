"""The demo Zendesk in its own process, so that it does not take time from the process under test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from jobs.workers.processes import start, stop
from zendesk import sandbox as zd

#: Calls a minute, where a benchmark does not measure the limit.
UNLIMITED = 10_000_000
#: Seconds.
STOP_TIMEOUT, CALL_TIMEOUT = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class ZendeskProcess:
    """A demo Zendesk over HTTP, with its control endpoints (`zendesk.sandbox.serving.control`)."""

    url: str
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables that connect the app to it."""
        return {
            "ZENDESK_BASE_URL": self.url,
            "ZENDESK_OAUTH_CLIENT_ID": zd.CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": zd.CLIENT_SECRET,
        }

    def ledger(self, *, whole: bool = False) -> dict[str, Any]:
        """Its record of calls and jobs; with `whole`, also the counts per ticket."""
        found: dict[str, Any] = self._control("GET", f"ledger{'' if whole else '?summary=1'}")
        return found

    def tags(self, refs: list[int]) -> dict[int, set[str]]:
        """The tags that the tickets really have."""
        found: dict[int, set[str]] = {}
        for first in range(0, len(refs), 500):
            ids = ",".join(map(str, refs[first : first + 500]))
            tickets = self._control("GET", f"tickets?ids={ids}")["tickets"]
            found |= {ticket["id"]: set(ticket["tags"]) for ticket in tickets}
        return found

    def ticket_ids(self) -> list[int]:
        """The ids of all its tickets."""
        found: list[int] = self._control("GET", "refs")["refs"]
        return found

    def open_ids(self, number: int) -> list[int]:
        """The ids of this many tickets that are not closed."""
        found: list[int] = []
        ids = self.ticket_ids()
        for first in range(0, len(ids), 500):
            asked = ",".join(map(str, ids[first : first + 500]))
            tickets = self._control("GET", f"tickets?ids={asked}")["tickets"]
            found += [ticket["id"] for ticket in tickets if ticket["status"] not in (None, "closed")]
            if len(found) >= number:
                return found[:number]
        raise AssertionError(f"The demo Zendesk has {len(found)} open tickets, and {number} are needed.")

    def open_jobs(self) -> set[str]:
        """The ids of the bulk jobs queued or running."""
        return set(self._control("GET", "open_jobs")["open"])

    def edit(self, edits: list[dict[str, Any]]) -> None:
        """Change tickets as another agent would."""
        self._control("POST", "tickets", edits)

    def refuse(self, refs: list[int]) -> None:
        """Refuse updates of these tickets from now on, and of no others."""
        self._control("DELETE", "faults")
        if refs:
            writes = "PUT /api/v2/tickets/update_many"
            self._control(
                "POST", "faults", {"match": writes, "kind": "item_error", "times": None, "ids": refs}
            )

    def configure(self, **options: Any) -> None:
        self._control("POST", "config", options)

    def _control(self, method: str, endpoint: str, body: Any = None) -> Any:
        answer = requests.request(
            method, f"{self.url}/_control/{endpoint}", data=json.dumps(body), timeout=CALL_TIMEOUT
        )
        answer.raise_for_status()
        return answer.json()


@contextmanager
def start_zendesk(*, tickets: int, **options: float | bool) -> Iterator[ZendeskProcess]:
    """Start a demo Zendesk with `tickets` tickets; its bulk jobs finish at once unless `scale` is given."""
    chosen: dict[str, float | bool] = {"tickets": tickets, "scale": 0.0, "rate_limit": UNLIMITED} | options
    arguments = []
    for name, value in chosen.items():
        arguments += (
            [f"--{name.replace('_', '-')}"] if value is True else [f"--{name.replace('_', '-')}", str(value)]
        )
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as log:
        command = [sys.executable, "-m", "zendesk.sandbox", "--port", "0", "--quiet", *arguments]
        process: subprocess.Popen[bytes] = start(command, environment=os.environ, log=log)
    try:
        with os.fdopen(reading, encoding="utf-8") as output:
            line = output.readline()
            address = re.search(r"http://\S+", line)
            assert address, f"the demo Zendesk did not start: {line}{output.read()}"
            yield ZendeskProcess(address[0], process.pid)
    finally:
        stop(process, STOP_TIMEOUT)
