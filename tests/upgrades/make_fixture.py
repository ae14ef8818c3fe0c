"""Makes the data of an installation of the last release, for `test_last_release`.

Run it in a checkout of that release, with the packages in its requirements, and pass this folder:

    git worktree add ../last-release 9cdc232
    cd ../last-release
    PYTHONPATH=. python ../tag-manager/tests/upgrades/make_fixture.py ../tag-manager/tests/upgrades

`tests`, `zendesk` and `manage.py` are then those of the release. So this file uses only the program's
commands, its tables, and the demo Zendesk. Queue messages are signed with the SECRET_KEY that
`tests.environment` sets: if that key changes, make the data again. Wait two minutes before you test new data:
until then a worker trusts its snapshots and does not read the tickets again.

It writes two files:

- `last_release.sql.gz`: the database, as SQL.
- `last_release.json.gz`: the options of the demo Zendesk, the tickets that the jobs changed in it, and the id
  of each job by the part it plays in the test.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import requests

from tests import environment
from zendesk import sandbox

SET_UP: dict[str, Any] = {
    "tickets": 7_000,
    "seed": 1,
    "scale": 0.0,
    "rate_limit": 100_000,
    "allow_closed": True,
}
#: Fields of a ticket in the record: all that the jobs change.
RECORDED = ("tags", "priority", "group_id")
PASSWORD = "correct horse battery"  # Ana's
#: Ana may see and run jobs, nothing else.
MAKE_ANA = f"""
from django.contrib.auth.models import Permission, User
ana = User.objects.create_user("ana", password="{PASSWORD}")
ana.user_permissions.set(Permission.objects.filter(codename__in=["view_job", "run_job"]))
"""
#: Replace the names of the real machine in process names: `host/boot/pid/start/namespace` and `host:pid`.
HOST, BOOT = "app-1", "00000000-0000-4000-8000-000000000000"
BOOT_ID = re.compile(r"(?<=/)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=/\d+/\d+(/\d+)?')")
#: Seconds; far longer than any step takes.
DEADLINE = 120.0


class Installation:
    """The release with an empty database and a demo Zendesk."""

    def __init__(self, folder: Path, account: sandbox.Sandbox, url: str) -> None:
        self.database = folder / "release.sqlite3"
        self.account = account
        self.jobs: dict[str, int] = {}
        self._environment = dict(os.environ) | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "ZENDESK_BASE_URL": url,
            "ZENDESK_OAUTH_CLIENT_ID": sandbox.CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": sandbox.CLIENT_SECRET,
        }

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.Popen(command, env=self._environment | more, stdin=subprocess.DEVNULL)

    def run(self, *arguments: str, code: int = 0) -> None:
        ended = self.start(*arguments).wait(DEADLINE)
        assert ended == code, f"{arguments[0]} ended with {ended}, not {code}"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(sql).fetchall()

    def arguments(self, part: str, refs: Iterable[int], *command: str) -> list[str]:
        """The arguments of a command that makes a job; record the id that the job will get."""
        ((last,),) = self.query("SELECT coalesce(max(id), 0) FROM jobs_job")
        self.jobs[part] = last + 1
        return [*command, "--ids", ",".join(map(str, refs)), "--as", "ana"]

    def await_that(self, sql: str, holds: Callable[[list[tuple[Any, ...]]], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not holds(self.query(sql)):
            assert time.monotonic() < end, f"waited in vain: {sql}"
            time.sleep(0.02)


def make_jobs(place: Installation) -> None:
    """Make one job for each part. No two of them share a ticket, so that each can be checked by itself."""
    refs = place.account.ticket_ids()
    is_open = {ref for ref in refs if place.account.ticket(ref).status != "closed"}
    guarded = ("--include-closed", "--guard", "bulk_update")

    held = ("tag_tickets", "--add", "renewal", "--remove", "first_reply_sent", "--lacking", "spam", *guarded)
    place.run(*place.arguments("held", refs[:300], *held, "--first", "120", "--yes"), code=5)
    preview = ("tag_tickets", "--add", "survey", "--having", "web", *guarded, "--dry-run")
    place.run(*place.arguments("preview", refs[300:700], *preview))
    macro = ("apply_macro", "--macro", str(sandbox.MACRO_ESCALATE), "--lacking", "gdpr", "--yes")
    place.run(*place.arguments("macro", refs[1100:1250], *macro))
    pause_midway(place, refs[1700:6800])
    # The command also runs the next job, which removes the guard tag.
    done = ("tag_tickets", "--add", "audited", "--remove", "billing", "--having", "email", *guarded)
    place.run(*place.arguments("done", refs[700:1100], *done, "--yes"))
    place.jobs["unguard"] = place.jobs["done"] + 1
    kill_in_flight(place, [ref for ref in refs[1250:1650] if ref in is_open][:250])
    # From here on no command may run a job: it would take over the job whose process was just killed.
    queued = ("tag_tickets", "--add", "winter", "--lacking", "gdpr", *guarded, "--detach", "--yes")
    place.run(*place.arguments("queued", refs[1650:1700], *queued))
    place.run(*place.arguments("cancelled", refs[6800:6850], *queued))
    place.run("jobs", "cancel", str(place.jobs["cancelled"]), "--as", "ana")  # its queue message stays


def pause_midway(place: Installation, refs: Iterable[int]) -> None:
    """Pause a job with a long list, whose tickets are read right before they are sent; one slot."""
    place.account.configure(scale=0.1)
    arguments = place.arguments("paused", refs, "tag_tickets", "--add", "campaign", "--yes")
    number = place.jobs["paused"]
    command = place.start(*arguments, ZENDESK_MAX_JOBS="1")
    place.await_that(f"SELECT 1 FROM jobs_job WHERE id = {number} AND changed >= 200", bool)
    place.run("jobs", "pause", str(number), "--as", "ana")
    place.await_that(f"SELECT 1 FROM jobs_job WHERE id = {number} AND status = 'paused'", bool)
    kill(command)  # otherwise it waits until someone resumes the job
    place.account.configure(scale=0.0)


def kill_in_flight(place: Installation, refs: Iterable[int]) -> None:
    """Kill a job with two batches queued at Zendesk and a third pending."""
    place.account.configure(scale=1e6)
    arguments = place.arguments("killed", refs, "tag_tickets", "--add", "quartz", "--yes")
    command = place.start(*arguments, ZENDESK_MAX_JOBS="2")
    place.await_that("SELECT 1 FROM jobs_batch WHERE state = 'sent'", lambda rows: len(rows) == 2)
    kill(command)


def kill(command: subprocess.Popen[bytes]) -> None:
    """Kill the command, so that it cannot clean up."""
    command.kill()
    command.wait()


def check_parts(place: Installation) -> None:
    """Check that each part is in the state that the test expects."""
    stored = dict(place.query("SELECT id, status FROM jobs_job"))
    assert {part: stored[number] for part, number in place.jobs.items()} == {
        "held": "paused",
        "preview": "succeeded",
        "macro": "succeeded",
        "paused": "paused",
        "done": "succeeded",
        "unguard": "succeeded",
        "killed": "running",
        "queued": "queued",
        "cancelled": "cancelled",
    }
    batches: dict[str, set[str]] = {}
    for part, number in place.jobs.items():
        found = place.query(f"SELECT iif(key = 'unread', key, state) FROM jobs_batch WHERE job_id = {number}")
        batches[part] = {state for (state,) in found}
    assert batches["held"] == {"settled", "pending"}
    assert batches["paused"] >= {"settled", "unread"}
    assert batches["killed"] == {"sent", "pending"}
    ((owner,),) = place.query(f"SELECT lease_owner FROM jobs_job WHERE id = {place.jobs['killed']}")
    assert owner
    assert place.query("SELECT count(*) >= 3 FROM django_q_ormq") == [(1,)]
    keys = {key for (params,) in place.query("SELECT params FROM jobs_job") for key in json.loads(params)}
    assert keys >= {"only", "guard", "include_closed", "field_names"}


def tickets(url: str, refs: list[int]) -> Iterator[dict[str, Any]]:
    """The tickets as the demo Zendesk's API returns them."""
    for start in range(0, len(refs), 100):
        yield from requests.get(
            f"{url}/api/v2/tickets/show_many.json",
            {"ids": ",".join(map(str, refs[start : start + 100]))},
            headers={"Authorization": f"Bearer {sandbox.BEARER_TOKEN}"},
            timeout=30,
        ).json()["tickets"]


