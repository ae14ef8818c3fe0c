"""What the commands share: sentences instead of tracebacks, exit codes, options, and running a job."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from jobs.actions import NotPossible, Submission
from jobs.actors import COMMAND_LINE, Actor, person
from jobs.apps import SETTINGS
from jobs.cli import runner
from jobs.cli.log_file import LogFile, log_to_file
from jobs.cli.progress_lines import ProgressLines, printable
from jobs.cli.runner import Exit
from jobs.cli.summary import summary_lines
from jobs.models import Job
from jobs.reports.progress import status_of
from jobs.runtime.database_retry import Trouble, trouble_in
from jobs.states import FollowUp, Status
from jobs.workers.heartbeats import is_worker_alive

logger = logging.getLogger(__name__)

#: The exit code of a program whose reader went away, as a shell would report SIGPIPE.
EXIT_PIPE_CLOSED = 141


def usage_error(sentence: str) -> CommandError:
    """The arguments are wrong."""
    return CommandError(sentence, returncode=Exit.USAGE)


def cannot_run(sentence: str) -> CommandError:
    """It cannot be done now, whatever the arguments."""
    return CommandError(sentence, returncode=Exit.NOT_RUN)


class JobCommand(BaseCommand):
    """A command whose errors are one sentence for people; the log has the traceback.

    On a command line an error ends the process; a program that calls the command gets `CommandError` with a
    `returncode`.
    """

    requires_system_checks: tuple[str, ...] = (SETTINGS,)

    def get_version(self) -> str:
        """What `--version` prints: ours, and not Django's."""
        return str(settings.VERSION)

    def execute(self, *args: Any, **options: Any) -> str | None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError):  # a test's own stream
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        try:
            with log_to_file() as log:
                try:
                    return self._execute(log, *args, **options)
                finally:
                    self._warn(log.warning)
        except CommandError as problem:
            self._end(problem)
        except KeyboardInterrupt:
            self._end(CommandError("Interrupted.", returncode=Exit.INTERRUPTED))
        except BrokenPipeError:
            silence_output()
            sys.exit(EXIT_PIPE_CLOSED)

    def _warn(self, sentence: str) -> None:
        if sentence:
            with suppress(OSError):  # a full disk has no room for standard error either
                self.stderr.write(sentence)

    def _execute(self, log: LogFile, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (CommandError, BrokenPipeError):
            raise
        except NotPossible as problem:  # the job moved on since the command read it
            raise cannot_run(str(problem)) from problem
        except DatabaseError as problem:
            logger.exception("The command %s failed", type(self).__module__)
            if trouble_in(problem) is Trouble.POOLED:
                raise cannot_run(Trouble.POOLED.value) from problem
            said = str(problem).strip().splitlines()
            raise cannot_run(
                f"The database cannot be used: {printable(said[0]) if said else type(problem).__name__}. "
                f"Check DATABASE_URL, and run manage.py migrate. {log.details}"
            ) from problem
        except Exception as bug:
            # The boundary: people get a sentence, the log gets the traceback.
            logger.exception("The command %s failed", type(self).__module__)
            raise cannot_run(
                f"Stopped by a fault of the program ({type(bug).__name__}). {log.details}"
            ) from bug

    def _end(self, problem: CommandError) -> NoReturn:
        if not vars(self).get("_called_from_command_line"):  # as `BaseCommand.run_from_argv` notes it
            raise problem
        self.stderr.write(str(problem))
        sys.exit(problem.returncode)

    def tell(self, *lines: str) -> None:
        """Lines on standard output."""
        for line in lines:
            self.stdout.write(printable(line))

    def require_yes(self, options: dict[str, Any], would: str = "change tickets") -> None:
        """Refuse early to write without `--yes` where nobody can be asked."""
        if not options["yes"] and not sys.stdin.isatty():
            raise usage_error(f"This would {would}, and there is no terminal to ask on. Add --yes to do it.")

    def ask(self, question: str, options: dict[str, Any]) -> None:
        """Ask the person at the terminal, unless `--yes`; a No ends the command."""
        if not options["yes"] and not self.confirm(question, options):
            raise CommandError("Nothing was done.", returncode=Exit.CANCELLED)

    def confirm(self, question: str, options: dict[str, Any]) -> bool:
        """Put a question to the person at the terminal."""
        stream = self.stderr if options.get("output") == "json" else self.stdout
        stream.write(f"{printable(question)} [y/N] ", ending="")
        stream.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}


