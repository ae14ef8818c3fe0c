"""A backup is right while others write, private, checked, and never replaces anything by mistake."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from jobs.installation import backup
from jobs.models import Job
from tests import factories
from tests.processes import command

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="copies SQLite")
postgres_only = pytest.mark.skipif(connection.vendor == "sqlite", reason="refuses PostgreSQL")


@postgres_only
def test_postgresql_is_refused_with_the_line_that_does_it(db: None, tmp_path: Path) -> None:
    ran = command("backup_database", str(tmp_path / "b"))
    assert ran.code == 1
    assert f'pg_dump --format=custom --file={tmp_path / "b"} "$DATABASE_URL"' in ran.err
    assert list(tmp_path.iterdir()) == []


@sqlite_only
def test_it_is_one_private_file_with_all_that_was_committed(transactional_db: None, tmp_path: Path) -> None:
    job = factories.job(total=2)
    factories.item(job, 1)
    factories.item(job, 2)
    to = tmp_path / "backup.sqlite3"
    ran = command("backup_database", str(to))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{to}: ")
    assert ran.out.endswith("bytes, checked; 1 job, 2 tickets in them.\n")
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["backup.sqlite3"]
    with closing(sqlite3.connect(to)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("SELECT ref FROM jobs_item ORDER BY ref").fetchall() == [(1,), (2,)]


@sqlite_only
def test_what_is_there_stays_unless_it_is_told_otherwise(transactional_db: None, tmp_path: Path) -> None:
    to = tmp_path / "b"
    to.write_text("precious")
    ran = command("backup_database", str(to))
    assert (ran.code, ran.err) == (
        1,
        f"{to} is there already. Give another name, or add --overwrite to replace it.\n",
    )
    assert to.read_text() == "precious"
    assert command("backup_database", str(to), "--overwrite").code == 0
    assert to.read_bytes().startswith(b"SQLite format 3")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@sqlite_only
@pytest.mark.parametrize("end", ["", "-wal"])
def test_it_never_writes_over_the_database_itself(transactional_db: None, tmp_path: Path, end: str) -> None:
    factories.job()
    own = Path(connection.settings_dict["NAME"] + end)
    (tmp_path / "link").symlink_to(own)
    for name in (own, tmp_path / "link"):
        ran = command("backup_database", str(name), "--overwrite")
        assert (ran.code, ran.err) == (1, f"{name} is the database itself; give another name.\n")
    assert Job.objects.count() == 1


@sqlite_only
def test_folders_and_missing_folders_are_named(transactional_db: None, tmp_path: Path) -> None:
    assert "is a folder" in command("backup_database", str(tmp_path)).err
    assert "could not be written: No such file" in command("backup_database", str(tmp_path / "no" / "b")).err


@sqlite_only
def test_a_copy_that_lacks_tickets_gets_no_name(transactional_db: None, tmp_path: Path) -> None:
    job = factories.job(total=3)
    ran = command("backup_database", str(tmp_path / "b"))
    assert (ran.code, ran.err) == (1, f"The copy lacks tickets of job {job.pk}. Run manage.py check_jobs.\n")
    assert list(tmp_path.iterdir()) == []


@sqlite_only
@pytest.mark.slow
def test_it_is_whole_while_another_writes_all_the_time(transactional_db: None, tmp_path: Path) -> None:
    job = factories.job()
    stop, name = threading.Event(), connection.settings_dict["NAME"]
    written: list[int] = []

    def write() -> None:
        with closing(sqlite3.connect(name, timeout=30)) as other:
            while not stop.is_set():
                with other:  # a ticket and its count, in one transaction
                    other.execute(
                        "INSERT INTO jobs_item (job_id, ref, outcome, reason, detail)"
                        " VALUES (?, ?, 'pending', '', '')",
                        [job.pk, len(written) + 1],
                    )
                    other.execute("UPDATE jobs_job SET found = found + 1 WHERE id = ?", [job.pk])
                written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [backup.back_up(tmp_path / f"b{n}").items for n in range(10)]
    finally:
        stop.set()
        writer.join()
    assert counts == sorted(counts)
    assert 0 < counts[-1] <= len(written)
