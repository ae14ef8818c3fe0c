"""The upgrade from the last release: its database, its jobs and its queued messages go on with this program.

`make_fixture` says how the data was made, and which part each of the jobs plays.
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
#: The statuses in which a job stays until somebody moves it.
AT_REST = {"succeeded", "partial", "cancelled", "errored", "paused"}
#: What the jobs of each part add and take away; the guard tag comes off at the end.
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
    """The old database under this program, beside a demo Zendesk in the state that the old one left."""

    def __init__(self, demo: Demo, place: Premises, database: sqlite3.Connection) -> None:
        self.demo = demo
        self.place = place
        self.database = database
        self.at_first = {ref: frozenset(demo.tags(ref)) for ref in demo.account.ticket_ids()}
        self.is_closed = set(demo.closed_tickets)
        self.record = {ticket["id"]: ticket for ticket in tickets(demo.url, list(self.at_first))}
        self.web = ""

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        return self.database.execute(question).fetchall()

    def outcomes(self, number: int) -> dict[int, str]:
        return dict(self.ask(f"SELECT ref, outcome FROM jobs_item WHERE job_id = {number}"))

    def statuses(self) -> dict[int, str]:
        return dict(self.ask("SELECT id, status FROM jobs_job"))

    def follow_up(self, part: str, kind: str) -> int:
        """The number of the one follow-up of this kind of the part's job."""
        ((number,),) = self.ask(
            f"SELECT id FROM jobs_job WHERE parent_id = {JOBS[part]} AND follow_up = '{kind}'"
        )
        return int(number)

    def updates(self) -> Counter[int]:
        return Counter(self.demo.account.ledger.updates)

    def put(self, changes: dict[int, dict[str, Any]]) -> str:
        """Update up to a hundred tickets over the API, each in its own way; the id of the bulk job."""
        answer = requests.put(
            f"{self.demo.url}/api/v2/tickets/update_many.json",
            json={"tickets": [{"id": ref} | change for ref, change in changes.items()]},
            headers={"Authorization": f"Bearer {sandbox.BEARER_TOKEN}"},
            timeout=30,
        )
        answer.raise_for_status()
        return str(answer.json()["job_status"]["id"])

    def bring_zendesk_up_to_date(self) -> None:
        """Change the fresh demo as the old program had changed the one of its time."""
        changed = [(int(ref), change) for ref, change in RECORD["changed"].items()]
        for start in range(0, len(changed), 100):
            self.put(dict(changed[start : start + 100]))
        refs = [ref for ref, _ in changed]
        now = {ticket["id"]: ticket for ticket in tickets(self.demo.url, refs)}
        assert {ref: {name: now[ref][name] for name in change} for ref, change in changed} == dict(changed)

    def sign_in(self) -> None:
        """As Ana, with the password that the old program stored."""
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(f"{self.web}/login/", timeout=60)
            filled = dict(FIELDS.findall(page.text)) | {"username": "ana", "password": PASSWORD}
            answer = browser.post(f"{self.web}/login/", filled, timeout=60, allow_redirects=False)
            assert answer.status_code == 302, answer.text
            self.place.cookie = browser.cookies["sessionid"]

    def press(self, part: str, button: str) -> None:
        with self.place.form(self.web, f"/jobs/{JOBS[part]}/{button}") as press:
            answer = press()
        assert answer.status_code == 302, answer.text

    def await_rest(self) -> None:
        await_that(lambda: set(self.statuses().values()) <= AT_REST, "the end of all jobs")

    def check_pages(self) -> None:
        """Every page about a job, and those that list them, can be shown."""
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
        # No job is so small that it is worked on in the request: the worker has to do it.
        place = Premises(demo, tmp_path, f"sqlite:///{file}", SYNC_TICKET_LIMIT="0")
        try:
            yield Upgraded(demo, place, database)
        finally:
            place.close()


def test_the_demo_zendesk_still_has_the_tickets_that_the_last_release_saw(upgraded: Upgraded) -> None:
    """Otherwise the data has to be made again, and the other test would fail for no good reason."""
    seen = upgraded.ask("SELECT ref, before FROM jobs_item WHERE before <> '{}'")
    assert len(seen) > 1_000
    before = {ref: set(json.loads(before)["tags"]) for ref, before in seen}
    unguarded = upgraded.outcomes(JOBS["unguard"])  # the only ones that two jobs have seen
    assert {ref: tags for ref, tags in before.items() if ref not in unguarded} == {
        ref: upgraded.at_first[ref] for ref in before if ref not in unguarded
    }


