"""`manage.py backup_database`: a checked copy of the SQLite database, at any time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from jobs.cli.commands import JobCommand, cannot_run
from jobs.common.formatting import some
from jobs.installation.backup import NotBackedUp, back_up


class Command(JobCommand):
    help = (
        "Copies the SQLite database to PATH while web and workers run, and checks the copy. What is restored "
        "from it sends nothing until manage.py release --this-database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH")
        parser.add_argument("--overwrite", action="store_true", help="Replace PATH if it is there.")

    def handle(self, *, path: Path, overwrite: bool, **_: Any) -> None:
        try:
            made = back_up(path, overwrite=overwrite)
        except NotBackedUp as problem:
            raise cannot_run(str(problem)) from problem
        holds = f"{some(made.jobs, 'job')}, {some(made.items, 'ticket')} in them"
        self.tell(f"{path}: {made.size:,} bytes, checked; {holds}.")
        if not made.knows_itself:
            self.stderr.write(
                "The database is older than the program: what is restored from this copy is not known as a "
                "copy. Hold its jobs before a worker starts on it (manage.py migrate, manage.py hold)."
            )
