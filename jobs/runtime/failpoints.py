"""Named points in a worker's run at which a crash or a freeze matters.

In production nothing listens. The tests listen, and kill or freeze the process at such a point.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto


class Failpoint(Enum):
    CLAIMED = auto()  # this worker has the job and has done nothing yet
    PAGE_WRITTEN = auto()  # a page of the list and the cursor after it are stored
    LIST_FROZEN = auto()  # the list is complete, nothing is sent
    READ_WRITTEN = auto()  # the new plans of a refreshed batch are written, not committed
    BATCH_CHOSEN = auto()  # the next batch is chosen, nothing of it stored
    BATCH_RESERVED = auto()  # the batch is stored as being sent, the lease not yet checked
    FENCE_PASSED = auto()  # the lease has been checked, the call not made
    CALL_MADE = auto()  # the other side has the batch, its receipt is not stored
    RECEIPT_WRITTEN = auto()
    ANSWERS_READ = auto()  # the results of batches are known, nothing of them stored
    SETTLING = auto()  # a batch's outcomes are written, not committed
    SETTLED = auto()
    ENDING = auto()  # all is settled, the job not ended
    RELEASING = auto()  # the time slice is over, the job still held


_listeners: list[Callable[[Failpoint], None]] = []


def failpoint(point: Failpoint) -> None:
    """Tell all listeners that this process has reached the point."""
    for listener in _listeners:
        listener(point)


def listen(listener: Callable[[Failpoint], None]) -> None:
    """Call the listener at each point, in this process and those that it forks."""
    _listeners.append(listener)
