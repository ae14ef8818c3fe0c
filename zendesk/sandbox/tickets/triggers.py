"""Running triggers: those of `Options.triggers` see each ticket as an update leaves it.

They support conditions on tags (`includes`: at least one, `not_includes`: none of them) and on the status
(`is`, `changed`), and actions that add or remove tags. Any other action only counts as fired.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from zendesk.sandbox.account import fields
from zendesk.sandbox.account.rules import Condition, Rule
from zendesk.sandbox.tickets import tags


@dataclass(frozen=True, slots=True)
class UpdatedTicket:
    """A ticket after an update, before any trigger has acted on it."""

    tags: frozenset[str]
    status: str
    status_before: str


def fire(rules: Iterable[Rule], ticket: UpdatedTicket) -> tuple[frozenset[str], list[str]]:
    """Run the triggers in order. Returns the resulting tags and the titles of the triggers that fired."""
    now, fired = set(ticket.tags), []
    for rule in rules:
        if rule.active and all(_is_met(condition, now, ticket) for condition in rule.conditions):
            fired.append(rule.title)
            for field, value in rule.actions:
                if field == "current_tags":
                    fields.add_tags(now, tags.normalise(value))
                elif field == "remove_tags":
                    now -= set(tags.normalise(value))
    return frozenset(now), fired


def _is_met(condition: Condition, held: set[str], ticket: UpdatedTicket) -> bool:
    match condition:
        case ("current_tags", "includes", value):
            return not held.isdisjoint(tags.normalise(value))
        case ("current_tags", "not_includes", value):
            return held.isdisjoint(tags.normalise(value))
        case ("status", "is", value):
            return ticket.status == value
        case ("status", "changed", _):
            return ticket.status != ticket.status_before
        case ("update_type", "is", value):
            return value == "Change"  # the demo creates no tickets
    return False
