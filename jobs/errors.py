"""What can go wrong on the far side, as the engine needs to know it.

The tool's work turns the errors of its client into these; nothing else may come out of it but bugs.
"""

from __future__ import annotations

from jobs.states import WaitReason


class RemoteError(Exception):
    """Base; the message is a sentence for people."""


class TryLater(RemoteError):
    """Nothing was carried out, and the same call may be made again."""

    def __init__(self, message: str, *, reason: WaitReason, seconds: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.seconds = seconds  # None: the other side did not say


class FateUnknown(RemoteError):
    """The call may or may not have been carried out."""


class Refused(RemoteError):
    """The call as a whole was refused and changed nothing: the request itself is at fault."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ReadAgain(RemoteError):
    """Nothing was sent: what sending needs of the items has to be read once more."""


class CursorExpired(RemoteError):
    """The place in the list is no longer known to the other side: the reading starts over."""


class NeedsPerson(RemoteError):
    """It cannot go on before somebody does what the sentence says."""
