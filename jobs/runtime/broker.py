"""The Django-Q2 broker on our database, with three additions to the built-in one.

Messages come oldest first: without an order, PostgreSQL handed out newer messages before older ones. It
waits for a database that is away for a moment. And it hands out wake-ups alone, and removes anything else.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django import db
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from jobs.clocks import clock
from jobs.runtime import messages, shutdown

logger = logging.getLogger(__name__)

#: How often an acknowledgement is tried while the database is away, a second apart.
ACKNOWLEDGE_TRIES = 30
#: Foreign messages removed at most before the next beat.
REFUSED_AT_ONCE = 100


class Broker(ORM):  # type: ignore[misc]  # django_q ships no types
    """Messages that are queued with `not_before` are not handed out earlier."""

    def __init__(self, list_key: str | None = None, *, not_before: datetime | None = None) -> None:
        super().__init__(list_key)
        self.not_before = not_before

    def __setstate__(self, state: tuple[str, str | None]) -> None:
        super().__setstate__(state)
        self.not_before = None

    def enqueue(self, task: str) -> int:
        message = OrmQ.objects.create(
            key=self.list_key or Conf.CLUSTER_NAME, payload=task, lock=self.not_before or clock.now()
        )
        return int(message.pk)

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Take the oldest message that is due; None after a short sleep when there is none.

        A cluster that stops takes none, and leaves them to others.
        """
        if shutdown.is_requested():
            time.sleep(Conf.POLL)
            return None
        try:
            self.get_connection()  # drops a connection that has died
            self.before_take()
            taken = self._take()
        except db.Error as problem:
            logger.warning("The database is away, trying again in a second: %s", type(problem).__name__)
            db.close_old_connections()
            time.sleep(1)
            return None
        if taken is None:
            time.sleep(Conf.POLL)
        return taken

    def before_take(self) -> None:
        """A hook before each search for a message; an error of the database here is waited out."""

    def delete(self, task_id: int) -> None:
        """Acknowledge a message, which must not come back because the database was away for a moment."""
        for tries_left in range(ACKNOWLEDGE_TRIES - 1, -1, -1):
            try:
                self.get_connection().filter(pk=task_id).delete()
            except db.Error:
                if not tries_left:
                    raise
                db.close_old_connections()
                time.sleep(1)
            else:
                return

    def _take(self) -> list[tuple[int, str]] | None:
        for _ in range(REFUSED_AT_ONCE):
            claimed = self._claim()
            if claimed is None:
                return None
            pk, payload = claimed
            try:
                return [(pk, messages.packed(messages.job_of(payload)))]
            except messages.NotAWakeUp as refused:
                logger.warning("Message %s of the queue was refused and removed: %s", pk, refused)
                self.delete(pk)
        return None

    def _claim(self) -> tuple[int, str] | None:
        now = clock.now()
        due = OrmQ.objects.filter(key=self.list_key, lock__lte=now).order_by("id")
        for pk, payload, lock in due.values_list("pk", "payload", "lock")[: Conf.BULK]:
            locked_until = now + timedelta(seconds=Conf.RETRY)
            # Another cluster may have seen it too: the one whose UPDATE finds the old lock has the message.
            if OrmQ.objects.filter(pk=pk, lock=lock).update(lock=locked_until):
                return pk, payload
        return None
