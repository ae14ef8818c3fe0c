"""What an error of the database means, and how long anybody waits for its end."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from jobs.engine import execution
from jobs.models import Job
from jobs.runtime.database_retry import DatabaseRetry, Trouble, trouble_in
from jobs.runtime.lease import Lease
from jobs.states import Status, WaitReason
from tests.demo import Demo, counts, run, submit

#: Each commit is a real one, as a connection that is closed in the middle needs it.
STORED = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.runtime.database_retry.RETRY_INTERVAL", 0.01)


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("57P01", Trouble.AWAY),
        ("57P03", Trouble.AWAY),
        ("25P03", Trouble.AWAY),
        ("08006", Trouble.AWAY),
        ("53300", Trouble.AWAY),
        ("40P01", Trouble.BUSY),
        ("40001", Trouble.BUSY),
        ("55P03", Trouble.BUSY),
        ("53100", Trouble.FULL),
        ("42P01", Trouble.BEHIND),
        ("42703", Trouble.BEHIND),
        ("42601", None),  # a mistake in the question is a fault of the program
        ("22001", None),
    ],
)
def test_postgres_errors_are_recognised(state: str, trouble: Trouble | None) -> None:
    problem = OperationalError("said")
    problem.__cause__ = psycopg.errors.lookup(state)("said by the server")
    assert trouble_in(problem) is trouble


@pytest.mark.parametrize(
    "said",
    [
        'connection to server at "db.test", port 6432 failed: FATAL: unsupported startup parameter: options',
        "FATAL:  Feature not supported: RDS Proxy currently doesn't support command-line options.",
    ],
)
def test_a_pooler_that_refuses_start_up_options_is_recognised(said: str) -> None:
    assert trouble_in(OperationalError(said)) is Trouble.POOLED
    assert trouble_in(OperationalError("connection refused")) is Trouble.AWAY


def test_sqlite_errors_are_recognised(tmp_path: Path) -> None:
    def problem_of(question: str, database: sqlite3.Connection) -> OperationalError:
        with pytest.raises(sqlite3.OperationalError) as caught:
            database.execute(question)
        wrapped = OperationalError(str(caught.value))
        wrapped.__cause__ = caught.value
        return wrapped

    path = tmp_path / "some.sqlite3"
    with (
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as one,
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
    ):
        one.execute("CREATE TABLE t (x)")
        one.execute("BEGIN IMMEDIATE")
        assert trouble_in(problem_of("INSERT INTO t VALUES (1)", other)) is Trouble.BUSY
        one.execute("ROLLBACK")
        one.execute("PRAGMA max_page_count=2")
        assert trouble_in(problem_of("INSERT INTO t VALUES (randomblob(100000))", one)) is Trouble.FULL
        assert trouble_in(problem_of("SELECT * FROM missing", one)) is Trouble.BEHIND
        assert trouble_in(problem_of("SELECT missing FROM t", one)) is Trouble.BEHIND
        assert trouble_in(problem_of("SELEKT", one)) is None
    assert trouble_in(OSError(28, "No space left on device")) is Trouble.FULL
    assert trouble_in(OSError(2, "No such file")) is None
    assert trouble_in(ValueError()) is None


@STORED
def test_a_bug_is_raised_at_once_and_trouble_when_the_time_is_up() -> None:
    for problem in (IntegrityError("twice"), OperationalError("gone")):
        with pytest.raises(type(problem)):
            DatabaseRetry(0.0).wait_or_raise(problem)
    with pytest.raises(IntegrityError):
        DatabaseRetry(60.0).wait_or_raise(IntegrityError("twice"))


@STORED
def test_a_receipt_survives_a_database_that_fails_when_it_is_stored(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit right after the call fails twice; the receipt is not looked for but known."""
    failures = iter([True, True])
    write = Lease._renew

    def failing(lease: Lease, changes: dict[str, object], *others: Any) -> None:
        if "calls_write" in changes and next(failures, False):
            raise OperationalError("the connection is closed")
        write(lease, changes, *others)

    monkeypatch.setattr(Lease, "_renew", failing)
    refs = demo.open_tickets[:50]
    job = run(submit(refs=refs, add=["brand-new"]))
    assert (job.status, counts(job), job.crash_count) == (Status.SUCCEEDED, {"changed": 50}, 0)
    assert job.calls_write == 1
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}


@STORED
def test_a_job_whose_database_wait_is_over_is_parked_and_continues_by_itself(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = submit(refs=demo.open_tickets[:50], add=["brand-new"])

    def full(*_: object) -> None:
        raise OperationalError("disk") from sqlite3_error(sqlite3.SQLITE_FULL)

    with monkeypatch.context() as broken:
        broken.setattr("jobs.engine.settler.Settler._write", full)
        execution.run(made.job.pk, token=made.token, seconds=60, database_retry=DatabaseRetry(0.0))
    job = Job.objects.get()
    assert (job.status, job.waiting_for, job.lease_token) == (Status.WAITING, WaitReason.DATABASE, "")
    assert "Make room on it" in job.transitions.order_by("-id")[0].why
    assert job.resumes_at is not None
    Job.objects.update(resumes_at=job.created_at)
    job = run(job)
    assert (job.status, counts(job), job.crash_count) == (Status.SUCCEEDED, {"changed": 50}, 0)
    assert job.calls_write == 1


def sqlite3_error(code: int) -> sqlite3.OperationalError:
    problem = sqlite3.OperationalError("said by SQLite")
    problem.sqlite_errorcode = code
    return problem


@STORED
@pytest.mark.parametrize(
    "phase",
    [
        "jobs.engine.selection.Selection._write",
        "jobs.engine.selection.Selection._freeze",
        "jobs.engine.pipeline.Pipeline._reserve",
        "jobs.engine.pipeline.Pipeline._send",
        "jobs.engine.pipeline.Pipeline._follow",
        "jobs.engine.settler.Settler._write",
        "jobs.engine.execution._end_if_due",
    ],
)
def test_a_connection_that_is_cut_in_any_phase_does_no_harm(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    from django.utils.module_loading import import_string

    where, _, name = phase.rpartition(".")
    if where == "jobs.engine.execution":
        owner: object = execution
        whole = import_string(phase)
    else:
        owner = import_string(where)
        whole = getattr(owner, name)
    cuts = iter([cut])

    def cutting(*args: object, **options: object) -> object:
        next(cuts, lambda: None)()
        return whole(*args, **options)

    monkeypatch.setattr(owner, name, cutting)
    refs = demo.open_tickets[:150]
    job = run(submit(refs=refs, add=["brand-new"]))
    assert next(cuts, None) is None, "the phase was never reached"
    assert (job.status, counts(job), job.crash_count) == (Status.SUCCEEDED, {"changed": 150}, 0)
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}


def cut() -> None:
    """End this process's connection from another one; SQLite has none, and is said to be locked instead."""
    if connection.vendor == "sqlite":
        raise OperationalError("database is locked") from sqlite3_error(sqlite3.SQLITE_BUSY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with psycopg.connect(conninfo(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def conninfo() -> str:
    given = connection.get_connection_params()
    return f"host={given['host']} dbname={given['dbname']} user={given['user']}"


@STORED
def test_a_deadlock_that_the_database_resolves_is_retried() -> None:
    tried = []

    def do() -> int:
        tried.append(1)
        if len(tried) < 3:
            problem = OperationalError("deadlock detected")
            problem.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")
            raise problem
        with transaction.atomic():
            return Job.objects.count()

    assert (DatabaseRetry(60.0).retry(do), len(tried)) == (0, 3)
