"""`manage.py jobs …`: show jobs, pause, resume, cancel, follow up and export them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import IO, Any

from django.core.management.base import CommandParser

from jobs import actions
from jobs.actions import NotPossible
from jobs.cli import runner
from jobs.cli.commands import (
    RunCommand,
    actor_named,
    add_mail_option,
    add_output_option,
    add_person_option,
    add_run_options,
    cannot_run,
    usage_error,
)
from jobs.cli.progress_lines import printable
from jobs.cli.summary import summary_lines
from jobs.common.formatting import some
from jobs.follow_up_titles import follow_up_title
from jobs.models import Job
from jobs.presentation.blockers import find_blocker
from jobs.presentation.job_actions import CLOSED_FIELD, undo_limits, warning, what_stays
from jobs.presentation.job_actions import FOLLOW_UPS as FOLLOW_UP_DOINGS
from jobs.presentation.labels import labels
from jobs.presentation.statuses import progress_words
from jobs.reports import export_files
from jobs.reports.export_files import BINARY, MEDIA_TYPES, WITH_CSV
from jobs.reports.exports import JobDeleted, UnknownOutcome
from jobs.reports.progress import status_of
from jobs.states import FollowUp, Status

CONTROLS: dict[str, tuple[Callable[..., None], str]] = {
    "pause": (actions.pause, "Pause a job; what is in flight is settled first."),
    "resume": (actions.resume, "Resume a paused or errored job, or end the wait of a waiting one."),
    "cancel": (actions.cancel, "Cancel a job for good; what is in flight is settled first."),
}
FOLLOW_UP_HELP = {
    FollowUp.RETRY: "A new job on the tickets that failed.",
    FollowUp.REST: "A new job on the tickets that a cancelled job left.",
    FollowUp.RUN: "A dry run for real, on exactly those tickets.",
    FollowUp.UNDO: "A new job that takes back what a job changed.",
    FollowUp.UNGUARD: "A new job that removes the guard tag that a job left on its tickets.",
}


class Command(RunCommand):
    help = "Lists jobs, shows one, and does what its page can do."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        def verb(name: str, what: str) -> CommandParser:
            one: CommandParser = verbs.add_parser(name, help=what, description=what)
            if name != "list":
                one.add_argument("id", type=int, metavar="ID")
            return one

        listing = verb("list", "The latest jobs.")
        listing.add_argument("--status", choices=Status.values, help="Only jobs in this state.")
        listing.add_argument("--limit", type=int, default=20, metavar="N", help="The latest N (20).")
        add_output_option(listing)
        add_output_option(verb("show", "One job, with its timeline."))
        watching = verb("watch", "Follow a job to its end.")
        watching.add_argument("--no-hints", action="store_true", help="Do not say what can be done next.")
        add_output_option(watching)
        for name, (_, what) in CONTROLS.items():
            click = verb(name, what)
            add_person_option(click)
            if name == "cancel":
                click.add_argument(
                    "--force",
                    action="store_true",
                    help="Record what is in flight as unverified, and do not wait unless a worker holds it.",
                )
        for kind, what in FOLLOW_UP_HELP.items():
            following = verb(kind.value, what)
            if kind is FollowUp.RETRY:
                following.add_argument("--reason", default="", help="Only those that failed for this reason.")
            if kind is FollowUp.UNDO:
                following.add_argument(
                    "--include-closed",
                    action="store_true",
                    help="Take tickets in that were closed since; one is tried first.",
                )
            add_run_options(following)
            add_mail_option(following)
        export = verb("export", "What became of every ticket, as a file.")
        export.add_argument("--format", choices=list(MEDIA_TYPES), default="csv")
        export.add_argument("--bom", action="store_true", help="Begin CSV as Excel needs it to read UTF-8.")
        export.add_argument("--outcome", help="Only tickets with this outcome, such as failed.")
        export.add_argument("--out", metavar="PATH", help="Write to this file instead of standard output.")
        export.add_argument("--force", action="store_true", help="Replace the file if it exists.")

    def handle(self, *, verb: str, **options: Any) -> None:
        if verb == "list":
            self._list(options)
            return
        job = Job.objects.filter(pk=options["id"]).first()
        if job is None:
            raise usage_error(f"There is no job {options['id']}. manage.py jobs list names the latest ones.")
        if verb in CONTROLS:
            self._click(job, verb, options)
        elif verb in FOLLOW_UP_HELP:
            self._follow_up(job, FollowUp(verb), options)
        else:
            {"show": self._show, "watch": self._watch, "export": self._export}[verb](job, options)

    def _list(self, options: dict[str, Any]) -> None:
        jobs = Job.objects.select_related("created_by")
        if options["status"]:
            jobs = jobs.filter(status=options["status"])
        latest = jobs[: max(options["limit"], 0)]
        if options["output"] == "json":
            self.stdout.write(json.dumps([status_of(job) for job in latest]))
            return
        for job in latest:
            done = f"{job.found - job.remaining:,}/{job.found:,}"
            name = job.asked_by if job.asker.is_person else "-"
            at = f"{job.created_at:%Y-%m-%d %H:%M}"
            self.tell(f"{job.pk:>6}  {job.status:<10} {done:>17}  {at}  {name:<12} {job.title}")

    def _show(self, job: Job, options: dict[str, Any]) -> None:
        if options["output"] == "json":
            self.stdout.write(json.dumps(status_of(job)))
            return
        self.tell(*summary_lines(job))
        if not job.is_ended and job.status != Status.ERRORED:
            self.tell(f"  Now: {progress_words(job)}.")
        if blocker := find_blocker(job):
            self.tell(f"  {blocker.cause} {blocker.remedy}")
        if job.error:
            self.tell(f"  {job.error}")
        self.tell("Timeline (UTC)")
        for step in job.transitions.select_related("user"):
            why = f": {step.why}" if step.why else ""
            self.tell(f"  {step.at:%Y-%m-%d %H:%M:%S}  {step.to_status:<10} {step.who}{why}")

    def _watch(self, job: Job, options: dict[str, Any]) -> None:
        as_json = options["output"] == "json"
        with self.display(as_json=as_json) as display:
            job, code = runner.watch(job, display=display)
        self.report(job, as_json=as_json, hints=not options["no_hints"])
        if code:
            sys.exit(code)

    def _click(self, job: Job, verb: str, options: dict[str, Any]) -> None:
        act, _ = CONTROLS[verb]
        try:
            forced = {"force": True} if options.get("force") else {}
            act(job=job, by=actor_named(options["username"]), **forced)
        except NotPossible as problem:
            raise cannot_run(str(problem)) from problem
        job.refresh_from_db()
        self.tell(f"Job {job.pk}: {progress_words(job)}.")

    def _follow_up(self, job: Job, kind: FollowUp, options: dict[str, Any]) -> None:
        by = actor_named(options["username"])
        reason = options.get("reason", "")
        try:
            outcomes = actions.check_follow_up(job, kind)
        except NotPossible as problem:
            raise cannot_run(str(problem)) from problem
        tickets = job.items.filter(outcome__in=outcomes)
        if reason:
            tickets = tickets.filter(reason=reason)
        number = tickets.count()
        if not number:
            raise usage_error(f"No ticket of job {job.pk} failed for the reason {reason!r}.")
        self.require_yes(options)
        action = FOLLOW_UP_DOINGS[kind.value]
        self.require_yes_email(warning(action, job, number), number, options)
        if left := what_stays(action, job):
            self.stderr.write(left)
        for limit in undo_limits(action, job):
            self.stderr.write(limit)
        more = {CLOSED_FIELD: True} if options.get("include_closed") else {}
        title = follow_up_title(job, kind)
        self.ask(f"{title} ({some(number, 'ticket')})?", options)
        self.run_job(
            lambda here: actions.follow_up(job=job, kind=kind, by=by, reason=reason, options=more, here=here),
            by=by,
            options=options,
        )

    def _export(self, job: Job, options: dict[str, Any]) -> None:
        kind = options["format"]
        if options["bom"] and kind not in WITH_CSV:
            raise usage_error(f"--bom is for {' and '.join(sorted(WITH_CSV))}; leave it out with {kind}.")
        if kind in BINARY and not options["out"] and (self._bytes is None or self.stdout.isatty()):
            raise usage_error(f"A terminal cannot show {kind}. Say --out PATH.")
        try:
            pieces = export_files.export_pieces(
                job, kind, options["outcome"], bom=options["bom"], asked=labels().asked(job)
            )
        except UnknownOutcome as problem:
            raise usage_error(str(problem)) from problem
        try:
            self._write(pieces, options)
        except JobDeleted as problem:
            raise cannot_run(str(problem)) from problem

    @property
    def _bytes(self) -> IO[bytes] | None:
        """Where bytes go that are no text; None where only text is taken."""
        return getattr(self.stdout._out, "buffer", None)

    def _write(self, pieces: Iterable[str | bytes], options: dict[str, Any]) -> None:
        if not options["out"]:
            with suppress(AttributeError):  # a stream of a program's own takes any text
                sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
            for piece in pieces:
                if isinstance(piece, str):
                    self.stdout.write(piece, lambda text: text, ending="")
                elif self._bytes is not None:
                    self._bytes.write(piece)
            return
        try:
            export_files.write(options["out"], pieces, replace=options["force"])
        except FileExistsError:
            raise usage_error(f"{options['out']} exists already. Add --force to replace it.") from None
        except OSError as problem:
            raise cannot_run(f"{options['out']} cannot be written: {problem.strerror}.") from problem
        self.stderr.write(printable(f"Written to {options['out']}."))
