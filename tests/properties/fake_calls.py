"""Background calls in a simulation with one thread: the test chooses when each call runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from typing import Any


class CallTiming(Enum):
    AT_ONCE = "at once"
    LATE = "late"  # at the second check or when awaited; calls of a crashed process still arrive
    NEVER = "never"  # like LATE, but calls of a crashed process were never sent


class FakeCall(Future[Any]):
    """Runs when it is checked for the second time, or awaited."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self._make: Callable[[], Any] | None = make
        self._checks = 0

    def run(self) -> None:
        make, self._make = self._make, None
        if make is not None:
            self.set_result(make())

    def done(self) -> bool:
        self._checks += 1
        if self._checks > 1:
            self.run()
        return super().done()

    def result(self, timeout: float | None = None) -> Any:
        self.run()
        return super().result(timeout)


class FakeThreadPool:
    """Replaces the thread pool of the client."""

    def __init__(self) -> None:
        self.timing = CallTiming.AT_ONCE
        self._calls: list[FakeCall] = []

    def __call__(self, *_arguments: Any, **_options: Any) -> FakeThreadPool:
        return self

    def submit(self, make: Callable[..., Any], *arguments: Any) -> FakeCall:
        call = FakeCall(lambda: make(*arguments))
        self._calls.append(call)
        if self.timing is CallTiming.AT_ONCE:
            call.run()
        return call

    def shutdown(self, **_options: Any) -> None:
        pass

    def calls_since(self, number: int) -> list[FakeCall]:
        return self._calls[number:]

    def count(self) -> int:
        return len(self._calls)


class FakeEvent:
    """Replaces the event that finished calls set; waiting for it moves the clock."""

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
