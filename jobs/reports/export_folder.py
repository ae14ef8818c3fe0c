"""Folders for exports that are complete only at their end, in `VAR_DIR/exports`."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from django.conf import settings

from jobs.common import private_files

#: Seconds after which a folder that no process holds was left behind by one that was killed.
LEFT_BEHIND_AFTER = 60


@contextmanager
def export_folder() -> Iterator[Path]:
    """A folder for one export, removed at the end; what killed processes left is removed first.

    The lock on a folder shows that its process lives, and dies with it.
    """
    base = Path(settings.VAR_DIR) / "exports"
    private_files.make_folder(base)
    _remove_left_behind(base)
    folder = Path(mkdtemp(dir=base))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_left_behind(base: Path) -> None:
    for folder in base.iterdir():
        with suppress(OSError):  # another process holds it, or has removed it
            if folder.stat().st_mtime > time.time() - LEFT_BEHIND_AFTER:
                continue
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
