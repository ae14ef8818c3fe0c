"""What a deleted account leaves behind: its name on everything that its person did."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver

from jobs.models import Job, Transition


@receiver(pre_delete, sender=settings.AUTH_USER_MODEL)
def keep_name(instance: User, **_: Any) -> None:
    """Write down the name of today, in the transaction that deletes the account.

    The person may have been renamed since, and a program of an earlier release writes no name.
    """
    name = instance.get_username()
    Job.stored.filter(created_by=instance).update(created_by_name=name)
    by_worker = Q(
        by_person=False, actor__startswith="worker "
    )  # earlier releases, at the end of a guarded job
    Transition.objects.filter(~by_worker, user=instance).update(actor=name, by_person=True)
