"""Files and folders that only the account which runs the program may read, whatever its umask.

What exists already keeps its mode: an administrator may have opened it to a group on purpose.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600
#: The bits that let others read or write.
OTHERS = 0o006


def make_folder(path: Path) -> None:
    """Make a folder, and those above it in the usual way; `OSError` if that is impossible."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        path.chmod(FOLDER_MODE)  # a umask could have taken the owner's own bits


def make_file(path: Path) -> None:
    """Make an empty file, unless it exists; `OSError` if that is impossible."""
    with suppress(FileExistsError):
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE)
        try:
            os.fchmod(made, FILE_MODE)
        finally:
            os.close(made)


def make_database_file(path: Path) -> None:
    """Make an empty SQLite database, where the folder is ours.

    In a folder of another account, as when root runs a command, our file would lock that account out.
    """
    with suppress(OSError):  # the connection fails later, and says why
        if path.parent.stat().st_uid == os.geteuid():
            make_file(path)


def open_private(path: str, flags: int) -> int:
    """An `opener` for `open` that makes the file private."""
    make_file(Path(path))
    return os.open(path, flags)


def is_open_to_others(path: Path) -> bool:
    """Whether neither owner nor group is needed to read or write it; False where it is not found."""
    try:
        return bool(path.stat().st_mode & OTHERS)
    except OSError:
        return False
