"""A call whose first attempt runs in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from zendesk.calls import Request
    from zendesk.transport.requestor import BackgroundAttempt, Requestor

T = TypeVar("T")


class Pending(Generic[T]):
    """A started call. `result` does everything after the first attempt in the caller's thread.

    If the attempt could not start in the background, `is_done` is True and `result` makes the whole call.
    """

    def __init__(self, transport: Requestor, request: Request, read: Callable[[object], T]) -> None:
        self._transport = transport
        self._request = request
        self._read = read
        self._background: BackgroundAttempt | None = transport.start(request)

    @property
    def is_done(self) -> bool:
        """Whether `result` need not wait for the first attempt."""
        return self._background is None or self._background.future.done()

    def on_done(self, callback: Callable[[], None]) -> None:
        """Call `callback` once the first attempt is over, in any thread; at once if it already is."""
        if self._background is None:
            callback()
        else:
            self._background.future.add_done_callback(lambda _: callback())

    def result(self) -> T:
        """Finish the call and return its result, once only. Waits and retries as `Requestor.send` does."""
        background, self._background = self._background, None
        return self._transport.send(self._request, self._read, background)

    def discard(self) -> None:
        """Ignore the answer. Only for reads."""
        background, self._background = self._background, None
        if background is not None:
            self._transport.discard(background)