def test_jobs_and_messages_of_the_last_release_go_on_after_the_upgrade(upgraded: Upgraded) -> None:
    demo, place = upgraded.demo, upgraded.place
    upgraded.bring_zendesk_up_to_date()
    known, forgotten = fate_of_batches_in_flight(upgraded)
    old = {part: upgraded.outcomes(number) for part, number in JOBS.items()}
    messages = {pk for (pk,) in upgraded.ask("SELECT id FROM django_q_ormq")}
    updates = upgraded.updates()

    migrated = place.run("migrate", "--verbosity", "0")
    assert (migrated.code, migrated.err) == (0, "")
    upgraded.web = place.start_web()
    upgraded.sign_in()
    upgraded.check_pages()
    assert "Escalations" in place.ask(upgraded.web, f"/jobs/{JOBS['macro']}/").text  # the group that it set

    place.start_worker()
    await_that(
        lambda: messages.isdisjoint(pk for (pk,) in upgraded.ask("SELECT id FROM django_q_ormq")),
        "the old messages",
    )
    stored = upgraded.statuses()
    assert (stored[JOBS["held"]], stored[JOBS["paused"]]) == ("paused", "paused")  # nobody resumed them

    # Somebody gives a ticket the tag for which the held job leaves tickets out.
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
    assert upgraded.updates() - updates == updates_owed(upgraded, old, spammed, known | forgotten)
    upgraded.check_pages()
    assert upgraded.ask("SELECT * FROM django_q_task WHERE NOT success") == []
    for log in ("worker.log", "web.log"):
        assert not [line for line in place.log(log).splitlines() if " ERROR " in line or "Traceback" in line]
    recounted = place.run("check_jobs")
    assert (recounted.code, recounted.err) == (0, "")


def check_outcomes(upgraded: Upgraded, old: Outcomes, spammed: int) -> None:
    """Every ticket of every job has the outcome that was asked for."""
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
    """The tickets are as the outcomes say, in the whole account."""
    expected = dict(upgraded.at_first)
    for part, (add, remove) in CHANGES.items():
        for ref, how in upgraded.outcomes(JOBS[part]).items():
            if how in ("changed", "planned"):
                expected[ref] = expected[ref] - remove | add
    expected[spammed] |= {"spam"}
    found = {ticket["id"]: ticket for ticket in tickets(upgraded.demo.url, list(expected))}
    assert {ref: set(ticket["tags"]) for ref, ticket in found.items()} == expected
    for name in ("priority", "group_id"):  # the macro set them, and the undo set them back
        assert {ref: ticket[name] for ref, ticket in found.items()} == {
            ref: ticket[name] for ref, ticket in upgraded.record.items()
        }


def updates_owed(upgraded: Upgraded, old: Outcomes, spammed: int, done: set[int]) -> Counter[int]:
    """By ticket how often this program has to update it.

    What the old program sent is not sent again, and nothing is sent twice. A guarded change takes a second
    update, to take the guard tag off; closed tickets get no guard tag.
    """
    is_open = {ref: ref not in upgraded.is_closed for ref in upgraded.at_first}
    owed: Counter[int] = Counter()
    for ref, how in old["held"].items():
        owed[ref] = (how == "pending") + is_open[ref]
    owed[spammed] = 0
    for ref, how in old["paused"].items():
        owed[ref] = how == "pending" and is_open[ref]
    for ref in (*old["preview"], *old["done"], *upgraded.outcomes(JOBS["queued"])):
        owed[ref] = 1 + is_open[ref]
    owed.update(ref for ref, how in old["macro"].items() if how == "changed")
    owed.update(old["killed"].keys() - done)
    return +owed


def fate_of_batches_in_flight(upgraded: Upgraded) -> tuple[set[int], set[int]]:
    """What Zendesk has done, during the upgrade, with the two batches that a process was killed over.

    It carried out one, and still tells so by the receipt. Of the other it has done half, and forgotten it.
    Gives the tickets done, by batch.
    """
    batches = upgraded.ask(f"SELECT id FROM jobs_batch WHERE job_id = {JOBS['killed']} AND state = 'sent'")
    (first, second) = (pk for (pk,) in batches)
    refs = {
        pk: [ref for (ref,) in upgraded.ask(f"SELECT ref FROM jobs_item WHERE batch_id = {pk} ORDER BY id")]
        for pk in (first, second)
    }
    receipt = upgraded.put({ref: {"additional_tags": ["quartz"]} for ref in refs[first]})
    upgraded.database.execute("UPDATE jobs_batch SET receipt = ? WHERE id = ?", (receipt, first))
    done = refs[second][: len(refs[second]) // 2]
    upgraded.put({ref: {"additional_tags": ["quartz"]} for ref in done})
    return set(refs[first]), set(done)
