"""The check for deployment that nobody but us reads what this installation stores."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from jobs.common import private_files

#: SQLite's files beside the database.
JOURNALS = ("", "-wal", "-shm", "-journal")


@register(Tags.security, deploy=True)
def check_private_files(**_: Any) -> Iterator[CheckMessage]:
    """Others on the machine could read tickets, sessions and secrets; a group may be given leave to."""
    found = [path for path in private_paths() if private_files.is_open_to_others(path)]
    if found:
        yield Error(
            f"Every account of this machine can read or change {' and '.join(map(str, found))}.",
            hint=f"Run: chmod o= {shlex.join(map(str, found))}",
            id="tagmanager.E016",
        )


def private_paths() -> Iterator[Path]:
    """What must stay ours: `.env`, the database, and all in VAR_DIR but static files."""
    if settings.ENV_FILE:
        yield settings.ENV_FILE
    folder = Path(settings.VAR_DIR)
    yield folder
    database = settings.DATABASES["default"]
    beside = [Path(f"{database['NAME']}{end}") for end in JOURNALS] if "sqlite" in database["ENGINE"] else []
    yield from beside
    with suppress(OSError):
        yield from sorted(
            path for path in folder.iterdir() if path != settings.STATIC_ROOT and path not in beside
        )
