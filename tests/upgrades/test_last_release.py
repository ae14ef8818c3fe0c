"""The upgrade from the last release: its database, jobs and queued messages continue with the current code.

`make_fixture` says how the data was made, and which part each job plays.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

from tests.cookies import session_cookie_at
from tests.demo import Demo, demo_zendesk
from tests.outages.premises import FIELDS, Premises
from tests.processes import await_that
from tests.upgrades.make_fixture import PASSWORD, tickets
from zendesk import sandbox

pytestmark = [pytest.mark.slow, pytest.mark.once]

HERE = Path(__file__).parent
RECORD: dict[str, Any] = json.loads(gzip.decompress((HERE / "last_release.json.gz").read_bytes()))
JOBS: dict[str, int] = RECORD["jobs"]
#: By part, and by ticket.
Outcomes = dict[str, dict[int, str]]
#: Statuses that a job leaves only when a person acts.
AT_REST = {"succeeded", "partial", "cancelled", "errored", "paused"}
#: Tags that the jobs of each part add and remove; the guard tag is removed at the end.
CHANGES: dict[str, tuple[set[str], set[str]]] = {
    "held": ({"renewal"}, {"first_reply_sent"}),
    "preview": ({"survey"}, set()),
    "macro": (set(), set()),  # undone
    "paused": ({"campaign"}, set()),
    "done": (set(), set()),  # undone
    "killed": ({"quartz"}, set()),
    "queued": ({"winter"}, set()),
}


class Upgraded:
    """The old database with the current code, and a demo Zendesk as the old program left it."""

    def __init__(self, demo: Demo, place: Premises, database: sqlite3.Connection) -> None:
        self.demo = demo
        self.place = place
        self.database = database
        self.initial_tags = {ref: frozenset(demo.tags(ref)) for ref in demo.account.ticket_ids()}
        self.is_closed = set(demo.closed_tickets)
        self.record = {ticket["id"]: ticket for ticket in tickets(demo.url, list(self.initial_tags))}
        self.web = ""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.database.execute(sql).fetchall()

    def outcomes(self, number: int) -> dict[int, str]:
        return dict(self.query(f"SELECT ref, outcome FROM jobs_item WHERE job_id = {number}"))

    def statuses(self) -> dict[int, str]:
        return dict(self.query("SELECT id, status FROM jobs_job"))

    def follow_up(self, part: str, kind: str) -> int:
        """The id of the one follow-up of this kind of the part's job."""
        ((number,),) = self.query(
            f"SELECT id FROM jobs_job WHERE parent_id = {JOBS[part]} AND follow_up = '{kind}'"
        )
        return int(number)

    def updates(self) -> Counter[int]:
        return Counter(self.demo.account.ledger.updates)

    def update_many(self, changes: dict[int, dict[str, Any]]) -> str:
        """Update up to a hundred tickets over the API, each with its own change; return the bulk job's id."""
        answer = requests.put(
            f"{self.demo.url}/api/v2/tickets/update_many.json",
            json={"tickets": [{"id": ref} | change for ref, change in changes.items()]},
            headers={"Authorization": f"Bearer {sandbox.BEARER_TOKEN}"},
            timeout=30,
        )
        answer.raise_for_status()
        return str(answer.json()["job_status"]["id"])

    def replay_old_changes(self) -> None:
        """Repeat the old program's changes in the fresh demo Zendesk."""
        changed = [(int(ref), change) for ref, change in RECORD["changed"].items()]
        for start in range(0, len(changed), 100):
            self.update_many(dict(changed[start : start + 100]))
        refs = [ref for ref, _ in changed]
        now = {ticket["id"]: ticket for ticket in tickets(self.demo.url, refs)}
        assert {ref: {name: now[ref][name] for name in change} for ref, change in changed} == dict(changed)

    def sign_in(self) -> None:
        """Sign in as Ana, with the password that the old program stored."""
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(f"{self.web}/login/", timeout=60)
            filled = dict(FIELDS.findall(page.text)) | {"username": "ana", "password": PASSWORD}
            answer = browser.post(f"{self.web}/login/", filled, timeout=60, allow_redirects=False)
            assert answer.status_code == 302, answer.text
            name = session_cookie_at(self.web)
            self.place.cookie = (name, browser.cookies[name])

    def press(self, part: str, button: str) -> None:
        with self.place.form(self.web, f"/jobs/{JOBS[part]}/{button}") as press:
            answer = press()
        assert answer.status_code == 302, answer.text

    def await_rest(self) -> None:
        await_that(lambda: set(self.statuses().values()) <= AT_REST, "the end of all jobs")

    def check_pages(self) -> None:
        """Every page of a job, and every list of jobs, answers 200."""
        paths = ["/", "/jobs/"]
        for number in self.statuses():
            paths += [f"/jobs/{number}/{name}" for name in ("", "live", "account", "status", "export.csv")]
        answers = {path: self.place.ask(self.web, path).status_code for path in paths}
        assert answers == dict.fromkeys(paths, 200)


