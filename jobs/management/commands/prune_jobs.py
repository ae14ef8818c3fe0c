"""`manage.py prune_jobs`: delete jobs that ended long ago, with all that is recorded of their tickets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from jobs.cli.commands import JobCommand, actor_named, add_person_option, usage_error
from jobs.cli.progress_bar import progress_counter
from jobs.cli.runner import FOREVER, Exit
from jobs.clocks import clock
from jobs.common.formatting import some
from jobs.models import Job
from jobs.retention import disk_usage, pruning
from jobs.retention.pruning import Prunable
from jobs.runtime.database_retry import DatabaseRetry

#: A hundred years.
MOST_DAYS = 36_500
#: How many jobs are named by their number.
NAMED = 10


class Command(JobCommand):
    help = (
        "Deletes jobs that ended more than DAYS days ago, with their tickets' records and their timeline. "
        "Their changes cannot be undone after that. A job is deleted together with its follow-ups, once the "
        "last of them is old enough. Workers can keep running; after an interruption the next run does the "
        "rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            required=True,
            metavar="DAYS",
            help="Only jobs that ended more than DAYS days ago.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only show what would be deleted.")
        parser.add_argument("--yes", action="store_true", help="Delete without asking.")
        add_person_option(parser)

    def handle(self, *, older_than: int, dry_run: bool, **options: Any) -> None:
        if not 1 <= older_than <= MOST_DAYS:
            raise usage_error(f"--older-than takes a number of days, from 1 to {MOST_DAYS:,}.")
        by = actor_named(options["username"])
        if not dry_run:
            self.require_yes(options, "delete jobs")
        before = clock.now() - timedelta(days=older_than)
        old = pruning.find_prunable(before)
        self.tell(*_told(old, f"{before:%-d %B %Y, %H:%M} UTC"))
        if dry_run or not (old.jobs or old.begun):
            return
        if old.jobs:
            self.ask("Delete them?", options)
        with progress_counter(sys.stdout, "Deleting", old.tickets) as show:
            try:
                done = pruning.prune(
                    old.families,
                    before=before,
                    by=by,
                    patience=DatabaseRetry(FOREVER, notify=self.stderr.write),
                    tell=lambda so_far: show(so_far.items),
                )
            except KeyboardInterrupt:
                raise CommandError(_broken_off(), returncode=Exit.INTERRUPTED) from None
        self.tell(
            f"Deleted {some(done.jobs, 'job')} with what was recorded of {some(done.items, 'ticket')}.",
            *([disk_usage.FILE_KEEPS_SIZE] if disk_usage.is_one_file() else []),
        )


def _told(old: Prunable, when: str) -> Iterator[str]:
    if old.begun:
        yield f"An earlier run was broken off: what it left of {some(old.begun, 'job')} goes first."
    if not old.jobs:
        yield f"No job is to go that ended before {when}."
    else:
        size = disk_usage.estimate_size(old.tickets)
        about = f", about {size / 1e6:,.0f} MB of the database" if size >= 1e6 else ""
        yield (
            f"Ended before {when}: {some(old.jobs, 'job')} with the records of "
            f"{some(old.tickets, 'ticket')}{about}."
        )
    if old.changed:
        yield f"What they changed on {some(old.changed, 'ticket')} can not be taken back after that."
    if old.guarded:
        yield (
            f"{some(old.guarded, 'job')} left a guard tag on tickets, which can then only be removed as any "
            "other tag."
        )
    yield from _kept(old)


def _kept(old: Prunable) -> Iterator[str]:
    if old.followed:
        yield f"Kept: {some(old.followed, 'job')} as old, because a follow-up is younger or has not ended."
    if old.read:
        yield f"Kept: {some(old.read, 'job')} as old, because a job that has not ended takes their tickets."
    if old.standing:
        named = ", ".join(map(str, old.standing[:NAMED])) + (", …" if len(old.standing) > NAMED else "")
        number = some(len(old.standing), "job")
        yield f"Kept: {number} as old that never ended ({named}). Resume or cancel them."


def _broken_off() -> str:
    left = Job.stored.being_pruned().count()
    begun = f" Half deleted, and shown nowhere any more: {some(left, 'job')}." if left else ""
    return f"Interrupted.{begun} The next run goes on here."
