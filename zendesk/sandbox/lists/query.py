"""The query language of search, as far as tickets need it (support.zendesk.com, article 4408886879258)."""

import re
from dataclasses import dataclass

from zendesk.sandbox.lists.criteria import EVERY_STATUS, Criteria, TagPredicate, TicketPredicate
from zendesk.sandbox.lists.term_predicates import (
    Term,
    has_tags,
    matching_statuses,
    negated_tags,
    ticket_predicate,
)
from zendesk.sandbox.tickets import tags

_TERM = re.compile(
    r"""(?P<not>-)?
        (?:(?P<name>[a-z_]+)(?P<sign>>=|<=|:|>|<|=))?
        (?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))""",
    re.VERBOSE | re.IGNORECASE,
)
_ORDERS = {"created_at": "created", "updated_at": "updated", "ticket_id": "id"}


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
    reading = _QueryBuilder()
    for term in terms(text):
        reading.take(term)
    return reading.query()


class _QueryBuilder:
    """A query being read, term by term."""

    def __init__(self) -> None:
        self._statuses = EVERY_STATUS
        self._wanted_statuses: set[int] = set()
        self._tags: list[TagPredicate] = []
        self._wanted_tags: list[TagPredicate] = []
        self._tests: list[TicketPredicate] = []
        self._order = "relevance"
        self._descending = True

    def take(self, term: Term) -> None:
        match term.name:
            case "type":
                if (term.value.lower() == "ticket") == term.negated:
                    self._statuses = frozenset()
            case "tags" | "tag":
                self._add_tags(term)
            case "status":
                self._add_status(term)
            case "order_by":
                self._order = _ORDERS.get(term.value, term.value)
            case "sort":
                self._descending = term.value.lower() != "asc"
            case _:
                self._tests.append(ticket_predicate(term))

    def _add_tags(self, term: Term) -> None:
        test = has_tags(frozenset(tags.normalise(term.value)))
        if term.negated:
            self._tags.append(negated_tags(test))
        else:
            self._wanted_tags.append(test)

    def _add_status(self, term: Term) -> None:
        chosen = matching_statuses(term)
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
