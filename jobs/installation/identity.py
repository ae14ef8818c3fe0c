"""What tells a database from its copies.

SQLite: the inode of the file and the time of its birth. A move keeps both, so does a container made anew on
the same volume; a copy has neither. The number of the device is left out, because it may change.

PostgreSQL: the identifier of the server's data, the numbers of the database and of our table (a dump that is
restored makes the table anew), and the addresses by which it is reached: a copy of the data directory keeps
all else.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

from jobs.installation.birth_time import birth_time

logger = logging.getLogger(__name__)

#: As stored in `Installation.identity`.
Identity = dict[str, Any]
#: The table whose number tells a restored dump from what was dumped.
TABLE = "jobs_installation"
#: How long what a PostgreSQL connection said is believed, seconds: a pooler may lead to another server.
ASK_AGAIN_AFTER = 3.0
#: Names of this machine, whose meaning differs from host to host, and the file that names the machine.
LOCAL, MACHINE_ID = {"localhost", "::1", ""}, Path("/etc/machine-id")
POSTGRES_PORT = "5432"
#: The key of an identity that no database has, by the reason why: the copy was made as one.
BACKUP = "backup"

#: The file behind each open connection of SQLite, as it was when the connection was opened.
_opened: WeakKeyDictionary[BaseDatabaseWrapper, Identity] = WeakKeyDictionary()
#: What each open connection of PostgreSQL said, and when.
_asked: WeakKeyDictionary[Any, tuple[float, Identity]] = WeakKeyDictionary()


def read() -> Identity:
    """The identity of the database as it is now; {} for one in memory, which has no copies.

    Raises `OperationalError` while the file is not there.
    """
    return _sqlite() if connection.vendor == "sqlite" else _postgres()


def reopen_if_replaced() -> None:
    """Close a connection to a file that is no longer the one at its path: the next query opens that one."""
    before = _opened.get(connections[DEFAULT_DB_ALIAS])
    if connection.connection is not None and before and not connection.in_atomic_block and before != read():
        logger.warning("The file of the database was replaced: opening the new one")
        connection.close()


def difference(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What shows that this is not the database that was recorded, as a sentence; "" for nothing."""
    if made := recorded.get(BACKUP):
        return f"It is a backup that was made at {made}."
    if not now:
        return ""
    if recorded.get("engine") != now["engine"]:
        return "Its rows came from another kind of database."
    for part, words in DIFFERENCES.items():
        known = recorded.get(part)
        if known is not None and now.get(part) is not None and known != now[part]:
            return words
    addresses = recorded.get("addresses")
    if addresses is not None and not set(now["addresses"]) & set(addresses):
        return OTHER_ADDRESS
    return ""


DIFFERENCES = {
    "inode": "Its file is not the one that was used before.",
    "born": "Its file is not the one that was used before.",
    "system": "It is on another PostgreSQL server, or on one that was made anew.",
    "database": "It is another database of the PostgreSQL server.",
    "table": "Its tables were made anew, as a restored dump does.",
}
OTHER_ADDRESS = "It is reached by another address than before."


def with_address(recorded: Mapping[str, Any], now: Identity) -> Identity:
    """The identity to record, with the addresses known before where nothing but the address differs."""
    if difference(recorded, now) != OTHER_ADDRESS:
        return now
    return now | {"addresses": sorted({*recorded["addresses"], *now["addresses"]})}


# SQLite


def _sqlite() -> Identity:
    if connection.is_in_memory_db():  # type: ignore[attr-defined]  # SQLite's wrapper has it
        return {}
    path = Path(connection.settings_dict["NAME"])
    try:
        return {"engine": "sqlite", "inode": path.stat().st_ino, "born": birth_time(path) or None}
    except OSError as problem:
        raise OperationalError(f"The file of the database cannot be found: {problem.strerror}") from problem


@receiver(connection_created)
def _note_file(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.alias == DEFAULT_DB_ALIAS and connection.vendor == "sqlite":
        with suppress(OperationalError):  # moved away this moment: the next query tells
            _opened[connection] = _sqlite()


# PostgreSQL


def _postgres() -> Identity:
    connection.ensure_connection()
    session = connection.connection
    at, known = _asked.get(session, (0.0, {}))
    if not known or time.monotonic() - at > ASK_AGAIN_AFTER:
        known = _ask()
        _asked[session] = time.monotonic(), known
    return known | {"engine": "postgresql", "addresses": [_address()]}


def _ask() -> Identity:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::bigint, to_regclass(%s)::oid::bigint,"
            " has_function_privilege('pg_control_system()', 'EXECUTE')"
            " FROM pg_database WHERE datname = current_database()",
            [TABLE],
        )
        database, table, may_ask = cursor.fetchone()
    return {"system": _system_identifier() if may_ask else None, "database": database, "table": table}


def _system_identifier() -> str | None:
    """None where a managed server refuses it. As text: JavaScript's numbers, and some JSON, are shorter."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT system_identifier::text FROM pg_control_system()")
            return str(cursor.fetchone()[0])
    except DatabaseError as problem:
        if not connection.is_usable():
            raise
        logger.debug("The server does not tell its system identifier: %s", type(problem).__name__)
        return None


def _address() -> str:
    """A digest of the address in the settings: hosts, port and name, without user and password."""
    given = connection.settings_dict
    options = given.get("OPTIONS") or {}
    hosts = str(options.get("host") or given.get("HOST") or "")
    port = str(options.get("port") or given.get("PORT") or POSTGRES_PORT)
    name = str(options.get("dbname") or given.get("NAME") or "")
    parts = sorted(_host(host) for host in hosts.split(","))
    text = "|".join([*parts, port, name, str(options.get("service") or "")])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _host(name: str) -> str:
    """One name for all ways to this machine by TCP; it and each socket are those of this machine alone.

    Otherwise a copy of the data directory on another machine, reached there by `localhost` too, would pass.
    """
    name = name.strip().lower().removesuffix(".")
    if name in LOCAL or name.startswith("127."):
        return f"local@{_machine()}"
    return f"{name}@{_machine()}" if name.startswith("/") else name


def _machine() -> str:
    """systemd's name of the machine; "" in most containers, whose names change when they are made anew."""
    try:
        return MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
