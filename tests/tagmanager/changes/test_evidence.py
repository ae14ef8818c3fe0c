"""What a ticket and its history prove about a change that was sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from jobs.work import DeliveryEvidence, Result, Verdict
from tagmanager.changes import evidence
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tests.demo import Demo, counts, run, submit
from zendesk import Audit

READ = "2026-11-30T10:00:00Z"
LATER = "2026-11-30T10:05:00Z"
BEFORE = TicketSnapshot(7, frozenset({"a", "b"}), "open", READ, {"priority": None})
CHANGE = TicketChange(add=frozenset({"vip"}), remove=frozenset({"a"}), fields={"priority": "high"})
REFUSAL = Result(Verdict.UNEXPLAINED, "TicketUpdateFailed", "Nicht erlaubt")


@pytest.mark.parametrize(
    ("now", "closed_ones_can_change", "verdict", "code"),
    [
        (None, False, Verdict.MISSING, ""),
        (replace(BEFORE, status="deleted"), False, Verdict.MISSING, ""),
        (replace(BEFORE, status="closed", updated_at=LATER), False, Verdict.REFUSED, "closed"),
        (replace(BEFORE, status="closed", updated_at=LATER), True, Verdict.LATER, "conflict"),
        (replace(BEFORE, is_ai_agent=True, updated_at=LATER), False, Verdict.REFUSED, "ai_agent"),
        (replace(BEFORE, updated_at=LATER), False, Verdict.LATER, "conflict"),
        (replace(BEFORE, tags=frozenset({"a"})), False, Verdict.LATER, "conflict"),  # within one second
        (BEFORE, False, Verdict.REFUSED, "TicketUpdateFailed"),
    ],
)
def test_a_refusal_is_explained_by_the_ticket_and_not_by_words(
    now: TicketSnapshot | None, closed_ones_can_change: bool, verdict: Verdict, code: str
) -> None:
    found = evidence.explain(BEFORE, now, REFUSAL, closed_ones_can_change=closed_ones_can_change)
    assert (found.verdict, found.code) == (verdict, code)
    assert ("Nicht erlaubt" in found.text) == (verdict is not Verdict.MISSING)


@pytest.mark.parametrize(
    ("now", "sent_at", "is_proof"),
    [
        (BEFORE, datetime(2026, 11, 30, 10, 1, tzinfo=UTC), True),
        (
            BEFORE,
            datetime(2026, 11, 30, 10, 0, 4, tzinfo=UTC),
            False,
        ),  # a second change may have the same stamp
        (replace(BEFORE, updated_at=LATER), datetime(2026, 11, 30, 11, 0, tzinfo=UTC), False),
        (replace(BEFORE, tags=frozenset()), datetime(2026, 11, 30, 11, 0, tzinfo=UTC), False),
    ],
)
def test_an_old_stamp_that_stands_proves_that_nothing_was_done(
    now: TicketSnapshot, sent_at: datetime, is_proof: bool
) -> None:
    assert evidence.is_untouched(BEFORE, now, sent_at) is is_proof
    without_stamp = replace(BEFORE, updated_at="yesterday")
    assert not evidence.is_untouched(without_stamp, without_stamp, sent_at)


def audit(*events: dict[str, Any], at: str = LATER, channel: str = "api") -> Audit:
    return Audit.from_json({"created_at": at, "events": list(events), "via": {"channel": channel}})


def tags(before: Any, after: Any) -> dict[str, Any]:
    return {"type": "Change", "field_name": "tags", "previous_value": before, "value": after}


FIELD = {"type": "Change", "field_name": "priority", "previous_value": None, "value": "high"}
OURS = tags(["a", "b"], ["b", "VIP"])
FIRST = audit({"type": "Comment"}, at="2026-11-29T10:00:00Z", channel="web")
MADE, NOT_MADE, UNCLEAR = DeliveryEvidence.MADE, DeliveryEvidence.NOT_MADE, DeliveryEvidence.UNCLEAR


@pytest.mark.parametrize(
    ("history", "found"),
    [
        ([FIRST, audit(OURS, FIELD)], MADE),
        ([FIRST, audit(OURS, FIELD, tags(["b", "vip"], ["a", "b"]))], MADE),  # undone by a trigger
        ([FIRST, audit(tags("a b", "b vip"), FIELD)], MADE),
        ([FIRST, audit(OURS), audit(FIELD)], MADE),
        ([FIRST, audit(OURS)], NOT_MADE),  # the field was dropped
        ([FIRST, audit(FIELD)], NOT_MADE),
        ([FIRST], NOT_MADE),
        ([FIRST, audit(tags(["a"], ["a", "theirs"]), channel="web")], NOT_MADE),
        ([FIRST, audit(OURS, FIELD, at="2026-11-30T09:59:59Z")], NOT_MADE),  # before the reading
        ([FIRST, audit(OURS, FIELD, at=READ)], MADE),
        ([FIRST, audit(tags(["b", "vip"], ["a", "b"]), at=READ)], NOT_MADE),  # what made it as it was read
        ([FIRST, audit()], UNCLEAR),  # only what remained of it is shown
        ([FIRST, audit(channel="web")], NOT_MADE),
        ([], UNCLEAR),  # archived
    ],
)
def test_the_history_says_whether_the_change_was_made(history: list[Audit], found: DeliveryEvidence) -> None:
    assert evidence.trace_in(history, CHANGE, BEFORE, replace(BEFORE, updated_at=LATER)) is found


@pytest.mark.parametrize(
    ("read_at", "found"),
    [
        ("2026-11-30T19:00:00+09:00", MADE),
        ("2026-11-30T10:00:00.250Z", MADE),
        ("2026-11-30T19:06:00+09:00", NOT_MADE),  # after that update
        ("yesterday", UNCLEAR),
    ],
)
def test_stamps_compare_as_times_and_not_as_texts(read_at: str, found: DeliveryEvidence) -> None:
    before = replace(BEFORE, updated_at=read_at)
    history = [FIRST, audit(tags(["a", "b"], ["b", "vip"]), FIELD)]
    assert evidence.trace_in(history, CHANGE, before, replace(before, updated_at=LATER)) is found


def test_only_what_the_ticket_lacks_is_looked_for(db: None) -> None:
    now = replace(BEFORE, tags=frozenset({"vip", "b"}), updated_at=LATER)
    assert evidence.trace_in([FIRST, audit(FIELD)], CHANGE, BEFORE, now) is MADE


def test_audits_keep_no_words_of_customers() -> None:
    subject = {"type": "Change", "field_name": "subject", "previous_value": "Help", "value": "Help me"}
    text = {"type": "Change", "field_name": "360001", "previous_value": "my name", "value": "Ana"}
    tick = {"type": "Change", "field_name": "360002", "previous_value": None, "value": True}
    read = audit(subject, text, tick, FIELD, {"type": "Notification", "body": "Hello"})
    assert [(one.field, one.before, one.after) for one in read.changes] == [
        ("360002", "", "true"),
        ("priority", "", "high"),
    ]
    assert "Ana" not in repr(read)


def test_failures_of_tickets_that_an_ai_agent_holds_open_no_breaker(demo: Demo) -> None:
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:120]
    for ref in refs[:100]:
        demo.account.set_ai_agent(ref, holds=True)
    demo.account.configure(ai_agent_updates="refused", vague_errors=True)
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("partial", {"changed": 20, "failed": 100})
    assert set(job.items.filter(outcome="failed").values_list("reason", flat=True)) == {"ai_agent"}
