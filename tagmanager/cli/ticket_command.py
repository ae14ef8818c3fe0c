"""The commands that change tickets: from their options to a job that is run and reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError

from jobs.actions import Submission, follow_up
from jobs.actors import Actor
from jobs.cli.commands import RunCommand, actor_named, usage_error
from jobs.cli.progress_lines import printable
from jobs.common.formatting import some
from jobs.models import Job
from jobs.presentation.job_actions import JOB_ACTIONS, warning
from jobs.states import FollowUp
from jobs.work import Verify
from tagmanager.changes import guard_tag
from tagmanager.cli.account import BUSY_WAIT, as_command_errors, connected
from tagmanager.cli.choosing import ChosenTickets, check_given, choose
from tagmanager.cli.options import check_table_answers, sentences_of
from tagmanager.forms import submit
from tagmanager.forms.job_form import OptionsForm
from tagmanager.intake import source_size
from tagmanager.intake.fields import OneTagField
from tagmanager.previews.tag_changes import pair_counts
from tagmanager.previews.warnings import warnings_of
from tagmanager.tools.base import Tool, ToolForm
from tagmanager.tools.demands import why_not_made
from zendesk import RateLimited, Zendesk, check

#: How many pairs of a mapping a preview names with their tickets.
MOST_PAIRS = 20
#: How often a busy account is asked again.
BUSY_TRIES = 3


class TicketCommand(RunCommand):
    """A command that makes a job of one tool on tickets."""

    def make_and_run(self, tool: Tool, form: ToolForm, options: dict[str, Any]) -> None:
        """Check all that can be checked before the job is made, ask, make it, run it."""
        check_table_answers(options)
        _check_form(tool, form)
        how = _run_options(options)
        check_given(tool, form, options)
        by, guard = actor_named(options["username"]), _guard(form, options)
        if not options["dry_run"]:
            self.require_yes(options)
        with connected() as zendesk, as_command_errors():
            chosen = self._choose_patiently(tool, form, options, zendesk)
        if why := source_size.why_not_tried(chosen.source, chosen.only, how["limit"], how["canary"]):
            raise usage_error(f"--first: {why}")
        looks_first = form.writes_to_customers and not options["dry_run"]
        tell = self.safe_writer(self.stderr if options["output"] == "json" else self.stdout)
        for note in (*form.notes, *chosen.notes):  # what was understood, before anything runs
            tell(printable(note))

        def make(here: bool) -> Submission:
            return submit.submit(
                tool,
                form,
                chosen.source,
                by=by,
                only=chosen.only,
                limit=how["limit"],
                canary=how["canary"],
                dry_run=options["dry_run"] or looks_first,
                include_closed=options["include_closed"],
                guard=guard,
                guard_stays=options["guard_stays"],
                verify=Verify(options["verify"]) if options["verify"] else None,
                here=here,
            )

        def notes(job: Job) -> list[str]:
            return list(_preview_lines(job))

        run: Callable[[bool], Submission] = make
        if looks_first:
            preview = self.preview(make, by=by, options=options)
            if not preview.planned:  # there is nothing to run
                self.report(preview, as_json=options["output"] == "json", notes=notes(preview))
                return
            run = self._real_run(preview, by=by, options=options)
        if not options["dry_run"]:
            self.ask(f"{tool.title(form.params(), chosen.phrase(how['limit']))}?", options)
        self.run_job(run, by=by, options=options, notes=notes)

    def _real_run(self, preview: Job, *, by: Actor, options: dict[str, Any]) -> Callable[[bool], Submission]:
        """The real run of a preview, once a person has confirmed its number of tickets."""
        number = preview.planned
        self.require_yes_email(warning(JOB_ACTIONS["run"], preview, number), number, options)
        return lambda here: follow_up(job=preview, kind=FollowUp.RUN, by=by, here=here)

    def _choose_patiently(
        self, tool: Tool, form: ToolForm, options: dict[str, Any], zendesk: Zendesk
    ) -> ChosenTickets:
        """The tickets, over a connection that works; waits for a busy account."""
        for _ in range(BUSY_TRIES):
            try:
                check(zendesk)
                return choose(tool, form, options, zendesk)
            except RateLimited as busy:
                seconds = busy.retry_after or BUSY_WAIT
                self.stderr.write(f"{busy.text} Trying again in {seconds:.0f} s.", lambda text: text)
                time.sleep(seconds)
        check(zendesk)
        return choose(tool, form, options, zendesk)


def _check_form(tool: Tool, form: ToolForm) -> None:
    """Raises `CommandError` for what is wrong with the fields, or with what the tool makes of them."""
    if not form.is_valid():
        raise usage_error(sentences_of(form))
    if why := why_not_made(tool, form.params()):
        raise usage_error(why)


def _guard(form: ToolForm, options: dict[str, Any]) -> str:
    """The guard tag for a valid form; "" for none."""
    try:
        guard = OneTagField(required=False).clean(options["guard"])
    except ValidationError as problem:
        raise usage_error(f"--guard: {' '.join(problem.messages)}") from problem
    if options["guard_stays"] and not guard:
        raise usage_error("--guard-stays needs a tag. Say --guard TAG, such as --guard bulk_update.")
    given = form.listed.given if form.lists_tickets else None
    if guard and (why := guard_tag.why_not_guarded(guard, form.params(), given)):
        raise usage_error(f"--guard: {why}")
    return guard


def _run_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options that are the same for all tools, as their form takes them."""
    filled = {"limit": options["limit"], "canary": options["first"], "order": options["sort"] or ""}
    form = OptionsForm(filled | {"nonce": "given by nobody"})
    if not form.is_valid():
        raise usage_error(sentences_of(form))
    return form.cleaned_data


def _preview_lines(job: Job) -> Iterator[str]:
    """What a preview shows besides its numbers, as on its page."""
    if not (job.dry_run and job.is_ended and job.planned):
        return
    pairs = pair_counts(job)
    for pair in pairs[:MOST_PAIRS]:
        becomes = f"becomes {pair.new}" if pair.new else "is taken off"
        yield f"{pair.old} {becomes}: {some(pair.tickets, 'ticket')}"
    if len(pairs) > MOST_PAIRS:
        more = len(pairs) - MOST_PAIRS
        yield f"and {more:,} more pairs, on fewer tickets; the preview's page names them all"
    found = warnings_of(job)
    for caution in found.all:
        yield f"{caution.text} {caution.address}".rstrip()
    yield from found.gaps
    if found.problem:
        yield f"What in the account names these tags could not be looked up. {found.problem}"
