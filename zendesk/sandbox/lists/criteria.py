"""The conditions by which a view or a query selects tickets."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zendesk.sandbox.account.field_values import STATUSES
from zendesk.sandbox.tickets.store import TicketStore

EVERY_STATUS = frozenset(range(len(STATUSES)))
TicketPredicate = Callable[[TicketStore, int], bool]
TagPredicate = Callable[[frozenset[str]], bool]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Conditions that must all hold; the cheap ones (status, tags) are tested first."""

    statuses: frozenset[int] = EVERY_STATUS
    tags: tuple[TagPredicate, ...] = ()
    tests: tuple[TicketPredicate, ...] = ()
    archived: bool = True
    """Whether archived tickets match: they do in searches and exports, not in views and lists."""

    def tags_match(self, held: tuple[str, ...]) -> bool:
        tags = frozenset(held)
        return all(test(tags) for test in self.tags)

    def match(self, store: TicketStore, slot: int) -> bool:
        return (
            store.status[slot] in self.statuses
            and not store.deleted[slot]
            and (self.archived or not store.archived[slot])
            and self.tags_match(store.tags(slot))
            and all(test(store, slot) for test in self.tests)
        )

    def scan(self, store: TicketStore, slots: Iterable[int]) -> Iterable[int]:
        """The matching slots, in the order given. Tests each distinct set of tags only once."""
        tested: dict[int, bool] = {}
        for slot in slots:
            if store.status[slot] not in self.statuses or store.deleted[slot]:
                continue
            if store.archived[slot] and not self.archived:
                continue
            number = store.tag_set[slot]
            fits = tested.get(number)
            if fits is None:
                fits = tested[number] = self.tags_match(store.tag_sets.tags(number))
            if fits and all(test(store, slot) for test in self.tests):
                yield slot
