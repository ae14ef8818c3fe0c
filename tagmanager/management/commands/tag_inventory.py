"""`manage.py tag_inventory`: list the account's tags with their numbers of tickets and references."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandParser

from jobs.actors import Actor
from jobs.cli import runner
from jobs.cli.commands import RunCommand, actor_named, add_person_option, usage_error
from jobs.common.formatting import some
from tagmanager.account import connection
from tagmanager.cli.account import as_command_errors, complete_tag_lists, connected
from tagmanager.forms.submit import submit
from tagmanager.intake import sources
from tagmanager.intake.source_kinds.all_tickets import must_be_admin
from tagmanager.inventory import tag_counts, tags
from tagmanager.inventory.tag_counts import TagLists
from tagmanager.inventory.tags import Inventory, Tag
from tagmanager.models import TagList
from tagmanager.tools import tool
from tagmanager.tools.count_tags import CountTags


class Command(RunCommand):
    help = (
        "Lists all tags of the account with their numbers of tickets and the rules, fields, views and macros "
        "that refer to them. Says first which list the numbers come from. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--count",
            action="store_true",
            help="Count all tickets first, with a job that only reads; for admins.",
        )
        parser.add_argument(
            "--show",
            choices=[name for name in tags.FILTERS if name],
            default="",
            help="Only tags that are on no ticket, used in rules or fields, not used there, or similar.",
        )
        parser.add_argument(
            "--find",
            default="",
            metavar="TEXT",
            help="Only tags that contain this text or match this pattern.",
        )
        parser.add_argument("--order", choices=list(tags.SORT_ORDERS), default="tickets")
        parser.add_argument("--output", choices=["text", "csv", "json"], default="text")
        add_person_option(parser)

    def handle(self, **options: Any) -> None:
        by = actor_named(options["username"])
        tell = self.safe_writer(self.stderr)
        if options["count"]:
            self._count(by, tell)
        lists = complete_tag_lists(tell)
        found = Inventory(lists)
        if found.problem:
            tell(f"What in the account names the tags could not be looked up. {found.problem}")
        for gap in found.gaps:
            tell(gap)
        tell(_known_by(lists))
        if options["show"] == "alike":
            groups = found.groups(options["find"])
            write_groups = {"csv": tags.groups_as_csv, "json": tags.groups_as_json}
            self.stdout.write(write_groups.get(options["output"], _grouped)(groups).rstrip("\n"))
        else:
            shown = found.filtered(options["show"], options["find"], options["order"])
            write = {"csv": tags.as_csv, "json": tags.as_json}.get(options["output"])
            self.stdout.write((write(shown, lists) if write else _listed(shown)).rstrip("\n"))

    def _count(self, by: Actor, tell: Callable[[str], None]) -> None:
        """Run the job here, and leave standard output for the list."""
        with connected() as zendesk, as_command_errors():
            must_be_admin(zendesk)
        if job := tag_counts.counting(connection.address()):
            raise usage_error(f"Job {job.pk} is counting already; manage.py jobs watch {job.pk} shows it.")
        chosen = tool(CountTags.slug)
        form = chosen.form_class({})
        form.is_valid()
        with self.display(as_json=True) as display:
            job, code = runner.run(
                lambda: submit(chosen, form, sources.all_tickets(), by=by, dry_run=True, here=True),
                by=by,
                display=display,
            )
        if code:
            tell(job.error or f"The count, job {job.pk}, is {job.get_status_display().lower()}.")
            sys.exit(code)


def _known_by(lists: TagLists) -> str:
    if lists.full:
        return " ".join(_about(lists.full))
    return (
        f"By Zendesk's own list: tags of the last {tag_counts.DAYS_LISTED} days, "
        f"{tag_counts.MAX_LISTED:,} at most. --count counts all tickets."
    )


def _about(count: TagList) -> Iterator[str]:
    """How far a count reached, in sentences."""
    yield f"{count.source.capitalize()} on {some(count.tickets, 'ticket')}."
    if count.counted_from is None or count.counted_at is None or count.reached_at is None:
        return
    began, ended, reached = (
        f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        for moment in (count.counted_from, count.counted_at, count.reached_at)
    )
    yield f"It ran from {began} to {ended}."
    if count.is_whole:
        yield f"It has every change up to {reached}."
    else:
        yield f"It is not complete: changes after {reached} may be missing, although the count began later."
    if changed := count.changed_meanwhile:
        tickets = some(
            changed, "ticket changed while it ran and counts", "tickets changed while it ran and count"
        )
        yield f"{tickets} as last read."
    since = tag_counts.changed_since(count)
    if since is not None:
        number = some(since, "ticket has", "tickets have") if since else "No ticket has"
        yield f"{number} changed since, by Zendesk's search, which lags some minutes behind."


def _listed(tags: list[Tag]) -> str:
    return "\n".join(f"{tag.tickets:>11,}  {tag.name}  {tag.kinds}".rstrip() for tag in tags)


def _grouped(groups: list[list[Tag]]) -> str:
    return "\n\n".join(map(_listed, groups))
