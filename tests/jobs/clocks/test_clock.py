"""One time for the processes of all hosts, whatever their own clocks say."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from jobs.clocks import clock, database_clock
from jobs.clocks.database_clock import Comparison
from jobs.engine import execution
from jobs.models import Gate, Job
from jobs.runtime.lease import STALE_AFTER, LeaseLost
from jobs.states import Status
from jobs.workers import heartbeats, reaper
from tagmanager.account.shared_gate import SharedGate
from tests import clocks, factories
from tests.demo import Demo, submit

on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no clock of its own: it is the host's"
)


def seconds_apart(one: datetime, other: datetime) -> int:
    return round((one - other).total_seconds())


def database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


class Hand:
    """Moves the monotonic clock of the program."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        monotonic = time.monotonic
        patch.setattr(time, "monotonic", lambda: monotonic() + self.ahead)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    return Hand(monkeypatch)


@on_postgres
@pytest.mark.parametrize(
    ("wrong", "way"),
    [(70, "1 min 10 s ahead of"), (130, "2 min 10 s ahead of"), (-3600, "1 h behind")],
)
def test_a_host_whose_clock_is_wrong_goes_by_the_databases(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrong: int, way: str
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=wrong)):
        clocks.compared(monkeypatch)
        assert seconds_apart(clock.now(), database_time()) == 0
        assert round(clock.host_is_ahead()) == wrong
    (said,) = [line for line in caplog.messages if "clock" in line]
    assert said.startswith(f"The clock of this host is {way} the database's. ")


