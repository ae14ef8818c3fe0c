"""Calls that are made meanwhile, in a world of one thread: each is made at a moment of our choosing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from typing import Any


class When(Enum):
    AT_ONCE = "at once"
    LATE = "late"  # when it is looked at again or waited for; of a process that dies they arrive all the same
    NEVER = "never"  # late, and of a process that dies they never left


class Call(Future[Any]):
    """One that is made when it is looked at for the second time, or waited for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self._make: Callable[[], Any] | None = make
        self._looks = 0

    def run(self) -> None:
        make, self._make = self._make, None
        if make is not None:
            self.set_result(make())

    def done(self) -> bool:
        self._looks += 1
        if self._looks > 1:
            self.run()
        return super().done()

    def result(self, timeout: float | None = None) -> Any:
        self.run()
        return super().result(timeout)


class Calls:
    """Stands in for the thread pool of the client."""

    def __init__(self) -> None:
        self.when = When.AT_ONCE
        self._begun: list[Call] = []

    def __call__(self, *_given: Any, **_named: Any) -> Calls:
        return self

    def submit(self, make: Callable[..., Any], *given: Any) -> Call:
        call = Call(lambda: make(*given))
        self._begun.append(call)
        if self.when is When.AT_ONCE:
            call.run()
        return call

    def shutdown(self, **_how: Any) -> None:
        pass

    def begun_since(self, mark: int) -> list[Call]:
        return self._begun[mark:]

    def mark(self) -> int:
        return len(self._begun)


class News:
    """Stands in for an event that calls set when they are over; who waits for it moves the clock."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def wait(self, seconds: float) -> None:
        if not self._is_set:
            self._sleep(seconds)
