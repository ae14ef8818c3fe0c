"""The steps of a worker's way at which a crash or a freeze matters, by name.

Nobody listens in production; who tries what a job survives, listens and kills or freezes the process there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto


class Failpoint(Enum):
    CLAIMED = auto()  # the job is this worker's, nothing is done
    PAGE_WRITTEN = auto()  # a page of the list and the place reached are stored
    LIST_FROZEN = auto()  # the list is complete, nothing is sent
    READ_WRITTEN = auto()  # what was found right before sending is written, not committed
    BATCH_CHOSEN = auto()  # it is known what goes next, nothing says so yet
    BATCH_RESERVED = auto()  # the batch is written down as being sent, the lease not looked at
    FENCE_PASSED = auto()  # the lease was looked at, the call not made
    CALL_MADE = auto()  # the other side has the batch, its receipt is not written
    RECEIPT_WRITTEN = auto()
    ANSWERS_READ = auto()  # what became of batches is known, nothing of it written
    SETTLING = auto()  # a batch's outcomes are written, not committed
    SETTLED = auto()
    ENDING = auto()  # all is settled, the job not ended
    RELEASING = auto()  # the turn is over, the job still held


_listeners: list[Callable[[Failpoint], None]] = []


def failpoint(step: Failpoint) -> None:
    """Tell whoever listens that this process is at the step."""
    for listener in _listeners:
        listener(step)


def listen(listener: Callable[[Failpoint], None]) -> None:
    """Have the listener called at each step, in this process and those it forks."""
    _listeners.append(listener)