@on_postgres
def test_a_clock_that_is_set_meanwhile_changes_no_stored_time(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.compared(monkeypatch)
    assert seconds_apart(clock.now(), database_time()) == 0
    for jump in (timedelta(hours=-1), timedelta(seconds=70), timedelta(days=1)):
        with time_machine.travel(timezone.now() + jump):
            assert seconds_apart(clock.now(), database_time()) == 0
    assert seconds_apart(clock.now(), database_time()) == 0
    assert clock.steady_for() > 1e9, "it was the host's clock that moved, not the shared one"


def test_on_one_machine_the_shared_time_is_exactly_the_hosts(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.compared(monkeypatch)
    clock.refresh()
    assert clock._known.compared_at > 0
    assert clock.offset() == 0.0


def test_a_comparison_holds_for_half_a_minute(monkeypatch: pytest.MonkeyPatch, hand: Hand) -> None:
    clocks.compared(monkeypatch, clocks.by_host(70.0))
    assert clock.offset() == 70.0
    monkeypatch.setattr(database_clock, "compare", clocks.by_host(90.0))
    with time_machine.travel(timezone.now(), tick=False) as day:
        hand.ahead += 29
        day.shift(29)
        assert clock.offset() == 70.0
        hand.ahead += 2
        day.shift(2)
        assert clock.offset() == 90.0


def test_a_difference_that_the_comparison_may_be_wrong_by_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks.compared(monkeypatch, clocks.by_host(0.9, error=0.9))
    assert clock.offset() == 0.0
    clocks.compared(monkeypatch, clocks.by_host(0.9, error=0.1))
    assert clock.offset() == 0.9


@on_postgres
def test_of_slow_comparisons_the_quickest_counts(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be frozen right between the question and its answer."""
    moved = iter([60.0, 4.0, 0.5])
    ahead = [0.0]
    monkeypatch.setattr(
        database_clock,
        "time",
        type("Time", (), {"monotonic": lambda: 100.0 + ahead[0], "time": lambda: time.time() + ahead[0]}),
    )

    def answer_slowly(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        ahead[0] += next(moved)
        return answer

    with connection.execute_wrapper(answer_slowly):
        clocks.compared(monkeypatch)
        found = database_clock.compare()
    assert next(moved, None) is None
    assert found.error == 0.25
    assert -64.6 < found.offset < -64.0, "the host's clock has moved by what the first two took"


def test_while_the_database_is_away_the_last_difference_is_good(
    monkeypatch: pytest.MonkeyPatch, hand: Hand
) -> None:
    asked = []

    def away() -> Comparison:
        asked.append(1)
        raise OperationalError("gone")

    clocks.compared(monkeypatch, clocks.by_host(70.0))
    assert clock.offset() == 70.0
    monkeypatch.setattr(database_clock, "compare", away)
    hand.ahead += 31
    assert (clock.offset(), clock.offset(), len(asked)) == (70.0, 70.0, 1)
    hand.ahead += 2
    assert (clock.offset(), len(asked)) == (70.0, 2), "it is tried again"


def test_the_time_can_be_told_in_a_transaction_that_has_failed(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.compared(monkeypatch)
    told = []

    @transaction.atomic
    def fail() -> None:
        try:
            Job.objects.extra(where=["nonsense"]).exists()
        finally:
            told.append(clock.now())

    with pytest.raises(DatabaseError, match="nonsense"):
        fail()
    assert seconds_apart(told[0], timezone.now()) == 0


# What goes by it


def hold(**fields: object) -> Job:
    """A job that a worker of another host holds."""
    fields = {"beat_at": clock.now(), "lease_token": "t", "lease_owner": "elsewhere/b/1/1/2"} | fields
    return factories.job(Status.RUNNING, total=0, **fields)


@pytest.mark.parametrize("wrong", [70.0, 130.0, -130.0])
def test_a_host_with_a_wrong_clock_takes_no_job_and_loses_none(
    db: None, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    job = hold()
    with time_machine.travel(timezone.now() + timedelta(seconds=wrong)):
        clocks.compared(monkeypatch, clocks.by_host(-wrong))
        assert reaper.reap() == 0
        mine = hold(lease_token="mine")
        heartbeats.beat()
        assert heartbeats.is_worker_alive()
    clocks.compared(monkeypatch, clocks.by_host(0.0))
    assert reaper.reap() == 0
    assert heartbeats.living_beats()[0].clock_ahead == wrong
    for one in (job, mine):
        one.refresh_from_db()
        assert one.lease_token


def test_a_beat_is_judged_by_a_fresh_comparison(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's clock was set back by 70 s, and this process has not noticed yet."""
    clocks.compared(monkeypatch, clocks.by_host(0.0))
    assert clock.offset() == 0.0
    job = hold(beat_at=clock.now() - timedelta(seconds=70))
    monkeypatch.setattr(database_clock, "compare", clocks.by_host(-70.0))
    assert reaper.reap() == 0
    job.refresh_from_db()
    assert job.lease_token == "t"


@pytest.mark.parametrize("step", [70.0, 3600.0])
def test_after_a_step_of_the_shared_clock_holders_get_the_time_to_beat(
    db: None, monkeypatch: pytest.MonkeyPatch, hand: Hand, step: float
) -> None:
    """The database's clock is set forward, or all machines slept: every beat looks old."""
    clocks.compared(monkeypatch, clocks.by_host(0.0))
    job = hold()
    monkeypatch.setattr(database_clock, "compare", clocks.by_host(step))
    clock.refresh()
    assert reaper.reap() == 0
    with time_machine.travel(timezone.now(), tick=False) as day:
        hand.ahead += STALE_AFTER.total_seconds() + 1
        day.shift(STALE_AFTER + timedelta(seconds=1))
        assert reaper.reap() == 1, "it is dead indeed"
    job.refresh_from_db()
    assert job.lease_token == ""


def test_times_that_only_look_far_ahead_are_left_alone(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks.compared(monkeypatch, clocks.by_host(0.0))
    beat = clock.now() + timedelta(hours=1)
    job = hold(beat_at=beat)
    monkeypatch.setattr(database_clock, "compare", clocks.by_host(3600.0))
    reaper.reap()
    job.refresh_from_db()
    assert job.beat_at == beat


def test_a_holder_that_slept_checks_its_lease_before_it_sends(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stands still while a laptop sleeps; the shared one does not."""
    held = execution.claim(submit(refs=demo.open_tickets[:3], here=False).job.pk)
    assert held is not None
    Job.objects.update(lease_token="another's")
    held.fence()  # it has only just beaten
    with time_machine.travel(timezone.now() + timedelta(minutes=10)), pytest.raises(LeaseLost):
        held.fence()
    Job.objects.update(lease_token="")


def test_hosts_with_unequal_clocks_wait_for_zendesk_equally_long(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks.compared(monkeypatch, clocks.by_host(-70.0))
    SharedGate().hold(time.time() + 40, "asked to slow down")
    stored = Gate.objects.get().not_before
    assert stored
    assert seconds_apart(stored, timezone.now()) == -30
    for offset in (-70.0, 0.0, 130.0):
        clocks.compared(monkeypatch, clocks.by_host(offset))
        with time_machine.travel(timezone.now() + timedelta(seconds=-70.0 - offset)):
            assert round(SharedGate().not_before() - time.time()) == 40


def test_a_large_difference_is_logged_once_an_hour(
    monkeypatch: pytest.MonkeyPatch, hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clocks.compared(monkeypatch, clocks.by_host(-70.0))
    with time_machine.travel(timezone.now(), tick=False) as day:
        for _ in range(130):
            clock.offset()
            hand.ahead += 31
            day.shift(31)
    assert len([line for line in caplog.messages if "1 min 10 s ahead" in line]) == 2
    caplog.clear()
    monkeypatch.setattr(database_clock, "compare", clocks.by_host(0.0))
    clock.refresh()
    clock.refresh()
    assert caplog.messages == ["The clock of this host agrees with the database's again"]
