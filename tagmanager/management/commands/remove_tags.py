"""`manage.py remove_tags`: remove all tags that match a pattern."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from jobs.cli.commands import usage_error
from jobs.common.formatting import some
from tagmanager.cli.account import complete_tag_lists
from tagmanager.cli.options import add_source_options, add_ticket_options
from tagmanager.cli.ticket_command import TicketCommand
from tagmanager.inventory import tag_counts
from tagmanager.tools import tag_patterns, tool
from tagmanager.tools.remove_pattern import RemovePattern
from tagmanager.tools.tag_patterns import MatchedTags


class Command(TicketCommand):
    help = (
        "Removes the tags that match a pattern such as temp_* from all tickets, or from those of a source. "
        "Lists the tags first. All other tags stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--pattern",
            action="append",
            required=True,
            metavar="PATTERN",
            help="* matches any characters, ? matches one; may be repeated.",
        )
        parser.add_argument(
            "--keep",
            action="append",
            default=[],
            metavar="PATTERN",
            help="Keep tags that match this pattern; may be repeated.",
        )
        add_source_options(parser)
        add_ticket_options(parser)

    def handle(self, **options: Any) -> None:
        wanted, kept = _read("--pattern", options["pattern"]), _read("--keep", options["keep"])
        complete_tag_lists(self.safe_writer(self.stderr))
        found = tag_patterns.find_matches(wanted)
        if found.problem:
            raise usage_error(found.problem)
        named = [tag for tag, _ in found.tags if not tag_patterns.matches_any(tag.name, kept)]
        if not named:
            raise usage_error(f"No tag that is known fits {found.text}. {_known_by(found)}")
        write = self.safe_writer(self.stderr if options["output"] == "json" else self.stdout)
        write(f"{found.text} means {some(len(named), 'tag')}. {_known_by(found)}")
        for tag in named:
            write(f"  {tag.name}: {some(tag.tickets, 'ticket')}")
        remove = tool(RemovePattern.slug)
        filled = {"patterns": found.text, "seen": found.text, "tags": [tag.name for tag in named]}
        self.make_and_run(remove, remove.form_class(filled), options)


def _read(option: str, given: list[str]) -> list[str]:
    try:
        return tag_patterns.read(" ".join(given))
    except ValidationError as problem:
        raise usage_error(f"{option}: {' '.join(problem.messages)}") from problem


def _known_by(found: MatchedTags) -> str:
    if found.lists and found.lists.full:
        return f"{found.lists.full.source.capitalize()} on all tickets."
    return (
        f"By Zendesk's own list, which knows the tags of the last {tag_counts.DAYS_LISTED} days only; "
        "manage.py tag_inventory --count counts all tickets."
    )
