"""No file of ours can grow: the database, its log, the logs and the cache."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from tests import factories
from tests.demo import Demo, demo_zendesk
from tests.outages.premises import Premises, premises
from tests.processes import DEADLINE, await_that, descendants

NO_LIMIT = resource.RLIM_INFINITY


@pytest.fixture
def demo(settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=1500) as running:
        yield running


@pytest.fixture
def place(demo: Demo, tmp_path: Path) -> Iterator[Premises]:
    database = f"sqlite:///{tmp_path / 'full.sqlite3'}"
    with premises(demo, tmp_path / "var", database, DATABASE_LOCK_TIMEOUT="1") as running:
        yield running


def limit(process: subprocess.Popen[str], size: int) -> None:
    """What setrlimit(2) says of RLIMIT_FSIZE, for a process and all below it: beyond it, writing fails."""
    for pid in {process.pid, *descendants(process.pid)}:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, NO_LIMIT))


@pytest.mark.slow
def test_a_job_goes_on_when_there_is_room_again_and_what_zendesk_confirmed_is_kept(
    demo: Demo, place: Premises, tmp_path: Path
) -> None:
    worker = place.start_worker()
    web = place.start_web()
    gunicorn = place.started[-1]
    refs = demo.open_tickets[:1200]
    demo.account.hold(after=2)
    ids = ",".join(map(str, refs))
    assert place.run("tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", "--detach").code == 0
    with closing(sqlite3.connect(tmp_path / "full.sqlite3", isolation_level=None)) as database:
        await_that(lambda: demo.account.ledger.updates, "the first tickets")
        with place.form(web, "/jobs/1/pause") as press:
            for process in (worker, gunicorn):
                limit(process, 1)
            refused = press()
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert "<h1>The database cannot be written</h1>" in refused.text
            assert "the disk needs room" in refused.text
        demo.account.release()  # what was in flight ends while nothing can be written down
        silent = "SELECT julianday('now') - julianday(beat_at) > 2.0 / 86400 FROM jobs_job"
        await_that(lambda: database.execute(silent).fetchone() == (1,), "the worker's silence")
        for process in (worker, gunicorn):
            limit(process, NO_LIMIT)
        await_that(
            lambda: database.execute("SELECT finished_at FROM jobs_job").fetchone() != (None,), "the end"
        )
        rows = database.execute("SELECT status, changed, crash_count FROM jobs_job").fetchall()
    assert rows == [("succeeded", 1200, 0)]
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
    assert place.run("check_jobs").code == 0


@pytest.mark.django_db
def test_a_form_that_the_full_database_refuses_is_not_half_done(client: Client, demo: Demo) -> None:
    if connection.vendor != "sqlite":
        return  # a full PostgreSQL needs a file system of its own
    client.force_login(factories.runner("ana"))
    client.raise_request_exception = False
    many = " ".join(map(str, range(1, 40_000)))
    form = {"kind": "ids", "ids": many, "add": "brand-new", "dry_run": "on", "nonce": "1"}
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count={pages}")
    try:
        refused = client.post("/tools/bulk-tag/", form)
        assert (refused.status_code, Job.objects.count()) == (503, 0)
        assert "<h1>The database cannot be written</h1>" in refused.content.decode()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count=1073741823")


@pytest.mark.slow
def test_a_command_whose_output_cannot_be_written_does_its_work_all_the_same(
    demo: Demo, place: Premises
) -> None:
    """/dev/full takes nothing (full(4)); the folder of the log is in the way of the log."""
    (place.folder / "commands.log").unlink(missing_ok=True)
    (place.folder / "commands.log").mkdir()
    refs = demo.open_tickets[:200]
    ids = ",".join(map(str, refs))
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = place.manage(
            "tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", stdout=full, stderr=full
        )
        assert command.wait(DEADLINE) == 0
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
    assert place.job(1)["status"] == "succeeded"


def test_pages_do_without_a_cache_that_cannot_be_written(tmp_path: Path, settings: Settings) -> None:
    in_the_way = tmp_path / "cache"
    in_the_way.write_text("not a folder")
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": str(in_the_way)}}
    assert cache.get("tags") is None
    cache.set("tags", ["vip"])
    cache.add("tags", ["vip"])
    assert cache.get("tags", []) == []
    assert cache.delete("tags") is False
    assert "tags" not in cache
