"""Failures of the other side, as the engine distinguishes them.

A tool's work maps the errors of its client to these; anything else that it raises is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence

from jobs.states import WaitReason


class RemoteError(Exception):
    """Base; the message is a sentence for people."""


class TryLater(RemoteError):
    """Nothing was carried out, and the same call may be made again."""

    def __init__(self, message: str, *, reason: WaitReason | None, seconds: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason  # None: the message says it
        self.seconds = seconds  # None: the other side did not say


class QueueFull(TryLater):
    """The other side takes no more batches at a time, of all its users together."""

    def __init__(
        self, message: str, *, seconds: float | None = None, receipts: Sequence[str] | None = None
    ) -> None:
        super().__init__(message, reason=WaitReason.JOB_SLOTS, seconds=seconds)
        self.receipts = receipts  # of all batches that it has, anybody's; None: not named


class OddAnswer(TryLater):
    """The other side answers, and what it says cannot be understood. Repeated, it needs a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason=WaitReason.SERVICE_AWAY)


class FateUnknown(RemoteError):
    """The call may or may not have been carried out."""


class Refused(RemoteError):
    """The call as a whole was refused and changed nothing: the request itself is at fault."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class RefusedForNow(Refused):
    """As `Refused`, for a reason that passes: the items are read and sent again, up to a number of times."""


class ReadAgain(RemoteError):
    """Nothing was sent: the items have to be read once more first."""


class CursorExpired(RemoteError):
    """The other side no longer knows this place in the list: reading starts over."""


class NeedsPerson(RemoteError):
    """The job cannot go on before somebody does what the message says."""