def silence_output() -> None:
    """Nobody reads any more: Python must not try to write the rest of the buffer when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def add_output_option(parser: CommandParser) -> None:
    parser.add_argument(
        "--output",
        choices=["text", "json"],
        default="text",
        help="json: standard output holds one JSON object and nothing else.",
    )


def add_person_option(parser: CommandParser) -> None:
    parser.add_argument(
        "--as", dest="username", metavar="USERNAME", help="The person recorded in the timeline."
    )


def add_run_options(parser: CommandParser) -> None:
    """The options of every command that makes a job."""
    parser.add_argument(
        "--detach", action="store_true", help="Only queue the job for a worker, and print its id."
    )
    parser.add_argument("--yes", action="store_true", help="Do not ask before anything is written.")
    add_output_option(parser)
    add_person_option(parser)


def add_mail_option(parser: CommandParser) -> None:
    parser.add_argument(
        "--yes-email",
        type=int,
        metavar="N",
        help="If the job e-mails customers, needed besides --yes: the number of tickets it will write to.",
    )


def actor_named(username: str | None) -> Actor:
    """The actor to record; raises `CommandError` for an unknown name."""
    if not username:
        return COMMAND_LINE
    users = get_user_model()
    try:
        return person(users.objects.get_by_natural_key(username))
    except users.DoesNotExist:
        raise usage_error(
            f"There is no user {username!r} here. Leave --as out, or name an existing one."
        ) from None


class RunCommand(JobCommand):
    """A command that makes a job, and runs it here or leaves it to a worker."""

    def require_yes_email(self, warning: str, number: int, options: dict[str, Any]) -> None:
        """Refuse to e-mail customers unless `--yes-email` gives the exact number of tickets."""
        given = options.get("yes_email")
        if not warning or given == number:
            return
        wrongly = "" if given is None else f"--yes-email {given} is not the number of tickets, {number}. "
        raise usage_error(f"{wrongly}{warning} Nothing was written. Add --yes-email {number} to do it.")

    def preview(self, make: Callable[[bool], Submission], *, by: Actor, options: dict[str, Any]) -> Job:
        """Make a dry run and run it here before the real run; if it does not succeed, the command ends."""
        as_json = options["output"] == "json"
        with self.display(as_json=as_json) as display:
            job, code = runner.run(lambda: make(True), by=by, display=display)
        if code:
            self.report(job, as_json=as_json)
            sys.exit(code)
        return job

    def run_job(
        self,
        make: Callable[[bool], Submission],
        *,
        by: Actor,
        options: dict[str, Any],
        notes: Callable[[Job], Iterable[str]] = lambda _: (),
    ) -> None:
        """Make the job (`make` gets whether it runs here), run or queue it, and report how it ended.

        `notes` are further lines under the summary. Ends the process with the exit code if that is not 0.
        """
        as_json = options["output"] == "json"
        if options["detach"]:
            self._report_queued(make(False).job, as_json=as_json)
            return
        can_ask = not options["yes"] and sys.stdin.isatty()
        ask = partial(self.confirm, options=options) if can_ask else None
        with self.display(as_json=as_json) as display:
            job, code = runner.run(lambda: make(True), by=by, display=display, ask=ask)
        self.report(job, as_json=as_json, notes=notes(job))
        code = self._run_automatic_follow_ups(job, code, by=by, as_json=as_json)
        if code:
            sys.exit(code)

    def _run_automatic_follow_ups(self, job: Job, code: Exit, *, by: Actor, as_json: bool) -> Exit:
        """Run follow-ups that the job's end made, and return the exit code for all; Ctrl-C leaves them."""
        for after in job.children.filter(follow_up=FollowUp.UNGUARD):
            if code is Exit.INTERRUPTED:
                self.stderr.write(f"Job {after.pk} takes the guard tag off; a worker does that.")
                continue
            with self.display(as_json=as_json) as display:
                ended, its_code = runner.run(partial(Submission, after), by=by, display=display)
            write = self.safe_writer(self.stderr if as_json else self.stdout)
            for line in summary_lines(ended):
                write(line)
            code = code or its_code
        return code

    def display(self, *, as_json: bool) -> AbstractContextManager[Any]:
        """A bar on a terminal, lines in a pipe; on standard error if standard output is for JSON."""
        stream = self.stderr if as_json else self.stdout
        if stream.isatty():
            from jobs.cli.progress_bar import ProgressBar  # noqa: PLC0415  # rich is slow to import, and most commands draw nothing

            return ProgressBar(sys.stderr if as_json else sys.stdout)
        return ProgressLines(self.safe_writer(stream))

    def report(self, job: Job, *, as_json: bool, notes: Iterable[str] = (), hints: bool = True) -> None:
        """Print the summary and, with `as_json`, the JSON status."""
        write = self.safe_writer(self.stderr if as_json else self.stdout)
        for line in (*summary_lines(job, hints=hints), *(f"  {note}" for note in notes)):
            write(line)
        if as_json:
            self.stdout.write(json.dumps(status_of(job)))
        if job.status == Status.ERRORED:
            self.stderr.write(printable(job.error))

    def safe_writer(self, stream: Any) -> Callable[[str], None]:
        """A function that writes lines while somebody reads: a job must not stop when its reader leaves."""

        def write(line: str) -> None:
            try:
                stream.write(line, lambda text: text)
                stream.flush()
            except OSError:  # nobody reads any more, or the disk is full
                silence_output()

        return write

    def _report_queued(self, job: Job, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(status_of(job)))
        else:
            self.tell(f"Job {job.pk} is queued. manage.py jobs watch {job.pk} shows it at work.")
        if not is_worker_alive():
            self.stderr.write("No worker is running, so the job waits: start one with manage.py run_worker.")
