"""The query language of search, as far as tickets need it (support.zendesk.com, article 4408886879258)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from zendesk.sandbox import moments
from zendesk.sandbox.account.vocabulary import PRIORITIES, SOLVED, STATUS_RANK
from zendesk.sandbox.lists.criteria import EVERY_STATUS, Criteria, SlotTest, TagTest
from zendesk.sandbox.tickets import tags
from zendesk.sandbox.tickets.rendering import assignee_id, group_id, requester_id
from zendesk.sandbox.tickets.store import Store

_TERM = re.compile(
    r"""(?P<not>-)?
        (?:(?P<name>[a-z_]+)(?P<sign>>=|<=|:|>|<|=))?
        (?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))""",
    re.VERBOSE | re.IGNORECASE,
)
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
_ORDERS = {"created_at": "created", "updated_at": "updated", "ticket_id": "id"}


@dataclass(frozen=True, slots=True)
class Term:
    name: str
    sign: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A query, understood. `order` is one of created, updated, status, priority, id, relevance."""

    criteria: Criteria
    order: str = "relevance"
    descending: bool = True


def terms(text: str) -> list[Term]:
    """The parts of a query; a word without a keyword has the name ""."""
    found = []
    for part in _TERM.finditer(text):
        value = part["phrase"] if part["phrase"] is not None else part["word"]
        found.append(Term((part["name"] or "").lower(), part["sign"] or "", value, part["not"] is not None))
    return found


def parse(text: str) -> Query:
    """A query for tickets. ValueError, in a sentence, for a value that means nothing."""
    reading = _Reading()
    for term in terms(text):
        reading.take(term)
    return reading.query()


class _Reading:
    """A query being read, term by term."""

    def __init__(self) -> None:
        self._statuses = EVERY_STATUS
        self._wanted_statuses: set[int] = set()
        self._tags: list[TagTest] = []
        self._wanted_tags: list[TagTest] = []
        self._tests: list[SlotTest] = []
        self._order = "relevance"
        self._descending = True

    def take(self, term: Term) -> None:
        match term.name:
            case "type":
                if (term.value.lower() == "ticket") == term.negated:
                    self._statuses = frozenset()
            case "tags" | "tag":
                self._take_tags(term)
            case "status":
                self._take_status(term)
            case "order_by":
                self._order = _ORDERS.get(term.value, term.value)
            case "sort":
                self._descending = term.value.lower() != "asc"
            case _:
                self._tests.append(_slot_test(term))

    def _take_tags(self, term: Term) -> None:
        test = _has_tags(frozenset(tags.normalise(term.value)))
        if term.negated:
            self._tags.append(_inverse(test))
        else:
            self._wanted_tags.append(test)

    def _take_status(self, term: Term) -> None:
        chosen = _statuses(term)
        if term.negated:
            self._statuses -= chosen
        elif term.sign in ":=":
            self._wanted_statuses |= chosen or {-1}
        else:
            self._statuses &= chosen

    def query(self) -> Query:
        statuses = self._statuses
        if self._wanted_statuses:
            statuses &= self._wanted_statuses
        tag_tests = self._tags
        wanted = tuple(self._wanted_tags)
        if wanted:
            # Several values of one keyword widen the search; `tags:"a b"` narrows it to both.
            tag_tests = [*tag_tests, lambda held: any(test(held) for test in wanted)]
        criteria = Criteria(statuses=statuses, tags=tuple(tag_tests), tests=tuple(self._tests))
        return Query(criteria, self._order, self._descending)


def _has_tags(wanted: frozenset[str]) -> TagTest:
    return lambda held: wanted <= held if wanted else not held


def _inverse(test: TagTest) -> TagTest:
    return lambda held: not test(held)


def _statuses(term: Term) -> frozenset[int]:
    rank = STATUS_RANK.get(term.value.lower())
    if rank is None:
        return frozenset()
    return frozenset(other for other in EVERY_STATUS if _COMPARISONS[term.sign](other, rank))


def _slot_test(term: Term) -> SlotTest:
    test = _positive_test(term)
    if term.negated:
        return lambda store, slot: not test(store, slot)
    return test


def _positive_test(term: Term) -> SlotTest:
    if term.name in _DATES:
        return _date_test(term)
    if term.name in _PEOPLE:
        return _person_test(term)
    match term.name:
        case "id" | "ticket" | "ticket_id":
            return partial(_compare_id, term.sign, _whole(term))
        case "priority":
            return _priority_test(term)
        case "" | "subject" | "description":
            return _number_or_words_test(term.value)
    # A keyword nobody knows finds nothing, as a wrong field name does.
    return lambda _store, _slot: False


def _person_test(term: Term) -> SlotTest:
    wanted = None if term.value in ("none", "") else _whole(term)
    person = _PEOPLE[term.name]
    return lambda store, slot: person(store, slot) == wanted


def _whole(term: Term) -> int:
    try:
        return int(term.value)
    except ValueError:
        raise ValueError(f"Invalid search: {term.name} must be a number, not {term.value!r}.") from None


def _compare_id(sign: str, number: int, store: Store, slot: int) -> bool:
    return _COMPARISONS[sign](store.ids[slot], number)


def _date_test(term: Term) -> SlotTest:
    try:
        wanted = moments.parse(term.value)
    except ValueError:
        raise ValueError(f"Invalid search: {term.value!r} is not a date such as 2026-11-01.") from None
    is_day = "T" not in term.value
    compare = _COMPARISONS[term.sign]

    def test(store: Store, slot: int) -> bool:
        if term.name.startswith("solved") and store.status[slot] < SOLVED:
            return False
        moment: float = store.created(slot) if term.name.startswith("created") else store.updated(slot)
        if is_day:
            moment = moment // moments.DAY * moments.DAY
        return compare(moment, wanted)

    return test


def _priority_test(term: Term) -> SlotTest:
    wanted = None if term.value.lower() == "none" else term.value.lower()
    if wanted not in PRIORITIES:
        return lambda _store, _slot: False
    rank = PRIORITIES.index(wanted)
    compare = _COMPARISONS[term.sign]
    return lambda store, slot: compare(PRIORITIES.index(store.priority(slot)), rank)


def _words_test(text: str) -> SlotTest:
    """A word is found at the beginning of a word; a phrase as it stands."""
    begin = r"\b" if text[:1].isalnum() else ""
    pattern = re.compile(begin + re.escape(text.rstrip("*")), re.IGNORECASE)
    return lambda store, slot: pattern.search(store.subject(slot)) is not None


def _number_or_words_test(text: str) -> SlotTest:
    words = _words_test(text)
    if not text.isdecimal():
        return words
    number = int(text)
    return lambda store, slot: store.ids[slot] == number or words(store, slot)
