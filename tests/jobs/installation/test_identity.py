"""A database knows its copies, and never takes itself for one."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from jobs.engine import execution
from jobs.installation import identity, standstill
from jobs.installation.backup import back_up
from jobs.installation.birth_time import birth_time
from jobs.models import Batch, Installation, Job
from jobs.states import Status
from jobs.workers import reaper
from tests.demo import Demo, outcomes, run, submit

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="about the file of SQLite")
postgres_only = pytest.mark.skipif(connection.vendor == "sqlite", reason="about PostgreSQL")


def database_file() -> Path:
    return Path(connection.settings_dict["NAME"])


def test_the_birth_of_a_file_is_what_stat_says_of_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    told = subprocess.run(["stat", "-c", "%W", file], capture_output=True, text=True, check=True).stdout
    born = birth_time(file)
    assert born is not None
    assert born // 1_000_000_000 == int(told)
    moved = file.rename(tmp_path / "moved")
    assert birth_time(moved) == born
    with pytest.raises(FileNotFoundError):
        birth_time(file)


def test_a_database_in_memory_has_no_copies() -> None:
    assert identity.difference({"engine": "sqlite", "inode": 1, "born": 2}, {}) == ""


FILE = {"engine": "sqlite", "inode": 7, "born": 100}
SERVER = {"engine": "postgresql", "system": "738", "database": 5, "table": 9, "addresses": ["here"]}


@pytest.mark.parametrize(
    ("recorded", "now", "words"),
    [
        (FILE, FILE, ""),
        (FILE, FILE | {"inode": 8}, "Its file is not the one that was used before."),
        (FILE, FILE | {"born": 101}, "Its file is not the one that was used before."),
        (FILE, FILE | {"born": None}, ""),  # a file system that does not keep it
        (FILE, SERVER, "Its rows came from another kind of database."),
        ({}, SERVER, "Its rows came from another kind of database."),
        (SERVER, SERVER | {"system": None}, ""),  # refused since
        (
            SERVER,
            SERVER | {"system": "9"},
            identity.DIFFERENCES["system"],
        ),
        (SERVER, SERVER | {"database": 6}, "It is another database of the PostgreSQL server."),
        (SERVER, SERVER | {"table": 1}, "Its tables were made anew, as a restored dump does."),
        (SERVER, SERVER | {"addresses": ["there"]}, "It is reached by another address than before."),
        (SERVER | {"addresses": ["here", "there"]}, SERVER | {"addresses": ["there"]}, ""),
        ({"backup": "2026-11-30 23:00 UTC"}, FILE, "It is a backup that was made at 2026-11-30 23:00 UTC."),
    ],
)
def test_each_difference_is_named(recorded: dict, now: dict, words: str) -> None:
    assert identity.difference(recorded, now) == words


@postgres_only
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "/run/postgresql", False),  # two servers may listen on sockets of one number
        ("DB.example.", "db.example", True),
        ("a,b", "b,a", True),
        ("db.example", "10.0.0.1", False),
    ],
)
def test_names_of_one_server_by_tcp_are_one_address(
    db: None, monkeypatch: pytest.MonkeyPatch, one: str, other: str, same: bool
) -> None:
    options = connection.settings_dict["OPTIONS"]
    told = []
    for host in (one, other):
        monkeypatch.setitem(options, "host", host)
        told.append(identity._address())
    assert (told[0] == told[1]) is same
    monkeypatch.setitem(options, "port", "5433")
    assert identity._address() not in told


@postgres_only
def test_localhost_of_another_machine_is_another_address(
    db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "host", "localhost")
    here = identity._address()
    monkeypatch.setattr(identity, "MACHINE_ID", tmp_path / "machine-id")
    identity.MACHINE_ID.write_text("0123456789abcdef\n")
    assert identity._address() != here


def test_what_is_recorded_first_is_the_database_itself(transactional_db: None) -> None:
    Installation.objects.all().delete()
    assert standstill.current() is None
    recorded = Installation.objects.get()
    assert recorded.identity == identity.read()
    assert standstill.current() is None
    assert Installation.objects.get().recorded_at == recorded.recorded_at


@sqlite_only
def test_neither_a_move_nor_a_checkpoint_nor_a_vacuum_makes_a_copy(
    transactional_db: None, tmp_path: Path
) -> None:
    assert standstill.current() is None
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("VACUUM")
        cursor.execute("VACUUM INTO %s", [str(tmp_path / "into.sqlite3")])
    assert standstill.current() is None
    connection.close()
    moved = database_file().rename(database_file().with_name("moved"))
    with pytest.raises(OperationalError, match="cannot be found"):
        standstill.current()
    moved.rename(database_file())
    assert standstill.current() is None


@sqlite_only
def test_a_file_that_takes_the_place_of_the_database_is_a_copy_for_running_processes(
    transactional_db: None, demo: Demo, tmp_path: Path
) -> None:
    job = submit(refs=demo.open_tickets[:5], here=False).job
    Job.objects.count()  # this process has it open
    other = tmp_path / "restored"
    shutil.copy(database_file(), other)
    with closing(sqlite3.connect(database_file())) as live:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(database_file(), other)
    other.replace(database_file())
    for end in ("-wal", "-shm"):
        database_file().with_name(database_file().name + end).unlink(missing_ok=True)
    found = standstill.current()
    assert found is not None
    assert found.why == "Its file is not the one that was used before."
    assert run(job).status == Status.QUEUED
    assert reaper.reap() == 0
    assert set(outcomes(job).values()) == set()
    assert demo.account.ledger.updates == {}


@sqlite_only
def test_a_backup_put_over_the_very_file_is_a_copy(transactional_db: None, tmp_path: Path) -> None:
    assert standstill.current() is None
    back_up(tmp_path / "backup")
    connection.close()
    before = database_file().stat().st_ino
    for end in ("-wal", "-shm"):
        database_file().with_name(database_file().name + end).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "backup", database_file())
    assert database_file().stat().st_ino == before
    found = standstill.current()
    assert found is not None
    assert found.why.startswith("It is a backup that was made at ")


def test_a_database_that_is_swapped_under_a_job_ends_the_work_on_it(
    transactional_db: None, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(refs=demo.open_tickets[:150]).job
    real = identity.read

    def swapped() -> identity.Identity:
        return real() | {"inode": 1, "system": "1"}

    # Undone here: the end of the test records the identity anew, for the tests after it.
    with monkeypatch.context() as patch:

        def swap() -> None:
            if Batch.objects.exists():
                patch.setattr(identity, "read", swapped)

        execution.run(job.pk, token=job.lease_token, seconds=60, on_step=swap)
    assert demo.account.ledger.updates == {}
    assert Job.objects.get(pk=job.pk).status == Status.SELECTING
