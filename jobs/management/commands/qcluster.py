"""`manage.py qcluster`: Django-Q2's own command, whose processes end with the one that started them.

Django-Q2's sentinel and workers go on as orphans when the process above them is killed: they hold messages,
and nobody stops them. On Linux each of ours is killed with its parent, down the whole tree.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django_q.management.commands.qcluster import Command as Qcluster

from jobs import processes, schema


class Command(Qcluster):  # type: ignore[misc]  # django_q ships no types
    def handle(self, *args: Any, **options: Any) -> None:
        if sentence := schema.lack():
            raise CommandError(sentence)
        processes.bind_forks()
        super().handle(*args, **options)