@pytest.fixture
def upgraded(settings: Settings, tmp_path: Path) -> Iterator[Upgraded]:
    file = tmp_path / "upgraded.sqlite3"
    with (
        demo_zendesk(settings, **RECORD["set_up"]) as demo,
        closing(sqlite3.connect(file, isolation_level=None)) as database,
    ):
        database.executescript(gzip.decompress((HERE / "last_release.sql.gz").read_bytes()).decode())
        # No job is small enough to run in the request: the worker must run them all.
        place = Premises(demo, tmp_path, f"sqlite:///{file}", SYNC_TICKET_LIMIT="0")
        try:
            yield Upgraded(demo, place, database)
        finally:
            place.close()


def test_the_demo_zendesk_still_has_the_tickets_that_the_last_release_saw(upgraded: Upgraded) -> None:
    """If this fails, make the data again; the other test would fail for the wrong reason."""
    seen = upgraded.query("SELECT ref, before FROM jobs_item WHERE before <> '{}'")
    assert len(seen) > 1_000
    before = {ref: set(json.loads(before)["tags"]) for ref, before in seen}
    unguarded = upgraded.outcomes(JOBS["unguard"])  # the only tickets in two jobs
    assert {ref: tags for ref, tags in before.items() if ref not in unguarded} == {
        ref: upgraded.initial_tags[ref] for ref in before if ref not in unguarded
    }


def test_jobs_and_messages_of_the_last_release_continue_after_the_upgrade(upgraded: Upgraded) -> None:
    demo, place = upgraded.demo, upgraded.place
    upgraded.replay_old_changes()
    known, forgotten = finish_batches_in_flight(upgraded)
    old = {part: upgraded.outcomes(number) for part, number in JOBS.items()}
    messages = {pk for (pk,) in upgraded.query("SELECT id FROM django_q_ormq")}
    updates = upgraded.updates()

    migrated = place.run("migrate", "--verbosity", "0")
    assert (migrated.code, migrated.err) == (0, "")
    upgraded.web = place.start_web()
    upgraded.sign_in()
    upgraded.check_pages()
    assert (
        "Escalations" in place.ask(upgraded.web, f"/jobs/{JOBS['macro']}/").text
    )  # the group that the macro set

    place.start_worker()
    await_that(
        lambda: messages.isdisjoint(pk for (pk,) in upgraded.query("SELECT id FROM django_q_ormq")),
        "the old messages",
    )
    stored = upgraded.statuses()
    assert (stored[JOBS["held"]], stored[JOBS["paused"]]) == ("paused", "paused")  # nobody resumed them

    # Someone adds a tag that makes the held job leave the ticket out.
    spammed = next(
        ref for ref, how in old["held"].items() if how == "pending" and ref not in upgraded.is_closed
    )
    demo.account.edit(spammed, add=["spam"])
    for part in ("held", "paused"):
        upgraded.press(part, "resume")
    upgraded.press("preview", "run")
    for part in ("macro", "done"):
        upgraded.press(part, "undo")
    upgraded.await_rest()

    stored = upgraded.statuses()
    assert stored.pop(JOBS["cancelled"]) == "cancelled"
    assert set(stored.values()) == {"succeeded"}
    check_outcomes(upgraded, old, spammed)
    check_tickets(upgraded, spammed)
    assert upgraded.updates() - updates == expected_updates(upgraded, old, spammed, known | forgotten)
    upgraded.check_pages()
    assert upgraded.query("SELECT * FROM django_q_task WHERE NOT success") == []
    for log in ("worker.log", "web.log"):
        assert not [line for line in place.log(log).splitlines() if " ERROR " in line or "Traceback" in line]
    recounted = place.run("check_jobs")
    assert (recounted.code, recounted.err) == (0, "")


