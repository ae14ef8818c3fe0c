"""Terms of a search query as predicates on tickets, tags and statuses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from zendesk.sandbox import timestamps
from zendesk.sandbox.account.field_values import PRIORITIES, SOLVED, STATUS_RANK
from zendesk.sandbox.lists.criteria import EVERY_STATUS, TagPredicate, TicketPredicate
from zendesk.sandbox.tickets.rendering import assignee_id, group_id, requester_id, support_type
from zendesk.sandbox.tickets.store import TicketStore

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ":": lambda left, right: left == right,
    "=": lambda left, right: left == right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


_DATES = ("created", "created_at", "updated", "updated_at", "solved", "solved_at")


_PEOPLE = {"assignee": assignee_id, "requester": requester_id, "group": group_id}


@dataclass(frozen=True, slots=True)
class Term:
    name: str
    sign: str
    value: str
    negated: bool = False


def has_tags(wanted: frozenset[str]) -> TagPredicate:
    return lambda held: wanted <= held if wanted else not held


def negated_tags(test: TagPredicate) -> TagPredicate:
    return lambda held: not test(held)


def matching_statuses(term: Term) -> frozenset[int]:
    rank = STATUS_RANK.get(term.value.lower())
    if rank is None:
        return frozenset()
    return frozenset(other for other in EVERY_STATUS if _COMPARISONS[term.sign](other, rank))


def ticket_predicate(term: Term) -> TicketPredicate:
    test = _positive_predicate(term)
    if term.negated:
        return lambda store, slot: not test(store, slot)
    return test


def _positive_predicate(term: Term) -> TicketPredicate:
    if term.name in _DATES:
        return _date_predicate(term)
    if term.name in _PEOPLE:
        return _person_predicate(term)
    return _other_predicate(term)


def _other_predicate(term: Term) -> TicketPredicate:
    match term.name:
        case "id" | "ticket" | "ticket_id":
            return partial(_compare_id, term.sign, _whole(term))
        case "priority":
            return _priority_predicate(term)
        case "support_type":
            return lambda store, slot: support_type(store, slot) == term.value.lower()
        case "" | "subject" | "description":
            return _number_or_words_predicate(term.value)
    # An unknown keyword matches nothing.
    return lambda _store, _slot: False


def _person_predicate(term: Term) -> TicketPredicate:
    wanted = None if term.value in ("none", "") else _whole(term)
    person = _PEOPLE[term.name]
    return lambda store, slot: person(store, slot) == wanted


def _whole(term: Term) -> int:
    try:
        return int(term.value)
    except ValueError:
        raise ValueError(f"Invalid search: {term.name} must be a number, not {term.value!r}.") from None


def _compare_id(sign: str, number: int, store: TicketStore, slot: int) -> bool:
    return _COMPARISONS[sign](store.ids[slot], number)


def _date_predicate(term: Term) -> TicketPredicate:
    try:
        wanted = timestamps.parse(term.value)
    except ValueError:
        raise ValueError(f"Invalid search: {term.value!r} is not a date such as 2026-11-01.") from None
    is_day = "T" not in term.value
    compare = _COMPARISONS[term.sign]

    def test(store: TicketStore, slot: int) -> bool:
        if term.name.startswith("solved") and store.status[slot] < SOLVED:
            return False
        moment: float = store.created(slot) if term.name.startswith("created") else store.updated(slot)
        if is_day:
            moment = moment // timestamps.DAY * timestamps.DAY
        return compare(moment, wanted)

    return test


def _priority_predicate(term: Term) -> TicketPredicate:
    wanted = None if term.value.lower() == "none" else term.value.lower()
    if wanted not in PRIORITIES:
        return lambda _store, _slot: False
    rank = PRIORITIES.index(wanted)
    compare = _COMPARISONS[term.sign]
    return lambda store, slot: compare(PRIORITIES.index(store.priority(slot)), rank)


def _words_predicate(text: str) -> TicketPredicate:
    """Match the text at the start of any word of the subject."""
    begin = r"\b" if text[:1].isalnum() else ""
    pattern = re.compile(begin + re.escape(text.rstrip("*")), re.IGNORECASE)
    return lambda store, slot: pattern.search(store.subject(slot)) is not None


def _number_or_words_predicate(text: str) -> TicketPredicate:
    words = _words_predicate(text)
    if not text.isdecimal():
        return words
    number = int(text)
    return lambda store, slot: store.ids[slot] == number or words(store, slot)
