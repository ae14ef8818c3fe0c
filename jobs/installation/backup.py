"""A copy of an SQLite database that is right while others write, and that knows itself to be a copy."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

from django.db import connection

from jobs.clocks import clock
from jobs.installation import identity
from jobs.models import Installation, Item, Job

#: Seconds that the copy waits for a writer, who holds the file's lock for a moment.
LOCK_TIMEOUT = 60.0


class NotBackedUp(Exception):
    """No copy was made; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a checked copy holds."""

    size: int  # bytes
    jobs: int
    items: int
    knows_itself: bool  # False: it was made of a database older than identities, before the first migrate


def back_up(to: Path, *, overwrite: bool = False) -> Backup:
    """Copy the database to a file of mode 0600, check the copy by opening it, and only then give it its name.

    Raises `NotBackedUp`; nothing is left behind then.
    """
    if connection.vendor != "sqlite":
        raise NotBackedUp(
            "This copies SQLite databases only. For PostgreSQL: "
            f'pg_dump --format=custom --file={to} "$DATABASE_URL"'
        )
    if connection.is_in_memory_db():  # type: ignore[attr-defined]  # SQLite's wrapper has it
        raise NotBackedUp("The database is in memory, so there is nothing to copy.")
    source = Path(connection.settings_dict["NAME"])
    _check_target(to, source, overwrite=overwrite)
    try:
        with _draft_of(to) as draft:
            made = _copy(source, draft)
            _publish(draft, to, overwrite=overwrite)
            return made
    except sqlite3.Error as problem:
        raise NotBackedUp(f"The database could not be copied: {problem}.") from problem
    except OSError as problem:
        raise NotBackedUp(f"{to} could not be written: {problem.strerror}.") from problem


def _check_target(to: Path, source: Path, *, overwrite: bool) -> None:
    if not source.exists():
        raise NotBackedUp(f"There is no database at {source}.")
    if to.is_dir():
        raise NotBackedUp(f"{to} is a folder; give the name of a file in it.")
    own = [source, *(source.with_name(source.name + end) for end in ("-wal", "-shm", "-journal"))]
    if any(to.absolute() == path.absolute() or _is_same(to, path) for path in own):
        raise NotBackedUp(f"{to} is the database itself; give another name.")
    if not overwrite and os.path.lexists(to):
        raise NotBackedUp(f"{to} is there already. Give another name, or add --overwrite to replace it.")


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


@contextmanager
def _draft_of(to: Path) -> Iterator[Path]:
    """A file beside the target that only its owner may read; it is gone afterwards, if nobody renamed it."""
    number, name = mkstemp(prefix=f".{to.name}.", suffix=".part", dir=to.parent)
    os.close(number)
    draft = Path(name)
    try:
        yield draft
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + end).unlink(missing_ok=True)


def _copy(source: Path, draft: Path) -> Backup:
    """One step of the backup API is one transaction: in WAL mode nobody waits for it, and it for nobody."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=LOCK_TIMEOUT)) as live,
        closing(sqlite3.connect(draft)) as copy,
    ):
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete without a second
        with copy:
            knows_itself = _void(copy)
    with closing(sqlite3.connect(f"{draft.as_uri()}?mode=ro", uri=True)) as copy:
        _check(copy)
        jobs, items = (
            copy.execute(f"SELECT COUNT(*) FROM {model._meta.db_table}").fetchone()[0]  # noqa: S608 - our names
            for model in (Job, Item)
        )
    return Backup(draft.stat().st_size, jobs, items, knows_itself)


def _void(copy: sqlite3.Connection) -> bool:
    """Give the copy an identity that no database has, so that it counts as a copy wherever it is put."""
    table = Installation._meta.db_table
    if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
        return False
    now = clock.now()
    told = json.dumps({identity.BACKUP: f"{now:%Y-%m-%d %H:%M} UTC"})
    if not copy.execute(f"UPDATE {table} SET identity = ?", [told]).rowcount:  # noqa: S608 - our name
        copy.execute(
            f"INSERT INTO {table} (id, identity, recorded_at, recorded_by, held_by, held_why)"  # noqa: S608
            " VALUES (?, ?, ?, '', '', '')",
            [Installation.ONLY, told, f"{now:%Y-%m-%d %H:%M:%S}"],
        )
    return True


def _check(copy: sqlite3.Connection) -> None:
    """Raises `NotBackedUp` if the copy is damaged, or if a job of it has lost tickets."""
    found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise NotBackedUp(f"The copy is damaged, as the database may be: {found}")
    wrong = copy.execute(
        "SELECT id FROM jobs_job WHERE pruned_at IS NULL AND found <>"
        " (SELECT COUNT(*) FROM jobs_item WHERE job_id = jobs_job.id) LIMIT 1"
    ).fetchone()
    if wrong:
        raise NotBackedUp(f"The copy lacks tickets of job {wrong[0]}. Run manage.py check_jobs.")


def _publish(draft: Path, to: Path, *, overwrite: bool) -> None:
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    if overwrite:
        draft.replace(to)
    else:
        try:
            os.link(draft, to)  # unlike a rename it fails if somebody has just taken the name
        except FileExistsError:
            raise NotBackedUp(f"{to} has just been made by somebody else.") from None
        except OSError:  # a file system without links
            draft.replace(to)
    folder = os.open(to.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
