"""Orders to kill or freeze the process that reaches a step: files in a folder that all processes see.

Each is carried out once, by the process that is quickest to rename it.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from jobs.runtime.failpoints import Failpoint

KILL, FREEZE = signal.SIGKILL, signal.SIGSTOP
DONE = "done"


class Saboteur:
    """Carries out orders on the process in which it listens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = ""

    def __call__(self, step: Failpoint) -> None:
        last, self._last = self._last, step.name
        for order in self._folder.glob(f"{step.name}.*"):
            _, how, after = order.name.split(".")
            if after in (last, ""):
                with suppress(FileNotFoundError):  # another was quicker
                    order.rename(self._folder / f"{DONE}.{step.name}.{how}.{after}.{os.getpid()}")
                    os.kill(os.getpid(), signal.Signals(int(how)))


class Orders:
    """The side that gives them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def give(self, how: signal.Signals, at: Failpoint, *, after: Failpoint | None = None) -> None:
        """To the next process that comes to the step, straight from the other step if one is given."""
        (self.folder / f"{at.name}.{int(how)}.{after.name if after else ''}").touch()

    def struck(self) -> int:
        """The process that carried out an order since this was last asked; 0 when none has."""
        for order in self.folder.glob(f"{DONE}.*"):
            order.unlink()
            return int(order.name.rpartition(".")[2])
        return 0

    def forget(self) -> None:
        """Take back all orders, those carried out too."""
        self.forget_those_open()
        while self.struck():
            pass

    def forget_those_open(self) -> None:
        """Take back the orders that nobody has carried out yet."""
        for order in self.folder.iterdir():
            if not order.name.startswith(DONE):
                order.unlink(missing_ok=True)
