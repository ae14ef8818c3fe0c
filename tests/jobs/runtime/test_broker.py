"""The queue on our database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django import db
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from jobs.models import Beat
from jobs.runtime.broker import REFUSED_AT_ONCE, Broker
from jobs.runtime.messages import TASK, job_of, packed
from jobs.workers.duties import Duties
from jobs.workers.heartbeats import is_worker_alive
from jobs.workers.watching_broker import WatchingBroker


@pytest.fixture
def queue(db: None, monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setattr("jobs.runtime.broker.time.sleep", lambda _: None)
    monkeypatch.setattr(Duties, "look_after", Duties.attend)  # here, as no thread sees this test's rows
    return WatchingBroker()


def taken(queue: Broker) -> list[tuple[int, int]]:
    """The messages that the queue hands out, each with the number of its job."""
    return [(pk, job_of(payload)) for pk, payload in queue.dequeue() or []]


def test_django_q_uses_this_broker(db: None) -> None:
    assert isinstance(get_broker(), WatchingBroker)


def test_messages_come_oldest_first_and_once(queue: Broker) -> None:
    ids = [queue.enqueue(packed(job)) for job in (7, 8, 9)]
    assert [taken(queue) for _ in range(4)] == [[(ids[0], 7)], [(ids[1], 8)], [(ids[2], 9)], []]


def test_a_message_is_not_handed_out_before_its_time(queue: Broker) -> None:
    pk = Broker(not_before=timezone.now() + timedelta(minutes=1)).enqueue(packed(7))
    assert queue.dequeue() is None
    OrmQ.objects.filter(pk=pk).update(lock=timezone.now())
    assert taken(queue) == [(pk, 7)]


def test_a_message_that_was_taken_is_locked_until_retry(queue: Broker) -> None:
    queue.enqueue(packed(7))
    queue.dequeue()
    assert OrmQ.objects.get().lock > timezone.now() + timedelta(seconds=200)


def test_an_acknowledged_message_is_gone(queue: Broker) -> None:
    pk = queue.enqueue(packed(7))
    queue.acknowledge(pk)
    assert OrmQ.objects.count() == 0


def test_checking_the_queue_is_a_sign_of_life(queue: Broker) -> None:
    assert not is_worker_alive()
    queue.dequeue()
    assert is_worker_alive()
    Beat.objects.update(at=timezone.now() - timedelta(minutes=1))
    assert not is_worker_alive()


def test_the_broker_waits_for_a_database_that_is_away_for_a_moment(
    queue: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = queue.enqueue(packed(7))

    def away(*_: object) -> None:
        raise db.OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Broker, "_take", away)
        patch.setattr(db, "close_old_connections", lambda: None)
        assert queue.dequeue() is None
    assert taken(queue) == [(pk, 7)]


def test_a_broker_survives_pickling(queue: Broker) -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(queue))
    pk = copy.enqueue(packed(7))
    assert taken(copy) == [(pk, 7)]


def test_what_is_no_wake_up_is_removed_with_a_log_line_before_the_next_message(
    queue: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = [
        queue.enqueue(SignedPackage.dumps({"func": "os.system", "args": ("true",)})),
        queue.enqueue("x"),
    ]
    pk = queue.enqueue(packed(7))
    assert taken(queue) == [(pk, 7)]
    assert list(OrmQ.objects.values_list("pk", flat=True)) == [pk]
    assert [said for said in caplog.messages if "of the queue" in said] == [
        f"Message {foreign[0]} of the queue was refused and removed: it names the function 'os.system'",
        f"Message {foreign[1]} of the queue was refused and removed: it was signed with another SECRET_KEY",
    ]


def test_the_worker_gets_a_message_of_our_own_making(queue: Broker) -> None:
    theirs = SignedPackage.dumps({"id": "known", "name": "x", "func": TASK, "args": [7], "kwargs": {}})
    queue.enqueue(theirs)
    [(_, payload)] = queue.dequeue() or []
    task = SignedPackage.loads(payload)
    assert {name: task[name] for name in ("name", "func", "args", "kwargs", "ack_failure")} == {
        "name": "job-7",
        "func": "jobs.tasks.work_on",
        "args": (7,),
        "kwargs": {},
        "ack_failure": True,
    }
    assert task["id"] != "known"


def test_a_flood_of_foreign_messages_leaves_time_for_the_beat(queue: Broker) -> None:
    for _ in range(REFUSED_AT_ONCE + 1):
        queue.enqueue("x")
    assert (taken(queue), OrmQ.objects.count()) == ([], 1)
