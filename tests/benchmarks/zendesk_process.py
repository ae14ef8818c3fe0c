"""The demo Zendesk in a process of its own, so that what it takes to answer is not taken from us."""

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

#: Calls a minute where the limit is not what is measured.
UNLIMITED = 10_000_000
#: Seconds.
GRACE, PATIENCE = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class Account:
    """A demo Zendesk that answers over HTTP, and its own levers (`zendesk.sandbox.serving.control`)."""

    url: str
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """What a process of ours needs to be connected to it."""
        return {
            "ZENDESK_BASE_URL": self.url,
            "ZENDESK_OAUTH_CLIENT_ID": zd.CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": zd.CLIENT_SECRET,
        }

    def ledger(self, *, whole: bool = False) -> dict[str, Any]:
        """What it was asked, and what became of it; `whole` with the counts per ticket."""
        found: dict[str, Any] = self._pull("GET", f"ledger{'' if whole else '?summary=1'}")
        return found

    def tags(self, refs: list[int]) -> dict[int, set[str]]:
        """The truth about the tags of tickets."""
        found: dict[int, set[str]] = {}
        for first in range(0, len(refs), 500):
            ids = ",".join(map(str, refs[first : first + 500]))
            tickets = self._pull("GET", f"tickets?ids={ids}")["tickets"]
            found |= {ticket["id"]: set(ticket["tags"]) for ticket in tickets}
        return found

    def refs(self) -> list[int]:
        """The numbers of all its tickets."""
        found: list[int] = self._pull("GET", "refs")["refs"]
        return found

    def edit(self, edits: list[dict[str, Any]]) -> None:
        """Change tickets as somebody else would."""
        self._pull("POST", "tickets", edits)

    def refuse(self, refs: list[int]) -> None:
        """Let it refuse these tickets from now on, and no others."""
        self._pull("DELETE", "faults")
        if refs:
            writes = "PUT /api/v2/tickets/update_many"
            self._pull("POST", "faults", {"match": writes, "kind": "item_error", "times": None, "ids": refs})

    def configure(self, **options: Any) -> None:
        self._pull("POST", "config", options)

    def _pull(self, method: str, lever: str, body: Any = None) -> Any:
        answer = requests.request(
            method, f"{self.url}/_control/{lever}", data=json.dumps(body), timeout=PATIENCE
        )
        answer.raise_for_status()
        return answer.json()


@contextmanager
def account(*, tickets: int, **options: float | bool) -> Iterator[Account]:
    """A fresh one with so many tickets; its bulk jobs are done at once unless `scale` is given."""
    asked: dict[str, float | bool] = {"tickets": tickets, "scale": 0.0, "rate_limit": UNLIMITED} | options
    given = []
    for name, value in asked.items():
        given += (
            [f"--{name.replace('_', '-')}"] if value is True else [f"--{name.replace('_', '-')}", str(value)]
        )
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as log:
        command = [sys.executable, "-m", "zendesk.sandbox", "--port", "0", "--quiet", *given]
        process: subprocess.Popen[bytes] = start(command, environment=os.environ, log=log)
    try:
        with os.fdopen(reading, encoding="utf-8") as said:
            line = said.readline()
            address = re.search(r"http://\S+", line)
            assert address, f"the demo Zendesk did not start: {line}{said.read()}"
            yield Account(address[0], process.pid)
    finally:
        stop(process, GRACE)
