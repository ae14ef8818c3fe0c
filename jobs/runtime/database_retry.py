"""Recognises trouble with our own database by its errors, and retries until it has passed.

Such trouble is no bug: the transaction is rolled back, and can be repeated later.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import time
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections

from jobs.runtime import shutdown

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: The time between two tries, and between two log lines about the same trouble, seconds.
RETRY_INTERVAL, LOG_INTERVAL = 0.5, 30.0


class Trouble(Enum):
    """The kinds of trouble, each with a sentence for people."""

    AWAY = "The database does not answer."
    BUSY = "The database is busy with other work."
    FULL = "The database cannot be written: its disk is full or does not work. Make room on it."
    BEHIND = "The database is not of the same version as the program. Run manage.py migrate."
    POOLED = (
        "The database is behind a connection pooler, which refuses Tag Manager's way to connect. "
        "Set DATABASE_POOLED=True."
    )


#: By SQLSTATE or its class (postgresql.org/docs/current/errcodes-appendix.html).
POSTGRES = {
    "08": Trouble.AWAY,  # the connection
    "57P": Trouble.AWAY,  # shutting down, starting up, told to end
    "25P03": Trouble.AWAY,  # idle in a transaction for too long: this process had been frozen
    "25006": Trouble.AWAY,  # read only: a stand-by that is not the main server yet
    "53300": Trouble.AWAY,  # too many connections
    "40": Trouble.BUSY,  # deadlock, or could not be put in a serial order
    "55P03": Trouble.BUSY,  # a lock was not to be had in time
    "57014": Trouble.BUSY,  # took too long
    "53": Trouble.FULL,  # disk, memory
    "58": Trouble.FULL,  # the disk does not work
    "42P01": Trouble.BEHIND,  # no such table
    "42703": Trouble.BEHIND,  # no such column
}
#: How poolers refuse start-up options: pgbouncer, and the proxy of Amazon RDS. No server answers so.
REFUSED_BY_POOLER = ("unsupported startup parameter", "support command-line options")
#: By primary result code (sqlite.org/rescode.html).
SQLITE = {
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.FULL,
    sqlite3.SQLITE_CANTOPEN: Trouble.AWAY,
    sqlite3.SQLITE_READONLY: Trouble.AWAY,
    sqlite3.SQLITE_PROTOCOL: Trouble.BUSY,
}
#: A file that cannot grow.
FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def trouble_in(error: BaseException) -> Trouble | None:
    """The trouble with our database or disk behind an error; None for a bug."""
    if isinstance(error, OSError):
        return Trouble.FULL if error.errno in FULL_DISK else None
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        if str(cause).startswith(("no such table", "no such column")) or "has no column named" in str(cause):
            return Trouble.BEHIND
        return SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state:
        return next((POSTGRES[state[:n]] for n in (5, 3, 2) if state[:n] in POSTGRES), None)
    # Without a code the server never answered: the connection was refused, reset or closed.
    is_refused = any(words in str(error) for words in REFUSED_BY_POOLER)
    unheard = Trouble.POOLED if is_refused else Trouble.AWAY
    return unheard if isinstance(error, OperationalError | InterfaceError) else None


class DatabaseRetry:
    """Retries while the database is in trouble, for `seconds` from its creation in all.

    `notify` is called with a sentence about each trouble. A process that is asked to stop does not wait.
    """

    def __init__(self, seconds: float, notify: Callable[[str], None] | None = None) -> None:
        self._until = time.monotonic() + seconds
        self._notify = notify
        self._trouble: Trouble | None = None
        self._logged_at = 0.0

    def retry(self, do: Callable[[], T], *, once: bool = False) -> T:
        """Call `do` until the database lets it succeed; it must be safe to run twice.

        With `once` it need not be: then it is repeated only if certainly nothing was stored. A connection may
        break after the commit.
        """
        while True:
            try:
                return do()
            except DatabaseError as problem:
                if once and trouble_in(problem) is not Trouble.BUSY:
                    raise
                self.wait_or_raise(problem)

    def wait_or_raise(self, problem: DatabaseError) -> None:
        """Wait a moment before the next try; raises the problem if waiting does not help."""
        close_old_connections()  # a broken connection is opened again
        trouble = trouble_in(problem)
        if trouble is None or time.monotonic() >= self._until or shutdown.is_requested():
            raise problem
        if trouble is not self._trouble or time.monotonic() - self._logged_at >= LOG_INTERVAL:
            logger.warning(
                "%s Trying again. (%s)", trouble.value, type(problem.__cause__ or problem).__name__
            )
            if self._notify:
                self._notify(f"{trouble.value} Trying again; nothing is lost.")
            self._trouble, self._logged_at = trouble, time.monotonic()
        time.sleep(RETRY_INTERVAL)
