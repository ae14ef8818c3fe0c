"""The log of the commands, `VAR_DIR/commands.log`, which several commands may write at the same time."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from jobs.common import private_files

#: Bytes. A file that would grow beyond becomes `commands.log.1`, and the one before that is gone.
LARGEST = 5_000_000


class LogFile(logging.Handler):
    """Appends to a bounded file, which may fail: a job matters more than its log.

    The file is opened for each line: when another command has moved it, the next line goes into the new one.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        #: Why something could not be written; "" while all was.
        self.problem = ""
        self._is_told = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
            with self._open(len(line)) as file:
                file.write(line)
        except OSError as problem:
            self.problem = problem.strerror or type(problem).__name__
        except Exception:  # noqa: BLE001 - as logging does: a line that cannot be formatted stops nothing
            self.problem = "a line could not be formatted"

    @property
    def details(self) -> str:
        """A sentence on where to read more of what has just been logged."""
        self._is_told = True
        if self.problem:
            return f"There are no details, because {self.path} cannot be written: {self.problem}."
        return f"Details are in {self.path}."

    @property
    def warning(self) -> str:
        """A sentence about lines that could not be written; "" if there are none to report."""
        if not self.problem or self._is_told:
            return ""
        return f"The log of this command, {self.path}, cannot be written: {self.problem}."

    def _open(self, more: int) -> BinaryIO:
        """The file, with room for that many bytes unless they alone are too many."""
        file = self._append()
        if os.fstat(file.fileno()).st_size + more <= LARGEST:
            return file
        with suppress(OSError), file:  # a folder in which nothing can be moved: the file grows
            # One command moves it. Others see that it was moved, or write into the old one meanwhile.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
                self.path.replace(f"{self.path}.1")
        return self._append()

    def _append(self) -> BinaryIO:
        return open(self.path, "ab", opener=private_files.open_private)


@contextmanager
def log_to_file() -> Iterator[LogFile]:
    """Send log lines to a file instead of standard error, where a person reads or a bar is drawn."""
    root = logging.getLogger()
    # Only the handler of the settings: those of a test run stay.
    replaced = [handler for handler in root.handlers if type(handler) is logging.StreamHandler]
    handler = LogFile(Path(settings.VAR_DIR) / "commands.log")
    if replaced:
        handler.setFormatter(replaced[0].formatter)
        handler.filters = list(replaced[0].filters)
    for each in replaced:
        root.removeHandler(each)
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        handler.close()
        for each in replaced:
            root.addHandler(each)
