"""The query language of search, the part about tickets (support.zendesk.com, article 4408886879258)."""

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
    """A parsed query. `order` is one of created, updated, status, priority, id, relevance."""

    criteria: Criteria
    order: str = "relevance"
    descending: bool = True


def terms(text: str) -> list[Term]:
    """Split a query into terms; a word without a keyword gets the name ""."""
    found = []
    for part in _TERM.finditer(text):
        value = part["phrase"] if part["phrase"] is not None else part["word"]
        found.append(Term((part["name"] or "").lower(), part["sign"] or "", value, part["not"] is not None))
    return found


def parse(text: str) -> Query:
    """Parse a query for tickets. Raises ValueError, with a sentence, for an invalid value."""
    builder = _QueryBuilder()
    for term in terms(text):
        builder.add(term)
    return builder.query()


class _QueryBuilder:
    """Builds a query term by term."""

    def __init__(self) -> None:
        self._statuses = EVERY_STATUS
        self._wanted_statuses: set[int] = set()
        self._tags: list[TagPredicate] = []
        self._wanted_tags: list[TagPredicate] = []
        self._tests: list[TicketPredicate] = []
        self._order = "relevance"
        self._descending = True

    def add(self, term: Term) -> None:
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
            # Several tags: terms match any of them; `tags:"a b"` needs both.
            tag_tests = [*tag_tests, lambda held: any(test(held) for test in wanted)]
        criteria = Criteria(statuses=statuses, tags=tuple(tag_tests), tests=tuple(self._tests))
        return Query(criteria, self._order, self._descending)
