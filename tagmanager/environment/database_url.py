"""`DATABASE_URL` as Django's database settings.

An unencoded `/`, `?`, `#` or `%` in a password moves the borders of host, port and name, so parts of the
password could end up in an error message. Such an address is refused here, and no sentence quotes it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import environ

POSTGRESQL = ("postgres", "postgresql", "psql", "pgsql")
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.:-]{0,30})://", re.ASCII)
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:%\s]*)(?::(.*))?", re.ASCII)
HIGHEST_PORT = 65535

ENCODE = (
    "In user, password and name of the database each character other than letters, digits and -._~ has to be "
    "percent-encoded, such as %2F for /, %3F for ?, %23 for # and %25 for %: "
    """python3 -c "import urllib.parse; print(urllib.parse.quote(input(), safe=''))" does that."""
)


def database_config(url: str) -> dict[str, Any]:
    """An entry for `DATABASES`; `ValueError` with a sentence that names the setting and quotes no secret."""
    found = SCHEME.match(url)
    if not found:
        raise ValueError("DATABASE_URL is not an address: it must begin with postgres:// or sqlite:///.")
    scheme, rest = found[1].lower(), url[found.end() :]
    if scheme == "sqlite":
        return _sqlite(rest)
    if scheme not in POSTGRESQL:
        raise ValueError(
            f"DATABASE_URL begins with {scheme}://, and Tag Manager works with PostgreSQL (postgres://) and "
            "SQLite (sqlite:///) alone."
        )
    _check_postgresql(rest)
    # The library takes a plus sign in the path for a blank, as in forms.
    address, question_mark, options = rest.partition("?")
    library_url = f"postgres://{address.replace('+', '%2B')}{question_mark}{options}"
    config: dict[str, Any] = environ.Env.db_url_config(library_url)
    return config


def _sqlite(rest: str) -> dict[str, Any]:
    path = unquote(rest[1:])
    if rest in ("", "/") or ":memory:" in path or path.startswith("file:") or rest == ":memory:":
        raise ValueError(
            "DATABASE_URL names no file. A database in memory would end with its process, and web and worker "
            "share one: sqlite:////srv/tagmanager/tagmanager.sqlite3."
        )
    if not rest.startswith("/"):
        raise ValueError(
            "DATABASE_URL: the path of a SQLite file stands behind three slashes, "
            "sqlite:///var/tagmanager.sqlite3, and an absolute one begins with a fourth."
        )
    if re.search(r"[?#]|%(?![0-9A-Fa-f]{2})|%00", rest):
        raise ValueError(
            "DATABASE_URL: a SQLite file takes no options, and ?, # and % in its path are %3F, %23 and %25."
        )
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}


def _check_postgresql(rest: str) -> None:
    """Refuse what has more than one reading; `rest` is what follows `postgres://`."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    beyond = rest[len(authority) :]
    if re.search(r"[#\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})|%00", rest) or "@" in beyond:
        raise ValueError(f"DATABASE_URL cannot be read with certainty. {ENCODE}")
    user, _, hosts = authority.rpartition("@")
    if "[" in user or "]" in user:
        raise ValueError(f"DATABASE_URL cannot be read with certainty. {ENCODE}")
    for host in hosts.split(","):
        _check_host(host)
    path, _, query = beyond.partition("?")
    # A path that begins with two slashes is the folder of a socket and the name.
    name = path[1:]
    if "/" in name and not name.startswith("/"):
        raise ValueError(f"DATABASE_URL names a database with a / in it. {ENCODE}")
    options = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    if not all(re.fullmatch(r"\w+", option, re.ASCII) and value for option, value in options.items()):
        raise ValueError(f"DATABASE_URL: after a ? options are written name=value, joined by &. {ENCODE}")
    if not name and "service" not in options:
        raise ValueError("DATABASE_URL names no database: postgres://user:password@host:5432/name.")


def _check_host(host: str) -> None:
    if host.count(":") > 1 and "[" not in host:
        raise ValueError(f"DATABASE_URL: an IPv6 address is written in brackets, [::1]:5432. {ENCODE}")
    found = HOST.fullmatch(host)
    if not found:
        raise ValueError(
            "DATABASE_URL has something else in the place of the host. The folder of a socket is given as "
            f"?host=/var/run/postgresql. {ENCODE}"
        )
    port = found[2]
    if port and not (re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) and 1 <= int(port) <= HIGHEST_PORT):
        raise ValueError(
            f"DATABASE_URL has something else than a number from 1 to {HIGHEST_PORT} as its port. {ENCODE}"
        )