def check_outcomes(upgraded: Upgraded, old: Outcomes, spammed: int) -> None:
    """Every ticket of every job has the expected outcome."""
    now = {part: upgraded.outcomes(number) for part, number in JOBS.items()}
    assert now["held"] == dict.fromkeys(old["held"], "changed") | {spammed: "skipped"}
    assert now["paused"] == {
        ref: "skipped" if ref in upgraded.is_closed else "changed" for ref in old["paused"]
    }
    assert now["killed"] == dict.fromkeys(old["killed"], "changed")
    assert now["queued"] == dict.fromkeys(now["queued"], "changed")
    assert now["queued"]
    assert upgraded.outcomes(upgraded.follow_up("preview", "run")) == dict.fromkeys(old["preview"], "changed")
    for part in ("macro", "done"):
        assert now[part] == old[part]
        undone = upgraded.outcomes(upgraded.follow_up(part, "undo"))
        assert undone == {ref: how for ref, how in old[part].items() if how == "changed"}


def check_tickets(upgraded: Upgraded, spammed: int) -> None:
    """All tickets of the account match the outcomes."""
    expected = dict(upgraded.initial_tags)
    for part, (add, remove) in CHANGES.items():
        for ref, how in upgraded.outcomes(JOBS[part]).items():
            if how in ("changed", "planned"):
                expected[ref] = expected[ref] - remove | add
    expected[spammed] |= {"spam"}
    found = {ticket["id"]: ticket for ticket in tickets(upgraded.demo.url, list(expected))}
    assert {ref: set(ticket["tags"]) for ref, ticket in found.items()} == expected
    for name in ("priority", "group_id"):  # the macro set them, and the undo restored them
        assert {ref: ticket[name] for ref, ticket in found.items()} == {
            ref: ticket[name] for ref, ticket in upgraded.record.items()
        }


def expected_updates(upgraded: Upgraded, old: Outcomes, spammed: int, done: set[int]) -> Counter[int]:
    """How often the current code must update each ticket.

    It resends nothing that the old program sent, and sends nothing twice. A guarded change needs a second
    update, which removes the guard tag; closed tickets get no guard tag.
    """
    is_open = {ref: ref not in upgraded.is_closed for ref in upgraded.initial_tags}
    expected: Counter[int] = Counter()
    for ref, how in old["held"].items():
        expected[ref] = (how == "pending") + is_open[ref]
    expected[spammed] = 0
    for ref, how in old["paused"].items():
        expected[ref] = how == "pending" and is_open[ref]
    for ref in (*old["preview"], *old["done"], *upgraded.outcomes(JOBS["queued"])):
        expected[ref] = 1 + is_open[ref]
    expected.update(ref for ref, how in old["macro"].items() if how == "changed")
    expected.update(old["killed"].keys() - done)
    return +expected


def finish_batches_in_flight(upgraded: Upgraded) -> tuple[set[int], set[int]]:
    """Carry out, as Zendesk during the upgrade, the two batches in flight when the process was killed.

    It finished the first and still knows its receipt. It finished half of the second and forgot it. Returns
    the finished tickets of each batch.
    """
    batches = upgraded.query(f"SELECT id FROM jobs_batch WHERE job_id = {JOBS['killed']} AND state = 'sent'")
    (first, second) = (pk for (pk,) in batches)
    refs = {
        pk: [ref for (ref,) in upgraded.query(f"SELECT ref FROM jobs_item WHERE batch_id = {pk} ORDER BY id")]
        for pk in (first, second)
    }
    receipt = upgraded.update_many({ref: {"additional_tags": ["quartz"]} for ref in refs[first]})
    upgraded.database.execute("UPDATE jobs_batch SET receipt = ? WHERE id = ?", (receipt, first))
    done = refs[second][: len(refs[second]) // 2]
    upgraded.update_many({ref: {"additional_tags": ["quartz"]} for ref in done})
    return set(refs[first]), set(done)
