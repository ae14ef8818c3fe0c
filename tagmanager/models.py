"""What the project stores: lists of tags, people's choices and second factors, what pages ask Zendesk."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from jobs.models import Job
from tagmanager.ops.encryption import EncryptedTextField


class TagList(models.Model):
    """Tags of an account with the number of tickets that carry each, at one time.

    Either Zendesk's own list or what a job counted on all tickets: then `counted_at` says when, also once the
    job is deleted. It is put together piece by piece; while `ended_at` is null the next piece begins at
    `place`, and the counts reach up to there.
    """

    account = models.CharField(max_length=255)
    job = models.OneToOneField(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="tag_list")
    counted_at = models.DateTimeField(null=True, blank=True)  # when the job had read all tickets
    counts = models.JSONField(default=dict)  # tickets by tag
    tickets = models.PositiveIntegerField(default=0)  # that were looked at; of Zendesk's own list 0
    place = models.TextField(blank=True, default="")  # a cursor, or the number of the last ticket
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Of a count, unless an earlier release made it: when it began, the moment up to which it has every
    # change, and how many of its tickets changed after it began.
    counted_from = models.DateTimeField(null=True, blank=True)
    reached_at = models.DateTimeField(null=True, blank=True)
    changed_meanwhile = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="tag_lists_of_an_account")]

    def __str__(self) -> str:
        return f"Tags of {self.account}, {self.source}"

    @property
    def is_whole(self) -> bool:
        """Whether it has every ticket as it was when the count began, or newer."""
        if self.counted_from is None or self.reached_at is None:
            return False
        return self.reached_at >= self.counted_from

    @property
    def source(self) -> str:
        """Who counted, as the end of a sentence."""
        if self.counted_at is None:
            return "by Zendesk"
        return f"as job {self.job_id} counted" if self.job_id else "as a job counted that was deleted since"


class ColumnChoice(models.Model):
    """Which columns of a table are which, as a person chose them for every table with the same header.

    Holds no name of a column: `digest` is a hash of them, and of what the table is for.
    """

    digest = models.CharField(max_length=32, unique=True)
    roles = models.JSONField()  # by the role of a column its place
    chosen_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Columns {', '.join(self.roles)}"


class Turn(models.Model):
    """The process that asks Zendesk a question for a page; the others wait for its answer."""

    key = models.CharField(max_length=100, unique=True)
    token = models.CharField(max_length=32)
    until = models.DateTimeField()  # by the database's clock; from then on it counts for nothing

    def __str__(self) -> str:
        return self.key


class PageCalls(models.Model):
    """How many calls pages made in one minute, or may still make for a question that is being asked."""

    minute = models.BigIntegerField(unique=True)  # since 1970
    calls = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.calls} calls in minute {self.minute}"


class SecondFactor(models.Model):
    """The app on a person's phone that shows codes (TOTP, RFC 6238), and what replaces it when it is lost."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor"
    )
    secret = EncryptedTextField()  # shared with the app, in base32
    last_step = models.BigIntegerField(default=-1)  # of the newest code accepted; none up to it counts again
    recovery_codes = models.JSONField(default=list)  # digests of those not used yet
    failures = models.PositiveIntegerField(default=0)  # wrong codes in a row
    failed_at = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"Second factor of account {self.user_id}"
