"""Of items whose change must not be made twice, each kind of evidence leads to one decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from jobs.engine.exactly_once import UNVERIFIABLE, ExactlyOnce
from jobs.engine.settlement import Settlement
from jobs.models import Item, Job
from jobs.runtime.lease import Lease
from jobs.states import SENT_BEFORE, FollowUp, Status
from jobs.work import DeliveryEvidence, Sendable, Work
from tests import factories

MADE, NOT_MADE, UNCLEAR = DeliveryEvidence.MADE, DeliveryEvidence.NOT_MADE, DeliveryEvidence.UNCLEAR
CHANGE = {"comment": "internal"}


class Records:
    """A lease and a work in one: counts fences, and tells of each ref what is on record."""

    def __init__(self, job: Job, evidence: dict[int, DeliveryEvidence]) -> None:
        self.job, self.evidence = job, evidence
        self.fences = 0
        self.asked: list[Sendable] = []

    def fence(self) -> None:
        self.fences += 1

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        self.asked += items
        return self.evidence


def once(records: Records) -> ExactlyOnce:
    return ExactlyOnce(cast("Lease", records), cast("Work", records))


def items(job: Job, refs: Sequence[int], reason: str = "") -> list[Item]:
    return [Item(job=job, ref=ref, before={"tags": []}, change=CHANGE, reason=reason) for ref in refs]


def ended(settlement: Settlement) -> list[tuple[Any, ...]]:
    return [(one.ref, str(one.outcome), one.reason, one.detail) for one in settlement.ended]


@pytest.fixture
def job(db: None) -> Job:
    return factories.job(Status.RUNNING, total=9)


def test_what_is_on_record_is_done_what_is_not_goes_again_and_the_rest_is_left_to_a_person(job: Job) -> None:
    records, settlement = Records(job, {1: MADE, 2: NOT_MADE, 3: UNCLEAR}), Settlement()
    sent = items(job, [1, 2, 3, 4], SENT_BEFORE)
    assert once(records).confirmed_not_applied(settlement, sent) == [sent[1]]
    assert ended(settlement) == [
        (1, "changed", "", ""),
        (3, "unverified", "untold", UNVERIFIABLE),
        (4, "unverified", "untold", UNVERIFIABLE),
    ]
    assert records.asked == [Sendable(ref, {"tags": []}, CHANGE) for ref in (1, 2, 3, 4)]
    assert records.fences == 1


def test_while_it_is_not_over_what_is_not_there_yet_may_still_come(job: Job) -> None:
    records, settlement = Records(job, {1: MADE, 2: NOT_MADE}), Settlement()
    assert once(records).confirmed_not_applied(settlement, items(job, [1, 2]), is_over=False) == []
    assert ended(settlement) == [(1, "changed", "", ""), (2, "unverified", "untold", UNVERIFIABLE)]


def test_without_items_nothing_is_asked(job: Job) -> None:
    records = Records(job, {})
    assert once(records).confirmed_not_applied(Settlement(), []) == []
    assert (records.asked, records.fences) == ([], 0)


def test_before_sending_only_what_this_job_sent_before_is_looked_up(job: Job) -> None:
    records, settlement = Records(job, {1: MADE, 2: NOT_MADE}), Settlement()
    sent, fresh = items(job, [1, 2], SENT_BEFORE), items(job, [3])
    left = once(records).not_applied_by_family(settlement, [*sent, *fresh], {ref: {} for ref in (1, 2, 3)})
    assert left == [sent[1], *fresh]
    assert ended(settlement) == [(1, "changed", "", "")]
    assert [one.ref for one in records.asked] == [1, 2]


@pytest.fixture
def retry(job: Job) -> Job:
    """Of a job that changed item 1 and never learned of the others what became of them."""
    batch = factories.batch(job, once=True)
    factories.item(job, 1, "changed", batch=batch)
    for ref in (2, 3, 4, 5):
        factories.item(job, ref, "unverified", batch=batch)
    return factories.job(Status.RUNNING, parent=job, follow_up=FollowUp.RETRY, total=9)


def test_a_follow_up_does_not_repeat_what_an_earlier_job_did_or_may_have_done(job: Job, retry: Job) -> None:
    records, settlement = (
        Records(retry, {1: NOT_MADE, 2: MADE, 3: NOT_MADE, 4: UNCLEAR, 6: MADE}),
        Settlement(),
    )
    wanted = items(retry, [1, 2, 3, 4, 5, 6])
    left = once(records).not_applied_by_family(settlement, wanted, {ref: {} for ref in (1, 2, 3, 4, 6)})
    assert [item.ref for item in left] == [3, 5, 6]  # 5 cannot be seen any more, and is skipped for that
    assert ended(settlement) == [
        (
            1,
            "unchanged",
            "made_before",
            f"An earlier job had done this already (job {job.pk}), and it is not done twice.",
        ),
        (2, "unchanged", "made_before", "An earlier job had done this already, and it is not done twice."),
        (4, "unverified", "untold", UNVERIFIABLE),
    ]
    assert [item.change for item in wanted] == [None, None, CHANGE, CHANGE, CHANGE, CHANGE]
    assert [one.ref for one in records.asked] == [2, 3, 4]


def test_what_the_records_do_not_name_is_in_doubt(retry: Job) -> None:
    settlement = Settlement()
    left = once(Records(retry, {})).not_applied_by_family(settlement, items(retry, [2]), {2: {}})
    assert (left, ended(settlement)) == ([], [(2, "unverified", "untold", UNVERIFIABLE)])
