"""Closed tickets: one is sent before the others, and where it is refused the others are not sent at all."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import actions
from jobs.engine import lost_search
from jobs.guards.probes import Probe, Probes, stop_reason
from jobs.models import Item, Job
from jobs.runtime.failpoints import Failpoint
from jobs.states import FollowUp, Status
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit

REFUSED = (
    "Zendesk refused the one closed ticket that was tried first: “Status: closed prevents ticket update”. "
    "Closed tickets can be changed only where an admin has allowed it, in Zendesk's Admin Center under "
    "Objects and rules, Tickets, Settings: “Allow admins to modify specific fields on a closed ticket”."
)


@pytest.fixture(autouse=True)
def lost_answers_are_looked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)


def some(demo: Demo, *, closed: int = 0, others: int = 0) -> tuple[list[int], list[int]]:
    """The numbers of closed tickets and of others, none of them tagged."""

    def free(refs: list[int], number: int) -> list[int]:
        found = [ref for ref in refs if "vip" not in demo.tags(ref)][:number]
        assert len(found) == number
        return found

    return free(demo.closed_tickets, closed), free(demo.open_tickets, others)


def allow(demo: Demo, *, role: str = "admin") -> None:
    demo.account.configure(allow_closed=True, role=role)


def sent(demo: Demo) -> list[int]:
    """The tickets sent, as often as they were, in their order."""
    return sorted(demo.account.ledger.sent.elements())


def job_on(refs: list[int], **options: Any) -> actions.Submission:
    return submit(refs=refs, add=["vip"], closed=True, **options)


def no_meaning(*_: str) -> str:
    return ""


def item(outcome: str, detail: str = "") -> Item:
    return Item(outcome=outcome, reason="code", detail=detail)


def test_after_three_refused_for_reasons_of_their_own_no_more_are_sent() -> None:
    known = Probes()
    for number in (1, 2):
        known = known.after("closed", [item("failed", "no")], no_meaning)
        assert known == Probes({"closed": Probe(refused=number)})
    known = known.after("closed", [item("failed", "No, again")], no_meaning)
    why = "Of the closed ones 3 were sent one by one, and each was refused, the last with: “No, again”."
    assert known == Probes({"closed": Probe(refused=3, why=why)})


def test_a_meaning_is_not_replaced_by_the_count() -> None:
    known = Probes({"closed": Probe(refused=2)})
    assert known.after("closed", [item("failed")], lambda *_: "An admin forbids it.").withheld == {
        "closed": "An admin forbids it."
    }


def test_what_says_nothing_of_the_others_leaves_the_kind_as_it_is() -> None:
    known = Probes({"closed": Probe(refused=1)})
    assert known.after("closed", [item("skipped"), item("unverified")], no_meaning) == known


def test_one_that_was_changed_opens_its_kind_alone() -> None:
    known = Probes({"archived": Probe(refused=1, why="No.")})
    passed = Probes({"archived": Probe(refused=1, why="No."), "closed": Probe(passed=True)})
    assert known.after("closed", [], no_meaning, done=1) == passed
    assert known.after("closed", [item("failed"), item("changed")], no_meaning) == passed
    assert [passed.is_open(kind) for kind in ("closed", "archived", "new", "")] == [True, False, False, True]
    assert (passed.withheld, passed.resumed()) == (
        {"archived": "No."},
        Probes({"closed": Probe(passed=True)}),
    )


def test_items_that_need_no_probe_teach_nothing() -> None:
    assert Probes().after("", [item("failed")], no_meaning) == Probes()


@pytest.mark.parametrize(
    ("left", "number", "them"),
    [(1, "1 ticket was", "it"), (1_200, "1,200 tickets were", "them")],
)
def test_the_sentence_counts_what_was_not_sent(left: int, number: str, them: str) -> None:
    assert stop_reason({"a": "No.", "b": "Never."}, left) == (
        f"Stopped: No. Never. {number} not sent for that. When it is mended, resume: one is tried first "
        f"again. Or cancel, which leaves {them} untouched."
    )


def test_one_refused_ticket_withholds_its_kind_and_the_job_says_what_to_do(demo: Demo) -> None:
    closed, others = some(demo, closed=8, others=120)
    job = run(job_on(closed + others))
    assert (job.status, counts(job)) == ("errored", {"changed": 120, "failed": 1, "remaining": 7})
    assert job.error == (
        f"Stopped: {REFUSED} 7 tickets were not sent for that. When it is mended, resume: one is tried first "
        "again. Or cancel, which leaves them untouched."
    )
    assert sent(demo) == sorted([*others, closed[0]])
    why = job.transitions.get(from_status="running", to_status="running").why
    assert why == f"{REFUSED} The others go on."

    allow(demo)
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, counts(job)) == ("partial", {"changed": 127, "failed": 1})
    assert counts(follow(job, FollowUp.RETRY)) == {"changed": 1}
    assert ["vip" in demo.tags(ref) for ref in closed] == [True] * len(closed)


def test_once_the_probe_passes_all_are_sent_and_undo_does_the_same(demo: Demo) -> None:
    allow(demo)
    closed, others = some(demo, closed=8, others=3)
    job = run(job_on(closed + others))
    assert (job.status, counts(job)) == ("succeeded", {"changed": 11})
    sizes = list(job.batches.order_by("sent_at").values_list("probe", "size"))
    assert sizes == [("closed", 1), ("", 3), ("closed", 7)]
    assert job.kinds == {"closed": 8, "archived": job.kinds["archived"]}
    demo.account.configure(allow_closed=False)
    undo = follow(job, FollowUp.UNDO)
    assert (undo.status, counts(undo)) == ("errored", {"changed": 3, "failed": 1, "remaining": 7})
    allow(demo)
    actions.cancel(job=undo, by=ANA)
    assert counts(follow(undo, FollowUp.REST)) == {"changed": 7}
    assert counts(follow(undo, FollowUp.RETRY)) == {"changed": 1}
    assert ["vip" in demo.tags(ref) for ref in closed + others] == [False] * 11


@pytest.mark.parametrize("number", [1, 6])
def test_a_job_of_closed_tickets_alone_sends_only_its_probe(demo: Demo, number: int) -> None:
    """With one there is nothing to keep back: it fails, and that is all."""
    closed, _ = some(demo, closed=number)
    job = run(job_on(closed))
    assert (job.status, job.failed) == ("partial" if number == 1 else "errored", 1)
    assert sent(demo) == closed[:1]


def test_a_user_who_is_no_admin_gets_a_message_that_says_so(demo: Demo) -> None:
    allow(demo, role="agent")
    closed, _ = some(demo, closed=2)
    job = run(job_on(closed))
    assert (
        "closed prevents ticket update”. Dana Demo, as whom Tag Manager is connected, has the role agent in "
        "Zendesk, and only admins can change closed tickets. 1 ticket was not sent for that."
    ) in job.error


def test_each_resume_probes_one_more_while_it_is_refused(demo: Demo) -> None:
    closed, _ = some(demo, closed=4)
    job = run(job_on(closed))
    for tried in (2, 3):
        actions.resume(job=job, by=ANA)
        job = run(job)
        assert (job.status, job.failed, sent(demo)) == ("errored", tried, closed[:tried])


def test_a_probe_that_proves_nothing_is_followed_by_another(demo: Demo) -> None:
    """One is gone, one is touched by others, one has a fault of its own: none of it speaks of the rest."""
    allow(demo)
    closed, _ = some(demo, closed=6)
    made = job_on(closed)
    run(made, seconds=0.0)
    demo.account.delete(closed[0])
    demo.fault("conflict", ids=closed[1:2], times=1)
    demo.fault("item_error", ids=closed[2:3], times=None, code="RecordInvalid", text="Tags: is too long")
    job = run(made.job)
    assert (job.status, counts(job)) == ("partial", {"skipped": 1, "failed": 1, "changed": 4})
    assert outcomes(job)[closed[1]] == "changed"


def test_three_probes_refused_for_their_own_reasons_withhold_the_kind(demo: Demo) -> None:
    allow(demo)
    closed, _ = some(demo, closed=6)
    demo.fault("poison", ids=closed, times=None)
    job = run(job_on(closed))
    assert (job.status, counts(job)) == ("errored", {"failed": 3, "remaining": 3})
    assert (
        "Of the closed ones 3 were sent one by one, and each was refused, the last with: “Zend" in job.error
    )


@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
def test_a_lost_probe_is_searched_for_before_the_others_are_sent(demo: Demo, kind: str) -> None:
    allow(demo)
    closed, _ = some(demo, closed=5)
    demo.fault(kind)
    job = run(job_on(closed))
    assert (job.status, counts(job)) == ("succeeded", {"changed": 5})
    assert dict(demo.account.ledger.updates) == dict.fromkeys(closed, 1)
    assert job.batches.order_by("sent_at")[0].size == 1


@pytest.mark.parametrize(
    "step", [Failpoint.BATCH_RESERVED, Failpoint.CALL_MADE, Failpoint.SETTLING, Failpoint.SETTLED]
)
def test_the_next_worker_knows_the_probe_of_one_that_died(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, step: Failpoint
) -> None:
    class Died(BaseException):
        pass

    def die(at: Failpoint) -> None:
        if at is step:
            raise Died

    closed, _ = some(demo, closed=5)
    made = job_on(closed)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.runtime.failpoints._listeners", [die])
        with pytest.raises(Died):
            run(made)
    Job.objects.update(lease_token="", lease_owner="", beat_at=None)
    job = run(made.job)
    assert (job.status, counts(job)) == ("errored", {"failed": 1, "remaining": 4})
    assert len(sent(demo)) == 1


def test_the_probe_counts_towards_the_canary(demo: Demo) -> None:
    closed, others = some(demo, closed=4, others=6)
    job = run(job_on(closed + others, canary=3))
    assert (job.status, counts(job)) == ("paused", {"changed": 2, "failed": 1, "remaining": 7})
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, counts(job)) == ("errored", {"changed": 6, "failed": 2, "remaining": 2})


def test_a_requested_pause_does_not_hide_the_stop_and_a_cancel_wins(demo: Demo) -> None:
    closed, _ = some(demo, closed=4)
    for stop, status in ((actions.pause, "errored"), (actions.cancel, "cancelled")):
        made = job_on(closed)

        def click(made: actions.Submission = made, stop: Any = stop) -> None:
            made.job.refresh_from_db()
            if made.job.failed and made.job.status == Status.RUNNING:
                stop(job=made.job, by=ANA)

        assert run(made, tick=click).status == status


def test_a_ticket_closed_after_its_reading_waits_for_a_probe_too(demo: Demo) -> None:
    _, others = some(demo, others=5)
    made = job_on(others)
    run(made, seconds=0.0)
    for ref in others[1:4]:
        demo.account.edit(ref, status="closed")
    made.job.batches.update(read_at=None)
    job = run(made.job)
    assert (job.status, counts(job)) == ("errored", {"changed": 2, "failed": 1, "remaining": 2})


def test_a_dry_run_counts_closed_tickets_and_sends_no_probe(demo: Demo) -> None:
    closed, others = some(demo, closed=6, others=2)
    job = run(job_on(closed + others, dry_run=True))
    assert (job.status, counts(job)) == ("succeeded", {"planned": 8})
    assert (job.kinds["closed"], job.probes, sent(demo)) == (6, {}, [])
    assert job.transitions.get(from_status="selecting", to_status="running").why == (
        f"The list is complete: 8 tickets, 8 would change (6 closed, {job.kinds['archived']} archived)."
    )


@pytest.mark.once
def test_probes_survive_storage() -> None:
    def meaning(kind: str, code: str, text: str) -> str:
        return f"{kind} {text}" if code == "closed" else ""

    failed = [Item(outcome="failed", reason="closed", detail="no")]
    refused = Probes().after("closed", failed, meaning)
    assert refused == Probes({"closed": Probe(refused=1, why="closed no")})
    assert (refused.withheld, refused.is_open("closed"), refused.is_open("")) == (
        {"closed": "closed no"},
        False,
        True,
    )
    assert Probes.from_json(refused.to_json()) == refused
    assert refused.resumed() == Probes()
    passed = Probes().after("closed", [Item(outcome="changed")], meaning)
    assert passed.after("closed", failed, meaning) == passed == passed.resumed()
