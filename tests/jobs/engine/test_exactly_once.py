"""A change that must not be made twice, a comment, when Zendesk has a bad day or a worker dies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from jobs import actions
from jobs.actions import Submission
from jobs.engine import lost_search
from jobs.states import FollowUp
from tests.demo import ANA, Demo, counts, follow, outcomes, run
from zendesk import sandbox as zd

MARK = "a-mark-of-this-test"
NOTE: dict[str, Any] = {
    "macro": zd.MACRO_NOTE,
    "macro_title": "Note: checked by the night shift",
    "add": ["night_shift"],
    "remove": [],
    "set": [],
    "fields": {},
    "left_out": [],
    "internal_note": "Checked by the night shift.",
    "mark": MARK,
    "include_closed": False,
}


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost answers are looked for, and believed in, without a pause."""
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    monkeypatch.setattr(lost_search, "ABSENCE_CONFIRM_DELAY", 0.0)


def note(refs: Iterable[int], *, here: bool = True, **options: Any) -> Submission:
    """A job that tags each ticket and posts an internal note on it."""
    source = {"kind": "ids", "name": ""}
    return actions.submit(
        tool="apply-macro",
        title="A note",
        params=NOTE,
        source=source,
        refs=refs,
        by=ANA,
        here=here,
        **options,
    )


def posted(demo: Demo) -> dict[int, int]:
    return dict(demo.account.ledger.internal_comments)


def test_each_ticket_gets_the_comment_with_its_mark_and_its_readers_are_named(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    assert counts(run(note(refs))) == {"changed": 3}
    for ref in refs:
        (audit,) = demo.account.audits.for_ticket(ref)
        assert audit.comment is not None
        assert (audit.comment.html, audit.comment.public) == ("Checked by the night shift.", False)
        assert (audit.custom, audit.macro_id) == ({"tag_manager": MARK}, zd.MACRO_NOTE)
        assert "night_shift" in demo.tags(ref)


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("reset_after", {}),
        ("server_error_after", {"status": 500}),
        ("truncated", {}),
        ("html", {}),
        ("reset_before", {}),
        ("server_error_before", {"status": 502}),
        ("results_null", {}),
        ("results_object", {}),
        ("results_missing", {"count": 7}),
        ("job_failed", {"done": 9}),
        ("job_killed", {"done": 9}),
        ("conflict", {"count": 5}),
        ("item_error", {"ids": [1]}),
    ],
)
def test_every_ticket_gets_the_comment_once_whichever_answer_is_lost(
    demo: Demo, kind: str, params: dict[str, Any]
) -> None:
    refs = demo.open_tickets[:12]
    demo.fault(kind, **params)
    job = run(note(refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert posted(demo) == dict.fromkeys(refs, 1)


@pytest.mark.parametrize("after", ["reset_after", "results_null"])
def test_tags_that_look_done_do_not_prove_that_the_comment_was_posted(demo: Demo, after: str) -> None:
    """Somebody set the same tag by hand; or took it off again, and the comment is there."""
    refs = demo.open_tickets[:4]
    demo.fault("job_failed", done=2)
    demo.fault(after, after=1)
    made = note(refs)

    def work_by_hand() -> None:
        if demo.account.ledger.sent:
            demo.account.edit(refs[0], remove=["night_shift"])
            demo.account.edit(refs[3], add=["night_shift"])

    job = run(made, tick=work_by_hand)
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert posted(demo) == dict.fromkeys(refs, 1)


def test_a_ticket_that_breaks_its_batch_is_isolated_without_posting_twice(demo: Demo) -> None:
    refs = demo.open_tickets[:12]
    demo.fault("poison", ids=[refs[5]], times=None)
    job = run(note(refs))
    assert outcomes(job) == {ref: "failed" if ref == refs[5] else "changed" for ref in refs}
    assert posted(demo) == dict.fromkeys(set(refs) - {refs[5]}, 1)


def test_a_later_comment_in_a_history_without_marks_needs_a_person(demo: Demo) -> None:
    demo.account.configure(keeps_metadata=False)
    refs = demo.open_tickets[:3]
    demo.fault("reset_before", times=2)
    demo.fault("reset_after", after=2)
    made = note(refs)

    def write_on_one() -> None:
        if not demo.account.audits.for_ticket(refs[1]) and made.job.items.exists():
            demo.account.edit(refs[1], comment="I have looked at this.")

    job = run(made, tick=write_on_one)
    assert set(outcomes(job).values()) == {"unverified"}
    assert set(job.items.values_list("reason", flat=True)) == {"untold"}
    assert posted(demo) == {refs[0]: 1, refs[2]: 1}


def test_a_batch_that_zendesk_forgot_is_not_sent_again(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    demo.account.configure(scale=1000.0)  # it is still to be done, and nobody can ask
    demo.fault("job_gone")
    job = run(note(refs))
    assert outcomes(job) == dict.fromkeys(refs, "unverified")
    assert demo.calls("PUT tickets/update_many") == 1


def test_a_retry_checks_first_and_sends_only_what_is_missing(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_MAX_JOBS = 1
    refs = demo.open_tickets[:103]
    demo.fault("unauthorized", on="GET /api/v2/job_statuses", times=None)
    demo.fault("item_error", ids=refs[:2])
    job = run(note(refs))
    actions.cancel(job=job, by=ANA, force=True)
    assert counts(job) == {"unverified": 100, "remaining": 3}
    demo.account.faults.clear()

    retry = follow(job, FollowUp.RETRY)
    assert outcomes(retry) == dict.fromkeys(refs[:2], "changed") | dict.fromkeys(refs[2:100], "unchanged")
    assert set(retry.items.filter(outcome="unchanged").values_list("reason", flat=True)) == {"made_before"}
    rest = follow(job, FollowUp.REST)
    assert outcomes(rest) == dict.fromkeys(refs[100:], "changed")
    assert posted(demo) == dict.fromkeys(refs, 1)


def test_a_second_follow_up_posts_nothing_that_the_first_posted(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    preview = run(note(refs, dry_run=True))
    assert counts(follow(preview, FollowUp.RUN)) == {"changed": 3}
    again = follow(preview, FollowUp.RUN)
    assert counts(again) == {"unchanged": 3}
    assert again.items.filter(reason="made_before").count() == 3
    assert posted(demo) == dict.fromkeys(refs, 1)
    assert demo.calls("GET tickets/{ticket_id}/audits") == 0


def test_an_undo_takes_back_the_tags_and_leaves_the_comment(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    before = {ref: demo.tags(ref) for ref in refs}
    undo = follow(run(note(refs)), FollowUp.UNDO)
    assert counts(undo) == {"changed": 3}
    assert {ref: demo.tags(ref) for ref in refs} == before
    assert posted(demo) == dict.fromkeys(refs, 1)
    assert set(undo.items.values_list("reason", flat=True)) == {"comment_stays"}
