"""Duties beside the jobs: what fails is tried again, told once, and keeps nothing else from its turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from jobs.common.process_id import this_process
from jobs.models import Beat, WorkerFault
from jobs.workers import duties, faults, heartbeats
from jobs.workers.duties import Duties, Duty
from jobs.workers.faults import FaultReport
from tests.processes import await_that


class Clock:
    """The monotonic clock of the duties, which a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr("jobs.workers.duties.time.monotonic", moved)
    return moved


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Duties]]:
    """Duties with threads of their own, which end with the test."""
    monkeypatch.setattr(duties, "BLOCKS_AFTER", 0.05)
    started: list[Duties] = []
    yield started
    for one in started:
        one.stop()


def fails(problem: Exception) -> None:
    raise problem


def test_a_duty_that_fails_is_tried_again_after_pauses_that_grow_and_logged_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    duty = Duty("take_over", lambda: fails(KeyError("its cause")), every=2.0)
    pauses = []
    for _ in range(7):
        duty.attempt()
        pauses.append(duty.waits())
        clock.now += duty.waits()
    assert pauses == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert (duty.cause, duty.is_failing) == ("KeyError", True)
    assert [record.getMessage() for record in caplog.records] == [
        "take_over failed; the jobs go on, and it is tried again."
    ]
    assert "its cause" in caplog.text  # with where it was raised


def test_a_duty_that_works_again_has_its_own_pause_and_no_fault(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    problems: list[Exception] = [KeyError("one"), KeyError("two")]
    duty = Duty("wake_up", lambda: fails(problems.pop()) if problems else None, every=2.0)
    for _ in range(3):
        duty.attempt()
    assert (duty.cause, duty.since, duty.is_failing, duty.waits()) == ("", None, False, 2.0)
    assert [record.getMessage() for record in caplog.records][1:] == ["wake_up works again."]
    # One that fails now and then does not fill the log.
    problems.append(KeyError("three"))
    duty.attempt()
    assert len(caplog.records) == 2
    assert duty.waits() == 4.0


def test_a_database_that_is_away_for_a_moment_is_no_fault_of_ours(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    duty = Duty("take_over", lambda: fails(OperationalError("gone")), every=2.0)
    for _ in range(3):
        duty.attempt()
        assert (duty.cause, duty.is_failing, duty.waits()) == ("", True, 2.0)
    clock.now += duties.TROUBLE_IS_A_FAULT_AFTER
    duty.attempt()
    assert (duty.cause, duty.waits()) == ("OperationalError", 2.0)
    assert len(caplog.records) == 1


def test_all_duties_have_their_turn_although_each_fails(clock: Clock) -> None:
    tried: list[str] = []

    def fail(name: str) -> None:
        tried.append(name)
        raise KeyError(name)

    Duties([Duty(name, lambda name=name: fail(name), 2.0) for name in "abc"]).attend()  # type: ignore[misc]
    assert tried == ["a", "b", "c"]


def test_a_duty_that_hangs_is_left_behind_told_with_its_place_and_taken_up_again(
    running: list[Duties], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(duties, "HANGS_AFTER", 0.2)
    release, done = threading.Event(), [0, 0]

    def a_place_to_hang() -> None:
        release.wait()
        done[0] += 1

    def other() -> None:
        done[1] += 1

    hanging = Duty("take_over", a_place_to_hang, 0.01)
    all_of_them = Duties([hanging, Duty("wake_up", other, 0.01)])
    running.append(all_of_them)

    def has_gone_on() -> bool:
        all_of_them.look_after()
        return done[1] > 2 and hanging.cause == "hangs"

    await_that(has_gone_on, "the other duty")
    assert done[0] == 0
    told = [record.getMessage() for record in caplog.records if "take_over hangs" in record.getMessage()]
    assert ["a_place_to_hang" in text for text in told] == [True]
    monkeypatch.setattr(duties, "HANGS_AFTER", 60.0)
    release.set()
    await_that(lambda: done[0] > 2 and not hanging.cause, "its return")


def test_faults_are_stored_while_they_last(db: None, clock: Clock) -> None:
    problems: list[Exception] = [KeyError("secret of somebody")]
    duty = Duty("take_over", lambda: fails(problems[0]) if problems else None, 2.0)
    report = FaultReport([duty])
    duty.attempt()
    clock.now += 30
    report.store()
    report.store()
    row = WorkerFault.objects.get()
    assert (row.owner, row.duty, row.cause) == (this_process(), "take_over", "KeyError")
    assert timedelta(seconds=30) <= row.at - row.since < timedelta(seconds=60)
    assert [fault.duty for fault in faults.current()] == ["take_over"]
    problems.clear()
    duty.attempt()
    report.store()
    assert faults.current() == []


def test_a_fault_is_current_only_while_its_process_lives_and_reports(db: None) -> None:
    now = timezone.now()
    host, boot, _, started, namespace = this_process().split("/")
    dead = f"{host}/{boot}/999999999/{started}/{namespace}"
    for owner, age in (("elsewhere/b/1/2", 0), ("elsewhere/b/3/4", 61), (dead, 0)):
        at = now - timedelta(seconds=age)
        WorkerFault.objects.create(owner=owner, duty="take_over", cause="KeyError", since=now, at=at)
    assert [fault.owner for fault in faults.current()] == ["elsewhere/b/1/2"]


def test_a_cluster_whose_heartbeat_alone_fails_is_alive(db: None) -> None:
    now, row = timezone.now(), {"cause": "KeyError"}
    WorkerFault.objects.create(owner="one/b/1/2", duty="take_over", since=now, at=now, **row)
    assert not heartbeats.is_worker_alive()
    WorkerFault.objects.create(owner="one/b/1/2", duty="heartbeat", since=now, at=now, **row)
    Beat.objects.create(owner="two/b/1/2", at=now)
    living = heartbeats.living_clusters(heartbeats.living_beats(), faults.current())
    assert living == {
        "one/b/1/2",
        "two/b/1/2",
    }
