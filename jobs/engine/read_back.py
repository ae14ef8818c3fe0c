"""A batch that was answered: what was reported of its items, and what reading them back has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jobs.engine.settlement import open_items
from jobs.models import Batch, Item
from jobs.work import Answer, DeliveryEvidence, Result, Sendable, Snapshot, Verdict, Work


@dataclass(frozen=True, slots=True)
class Results:
    """The result of each open item of a batch, by primary key, in the order in which they were sent."""

    by_key: Mapping[int, Result | None]
    refs: Mapping[int, int]  # of the same items, by primary key
    is_open: bool  # some items have to be read before the batch can be settled

    @classmethod
    def of(cls, batch: Batch, answer: Answer) -> Results:
        """One query."""
        found: dict[int, Result | None] = {}
        refs = dict(open_items(batch).values_list("pk", "ref"))
        for place, (pk, ref) in enumerate(refs.items()):
            named = [
                results[key]
                for results, key in ((answer.results, ref), (answer.by_place, place))
                if key in results
            ]
            found[pk] = agreed(named)
        unnamed = any(result is None for result in found.values()) and not batch.once
        return cls(
            found,
            refs,
            unnamed or any(result and result.verdict is Verdict.UNEXPLAINED for result in found.values()),
        )

    def keys(self, verdict: Verdict) -> list[int]:
        return [pk for pk, result in self.by_key.items() if result is not None and result.verdict is verdict]


def agreed(results: Sequence[Result | None]) -> Result | None:
    """The result, where all of them have the same verdict; else nobody knows."""
    if not results or any(result is None for result in results):
        return None
    return results[0] if len({result.verdict for result in results if result}) == 1 else None


@dataclass(slots=True)
class Reading:
    """The items of one batch as they were after it was carried out.

    `evidence` is about items that were reported as changed and do not show it: whether their change was made.
    The records of those `to_ask` are still to be looked up.
    """

    seen: Mapping[int, Snapshot]
    at: datetime
    ends: dict[int, Result] = field(default_factory=dict)  # by ref, of items whose end the work knows itself
    evidence: dict[int, DeliveryEvidence] = field(default_factory=dict)  # by ref
    to_ask: list[Sendable] = field(default_factory=list)

    @classmethod
    def of(
        cls, batch: Batch, results: Results, seen: Mapping[int, Snapshot], at: datetime, work: Work
    ) -> Reading:
        reading = cls(seen, at)
        for item in Item.objects.filter(pk__in=results.keys(Verdict.DONE)).order_by("ref"):
            now = seen.get(item.ref)
            if now is not None and work.why_unreadable(now):
                reading.evidence[item.ref] = DeliveryEvidence.UNCLEAR
            elif now is not None:
                reading._look_at(batch, sendable_of(item), now, work)
        return reading

    def _look_at(self, batch: Batch, item: Sendable, now: Snapshot, work: Work) -> None:
        is_visible = work.is_visible(item.change)
        if is_visible and (end := work.why_not_shown(item, now)):
            self.ends[item.ref] = end
        elif is_visible and work.is_applied(item.change, now):
            return
        elif is_visible and batch.sent_at and work.is_untouched(item, now, batch.sent_at):
            self.evidence[item.ref] = DeliveryEvidence.NOT_MADE
        else:
            self.to_ask.append(item)

    def ask_next(self, work: Work) -> None:
        """Look up the records of one item."""
        item = self.to_ask[-1]
        if work.is_visible(item.change):
            found = work.find_trace(item, self.seen[item.ref])
        else:
            found = work.find_evidence([item]).get(item.ref, DeliveryEvidence.UNCLEAR)
        self.evidence[item.ref] = found
        self.to_ask.pop()

    @property
    def shows_absence(self) -> bool:
        """An item that was reported as changed provably was not."""
        return DeliveryEvidence.NOT_MADE in self.evidence.values()


def sendable_of(item: Item) -> Sendable:
    return Sendable(item.ref, item.before or {}, item.change or {})
