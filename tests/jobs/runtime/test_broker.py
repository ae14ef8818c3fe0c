"""The queue on our database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django import db
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from jobs.models import Beat
from jobs.runtime.broker import Broker
from jobs.workers.duties import Duties
from jobs.workers.heartbeats import is_worker_alive
from jobs.workers.watching_broker import WatchingBroker


@pytest.fixture
def queue(db: None, monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setattr("jobs.runtime.broker.time.sleep", lambda _: None)
    monkeypatch.setattr(Duties, "look_after", Duties.attend)  # here, as no thread sees this test's rows
    return WatchingBroker()


def test_django_q_uses_this_broker(db: None) -> None:
    assert isinstance(get_broker(), WatchingBroker)


def test_messages_come_oldest_first_and_once(queue: Broker) -> None:
    ids = [queue.enqueue(text) for text in "abc"]
    taken = [queue.dequeue() for _ in range(4)]
    assert taken == [[(ids[0], "a")], [(ids[1], "b")], [(ids[2], "c")], None]


def test_a_message_is_not_handed_out_before_its_time(queue: Broker) -> None:
    pk = Broker(not_before=timezone.now() + timedelta(minutes=1)).enqueue("later")
    assert queue.dequeue() is None
    OrmQ.objects.filter(pk=pk).update(lock=timezone.now())
    assert queue.dequeue() == [(pk, "later")]


def test_a_message_that_was_taken_is_locked_until_retry(queue: Broker) -> None:
    queue.enqueue("a")
    queue.dequeue()
    assert OrmQ.objects.get().lock > timezone.now() + timedelta(seconds=200)


def test_an_acknowledged_message_is_gone(queue: Broker) -> None:
    pk = queue.enqueue("a")
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
    pk = queue.enqueue("a")

    def away(*_: object) -> None:
        raise db.OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Broker, "_take", away)
        patch.setattr(db, "close_old_connections", lambda: None)
        assert queue.dequeue() is None
    assert queue.dequeue() == [(pk, "a")]


def test_a_broker_survives_pickling(queue: Broker) -> None:
    import pickle

    copy = pickle.loads(pickle.dumps(queue))
    pk = copy.enqueue("a")
    assert copy.dequeue() == [(pk, "a")]
