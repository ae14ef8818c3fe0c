"""What is decided about the items of one batch, before anything is written."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.db.models import F

from jobs.engine.settlement import Settlement, open_items
from jobs.models import Batch, Item
from jobs.states import Outcome
from jobs.work import Result, Sendable, Snapshot, Verdict, Work
from tests import factories

SHORT = Result(Verdict.REFUSED, "not_taken_back", "It stays.")
BEFORE, NOW = {"tags": ["a"]}, {"tags": ["b"]}


class Applied:
    """A work to which a state looks as if a change had been made, or not."""

    def __init__(self, *states: Snapshot, falls_short: bool = False) -> None:
        self.states, self.falls_short = states, falls_short

    def why_unreadable(self, now: Snapshot) -> str:
        return str(now.get("odd", ""))

    def is_applied(self, change: Any, now: Snapshot) -> bool:
        assert change == {"add": ["vip"]}
        return now in self.states

    def why_not_shown(self, item: Sendable, now: Snapshot) -> Result | None:
        assert (item, now in self.states) == (Sendable(1, BEFORE, {"add": ["vip"]}), True)
        return SHORT if self.falls_short else None


def test_an_item_keeps_the_reason_of_its_plan_unless_its_end_has_one() -> None:
    settlement = Settlement()
    planned, ended = (Item(ref=ref, reason="stays", detail="As planned.") for ref in (1, 2))
    settlement.end(planned, Outcome.CHANGED)
    settlement.end(ended, Outcome.FAILED, "r" * 70)
    assert settlement.ended == [planned, ended]
    assert (planned.outcome, planned.reason, planned.detail) == ("changed", "stays", "As planned.")
    assert (ended.outcome, ended.reason, ended.detail) == ("failed", "r" * 64, "")


def test_a_detail_alone_takes_the_place_of_what_was_planned() -> None:
    item = Item(ref=1, reason="stays", detail="As planned.")
    Settlement().end(item, Outcome.FAILED, detail="No.")
    assert (item.reason, item.detail) == ("", "No.")


@pytest.mark.parametrize(
    ("now", "shows_change", "change_of_batch", "ends_as"),
    [
        (None, False, {"add": ["vip"]}, ("unverified", "gone")),
        (NOW, True, {"add": ["vip"]}, ("changed", "")),
        (BEFORE, True, None, ("changed", "")),
        (NOW, False, None, ("unverified", "touched_meanwhile")),
        (BEFORE, False, None, None),  # nothing was done to it, and nobody touched it
        (NOW, False, {"add": ["vip"]}, None),  # adding and removing does no harm to what others did
    ],
)
def test_the_state_of_an_item_may_prove_its_outcome(
    now: Snapshot | None, shows_change: bool, change_of_batch: Any, ends_as: tuple[str, str] | None
) -> None:
    settlement, item = Settlement(), Item(ref=1, before=BEFORE, change={"add": ["vip"]})
    work = cast("Work", Applied(*([now] if now and shows_change else [])))
    proves = settlement.end_as_read(item, now, Batch(change=change_of_batch), work)
    assert proves == (ends_as is not None)
    assert [(one.outcome, one.reason) for one in settlement.ended] == ([ends_as] if ends_as else [])


def test_a_change_that_was_made_and_does_not_do_all_it_is_for_ends_as_failed() -> None:
    settlement, item = Settlement(), Item(ref=1, before=BEFORE, change={"add": ["vip"]}, reason="planned")
    work = cast("Work", Applied(NOW, falls_short=True))
    assert settlement.end_as_read(item, NOW, Batch(change={"add": ["vip"]}), work)
    assert (item.outcome, item.reason, item.detail) == ("failed", "not_taken_back", "It stays.")


def test_the_counts_are_added_to_a_row_and_name_no_outcome_that_did_not_occur() -> None:
    settlement = Settlement(changed=[11, 12])
    for ref, outcome in enumerate([Outcome.FAILED, Outcome.CHANGED, Outcome.FAILED]):
        settlement.end(Item(ref=ref), outcome)
    assert settlement.counts == {"failed": F("failed") + 2, "changed": F("changed") + 3}
    assert Settlement().counts == {}


def test_open_items_come_in_the_order_of_their_numbers(db: None) -> None:
    job = factories.job("running", total=4)
    batch = factories.batch(job, "sent")
    for ref, outcome in ((9, "pending"), (3, "changed"), (1, "pending")):
        factories.item(job, ref, outcome, batch=batch)
    factories.item(job, 2, "pending", batch=factories.batch(job, "pending"))
    assert list(open_items(batch).values_list("ref", flat=True)) == [1, 9]
