"""Which tickets a view or a query means."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zendesk.sandbox.account.field_values import STATUSES
from zendesk.sandbox.tickets.store import Store

EVERY_STATUS = frozenset(range(len(STATUSES)))
TicketPredicate = Callable[[Store, int], bool]
TagPredicate = Callable[[frozenset[str]], bool]


@dataclass(frozen=True, slots=True)
class Criteria:
    """All of these have to hold. Cheap questions (status, tags) come before the others."""

    statuses: frozenset[int] = EVERY_STATUS
    tags: tuple[TagPredicate, ...] = ()
    tests: tuple[TicketPredicate, ...] = ()
    archived: bool = True
    """Archived tickets belong to searches and exports, not to views and lists."""

    def tags_match(self, held: tuple[str, ...]) -> bool:
        tags = frozenset(held)
        return all(test(tags) for test in self.tags)

    def match(self, store: Store, slot: int) -> bool:
        return (
            store.status[slot] in self.statuses
            and not store.deleted[slot]
            and (self.archived or not store.archived[slot])
            and self.tags_match(store.tags(slot))
            and all(test(store, slot) for test in self.tests)
        )

    def scan(self, store: Store, slots: Iterable[int]) -> Iterable[int]:
        """Those of the slots that match, in the order given; each set of tags is judged once."""
        judged: dict[int, bool] = {}
        for slot in slots:
            if store.status[slot] not in self.statuses or store.deleted[slot]:
                continue
            if store.archived[slot] and not self.archived:
                continue
            number = store.tagset[slot]
            fits = judged.get(number)
            if fits is None:
                fits = judged[number] = self.tags_match(store.tag_sets.tags(number))
            if fits and all(test(store, slot) for test in self.tests):
                yield slot