def differences(account: sandbox.Sandbox, url: str) -> dict[int, dict[str, Any]]:
    """The changed fields of each ticket, compared with a fresh demo Zendesk."""
    refs = sorted(account.ledger.updates)
    with sandbox.serve(sandbox.Sandbox(sandbox.Options(**SET_UP))) as fresh:
        pairs = zip(tickets(url, refs), tickets(fresh.url, refs), strict=True)
        return {
            now["id"]: {name: now[name] for name in RECORDED if now[name] != then[name]}
            for now, then in pairs
        }


def dump(database: Path) -> str:
    """The database as SQL, without the names of the machine that made it."""
    with closing(sqlite3.connect(database)) as source:
        text = "\n".join(source.iterdump())
    host = re.escape(socket.gethostname())
    return BOOT_ID.sub(BOOT, re.sub(rf"\b{host}(?=[/:])", HOST, text))


def write(path: Path, text: str) -> None:
    """Write the text compressed, with the same bytes for the same text."""
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        environment.isolate_settings(Path(made) / "var")
        account = sandbox.Sandbox(sandbox.Options(**SET_UP))
        with sandbox.serve(account) as server:
            place = Installation(Path(made), account, server.url)
            place.run("migrate", "--verbosity", "0")
            place.run("shell", "--no-imports", "-c", MAKE_ANA)
            make_jobs(place)
            check_parts(place)
            record = {"set_up": SET_UP, "jobs": place.jobs, "changed": differences(account, server.url)}
            write(folder / "last_release.json.gz", json.dumps(record))
            write(folder / "last_release.sql.gz", dump(place.database))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
