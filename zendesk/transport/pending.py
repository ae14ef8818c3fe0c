"""A call that was begun, for a caller who has other things to do until it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from zendesk.calls import Request
    from zendesk.transport.requestor import Begun, Requestor

T = TypeVar("T")


class Pending(Generic[T]):
    """The first try is made in a thread of its own, all else in the caller's, by `result`.

    Where it could not be begun just now it counts as over, and `result` makes the whole call.
    """

    def __init__(self, transport: Requestor, request: Request, read: Callable[[object], T]) -> None:
        self._transport = transport
        self._request = request
        self._read = read
        self._begun: Begun | None = transport.begin(request)

    @property
    def is_done(self) -> bool:
        """Whether `result` need not wait for the first try."""
        return self._begun is None or self._begun.tried.done()

    def on_done(self, tell: Callable[[], None]) -> None:
        """Have it called when the first try is over, in whatever thread; at once when it is."""
        if self._begun is None:
            tell()
        else:
            self._begun.tried.add_done_callback(lambda _: tell())

    def result(self) -> T:
        """What came of it, once: waits, tries again within the patience, raises ZendeskError."""
        begun, self._begun = self._begun, None
        return self._transport.send(self._request, self._read, begun)

    def discard(self) -> None:
        """Nobody wants the answer any more. Only for what changes nothing."""
        begun, self._begun = self._begun, None
        if begun is not None:
            self._transport.drop(begun)
