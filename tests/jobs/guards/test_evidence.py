"""What is known of each kind of change, and the sentences about it."""

from __future__ import annotations

from datetime import UTC, datetime

from jobs.guards.evidence import SAMPLED_EVERY, Evidence, stop_reason
from jobs.work import Verify

AT = datetime(2026, 11, 30, 14, 3, tzinfo=UTC)
ADD = frozenset({"add"})
NONE: frozenset[str] = frozenset()


def proven() -> Evidence:
    return Evidence().read(ADD, {}, {}, undone=0, at=AT)


def test_a_kind_is_wanted_until_it_is_proven_and_then_once_in_fifty() -> None:
    known = Evidence()
    assert known.wants(ADD, Verify.SAMPLE)
    known = proven()
    wanted = []
    for _ in range(2 * SAMPLED_EVERY):
        wanted.append(known.wants(ADD, Verify.SAMPLE))
        known = known.read(ADD, {}, {}, undone=0, at=AT) if wanted[-1] else known.not_read(ADD)
    assert [place for place, is_wanted in enumerate(wanted) if is_wanted] == [49, 99]


def test_one_batch_is_enough_where_several_are_due() -> None:
    known = proven()
    for _ in range(SAMPLED_EVERY):
        known = known.not_read(ADD)
    assert known.wants(ADD, Verify.SAMPLE)
    assert not known.wants(ADD, Verify.SAMPLE, under_way=ADD)
    assert Evidence().wants(ADD, Verify.SAMPLE, under_way=ADD)  # not proven yet


def test_in_doubt_everything_is_wanted_whatever_was_chosen() -> None:
    for known in (proven().read(NONE, {7: "add"}, {}, undone=0, at=AT), Evidence().warned(["tags"])):
        assert known.is_in_doubt
        assert known.wants(frozenset(), Verify.OFF)
        assert not known.resumed().is_in_doubt


def test_it_survives_its_way_through_the_database() -> None:
    known = proven().read(NONE, {7: "add", 9: "remove"}, {}, undone=3, at=AT).warned(["tags"])
    assert Evidence.from_json(known.to_json()) == known
    assert Evidence.from_json({}) == Evidence()
    assert Evidence().to_json() == {}


def test_only_a_warning_that_did_no_harm_is_tolerated_after_a_resume() -> None:
    harmless = Evidence().warned(["tags"]).resumed()
    assert harmless.tolerated == ("tags",)
    assert not harmless.warned(["tags"]).is_in_doubt
    harmful = Evidence().warned(["tags"]).read(NONE, {7: "tags"}, {}, undone=0, at=AT).resumed()
    assert harmful.tolerated == ()


def test_the_sentence_counts_the_tickets_and_names_one() -> None:
    several = Evidence().read(NONE, {7: "add", 9: "remove"}, {}, undone=0, at=AT)
    assert "2 tickets that it called updated (such as 7) do not show" in stop_reason(several)
    assert "Sent: add; remove." in stop_reason(several)
    assert "ignores “tags” in what was sent" in stop_reason(several.warned(["tags"]))


def test_a_kind_of_which_nothing_was_ever_shown_stops_the_job_once() -> None:
    unclear = Evidence().read(NONE, {}, {7: "add", 9: "add"}, undone=0, at=AT)
    assert unclear.is_in_doubt
    assert Evidence.from_json(unclear.to_json()) == unclear
    again = unclear.resumed().read(NONE, {}, {11: "add"}, undone=0, at=AT)
    assert not again.is_in_doubt


def test_a_kind_that_was_shown_goes_on_although_single_tickets_leave_it_open() -> None:
    assert not proven().read(NONE, {}, {7: "add"}, undone=0, at=AT).is_in_doubt
    assert not Evidence().read(ADD, {}, {7: "add"}, undone=0, at=AT).is_in_doubt


def test_the_sentence_calls_nothing_shown_that_nobody_can_tell() -> None:
    unclear = Evidence().read(NONE, {}, {7: "tags", 9: "tags"}, undone=0, at=AT)
    said = stop_reason(unclear.warned(["tags"]))
    assert said.startswith(
        "Stopped: Zendesk said that it ignores “tags” in what was sent. "
        "2 tickets that Zendesk called updated (such as 7) do not show the change, and the history "
        "cannot be read or does not tell whether it was made."
    )
    assert "all that Zendesk called" not in said
