"""Daily chores: done once a day by one of all workers, and no fault of theirs stops a worker."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Chore
from jobs.workers import chores
from jobs.workers.duties import Duties
from jobs.workers.watch import Watch
from jobs.workers.watching_broker import WATCH_EVERY, WatchingBroker

done: list[str] = []
guard = Lock()


def tidy() -> bool:
    """A chore that is done at once."""
    with guard:
        done.append("tidy")
    return False


def long() -> bool:
    """One that takes three turns."""
    done.append("long")
    return len(done) < 3


def broken() -> bool:
    done.append("broken")
    raise ZeroDivisionError


@pytest.fixture(autouse=True)
def _nothing_done(settings: Settings) -> None:
    done.clear()
    settings.JOBS_DAILY_CHORES = [f"{__name__}.tidy"]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def done_after(clock: Any, **wait: float) -> int:
    """How often something was done when a worker that has just started looks, that much later."""
    clock.shift(timedelta(**wait))
    chores.look_after()
    return len(done)


def test_a_chore_is_done_once_a_day(db: None, clock: Any) -> None:
    assert [done_after(clock, hours=hours) for hours in (0, 1, 22, 1, 23, 1)] == [1, 1, 1, 2, 2, 3]


def test_a_process_looks_once_a_minute(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    watch = Watch(every=WATCH_EVERY)
    for seconds in (0, 59, 1):
        now[0] += seconds
        watch.duties.attend()
        Chore.objects.update(done_at=None)
    assert len(done) == 2


def test_the_worker_looks_after_them_while_it_polls(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Duties, "look_after", Duties.attend)  # here and now, without a thread
    WatchingBroker().before_take()
    assert done == ["tidy"]


def test_of_several_workers_one_does_it(transactional_db: None) -> None:
    begin = Barrier(4)

    def worker(_: int) -> None:
        try:
            begin.wait()
            chores.look_after()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))
    assert done == ["tidy"]


def test_what_is_left_is_done_at_the_next_look(db: None, clock: Any, settings: Settings) -> None:
    settings.JOBS_DAILY_CHORES = [f"{__name__}.long"]
    assert [done_after(clock, minutes=1) for _ in range(5)] == [1, 2, 3, 3, 3]


@pytest.mark.parametrize("name", ["broken", "absent"])
def test_one_that_fails_is_logged_stops_nothing_and_is_tried_again_in_an_hour(
    db: None, clock: Any, settings: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    settings.JOBS_DAILY_CHORES = [f"{__name__}.{name}", f"{__name__}.tidy"]
    chores.look_after()
    assert done[-1] == "tidy"
    assert [record.getMessage() for record in caplog.records] == [
        f"A daily chore failed, and is tried again in an hour: {__name__}.{name}"
    ]
    caplog.clear()
    for minutes, failures in ((59, 0), (2, 1)):
        done_after(clock, minutes=minutes)
        assert len(caplog.records) == failures


def test_a_clock_that_was_ahead_delays_nothing(db: None, clock: Any) -> None:
    Chore.objects.create(name=f"{__name__}.tidy", done_at=timezone.now() + timedelta(days=400))
    assert done_after(clock) == 1
