"""SQLite held by another writer for longer than anybody waits for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.demo import Demo, demo_zendesk
from tests.outages.premises import Premises, premises
from tests.processes import DEADLINE, await_line, await_that

pytestmark = pytest.mark.slow


@pytest.fixture
def demo(settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=1500) as running:
        yield running


@pytest.fixture
def place(demo: Demo, tmp_path: Path) -> Iterator[Premises]:
    database = f"sqlite:///{tmp_path / 'locked.sqlite3'}"
    with premises(
        demo, tmp_path / "var", database, DATABASE_LOCK_TIMEOUT="1", ZENDESK_MAX_JOBS="2"
    ) as running:
        yield running


def test_a_click_is_refused_in_words_and_all_that_was_under_way_goes_on(
    demo: Demo, place: Premises, tmp_path: Path
) -> None:
    place.start_worker()
    web = place.start_web()
    demo.account.hold(after=2)  # both jobs stay under way
    refs = demo.open_tickets[:1200]
    ids = [",".join(map(str, part)) for part in (refs[:600], refs[600:])]
    assert place.run("tag_tickets", "--ids", ids[0], "--add", "brand-new", "--yes", "--detach").code == 0
    command = place.manage("tag_tickets", "--ids", ids[1], "--add", "brand-new", "--yes")
    with closing(sqlite3.connect(tmp_path / "locked.sqlite3", isolation_level=None)) as database:
        await_that(lambda: demo.account.ledger.updates, "the first tickets")
        with place.form(web, "/jobs/1/pause") as press:
            database.execute("BEGIN IMMEDIATE")
            demo.account.hold(after=2)  # what was in flight ends while nobody can write it down
            refused = press()
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert "<h1>The database is busy</h1>" in refused.text
            assert "Load this page again to send it once more: nothing is done twice." in " ".join(
                refused.text.split()
            )
            assert place.ask(web, "/jobs/1/").status_code == 200  # who only looks is not in anybody's way
            await_line(command.stdout, "The database is busy with other work. Trying again")
            database.execute("COMMIT")
            assert press().status_code == 302
        demo.account.release()
        status = "SELECT status FROM jobs_job WHERE id = 1"
        await_that(lambda: database.execute(status).fetchone() == ("paused",), "the pause")
        with place.form(web, "/jobs/1/resume") as press:
            assert press().status_code == 302
        assert command.wait(DEADLINE) == 0
        open_jobs = "SELECT count(*) FROM jobs_job WHERE finished_at IS NULL"
        await_that(lambda: database.execute(open_jobs).fetchone() == (0,), "the end")
        rows = database.execute("SELECT status, changed, crash_count FROM jobs_job").fetchall()
    assert rows == [("succeeded", 600, 0)] * 2
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
    assert place.run("check_jobs").code == 0
