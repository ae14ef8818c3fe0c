"""What a job on tickets plans for one, sends, and makes of the answers; without any Zendesk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import zendesk as api
from jobs import errors
from jobs.models import Job
from jobs.states import FollowUp
from jobs.work import Change, Phase, Plan, PreviousResult, SearchResult, Sendable, Skipped, Unchanged
from tagmanager.account import connection
from tagmanager.changes.job_options import JobOptions
from tagmanager.changes.ticket_work import RECENT_JOBS, TicketWork, work_for
from tagmanager.intake.ticket_filter import TicketFilter
from tests import factories

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Api:
    """A client that answers what a test wrote down."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.statuses: list[api.JobStatus] = []  # what show_many answers
        self.recent: list[api.JobStatus] = []
        self.single: dict[str, api.JobStatus] = {}
        self.looked_at = 0
        self.is_closed = False

    def begin_update_many(self, ids: Sequence[int], change: Any) -> Any:
        self.sent.append(("many", list(ids), change))
        return Done(api.JobStatus.from_json({"id": "V3-1", "status": "queued"}))

    def begin_update_each(self, tickets: Any) -> Any:
        self.sent.append(("each", tickets))
        return Done(api.JobStatus.from_json({"id": "V3-2", "status": "queued"}))

    def begin_tickets(self, ids: Sequence[int]) -> Any:
        return Done([ticket(number) for number in ids])

    def job_statuses(self, ids: Sequence[str]) -> list[api.JobStatus]:
        return [status for status in self.statuses if status.id in ids]

    def job_status(self, number: str) -> api.JobStatus:
        if number not in self.single:
            raise api.NotFound("There is none.", status=404)
        return self.single[number]

    def recent_job_statuses(self) -> Iterator[api.JobStatus]:
        for status in self.recent:
            self.looked_at += 1
            yield status

    def close(self) -> None:
        self.is_closed = True


class Done:
    """A call of the client that is over."""

    is_done = True

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def on_done(self, notify: Callable[[], None]) -> None:
        notify()

    def result(self) -> Any:
        return self.answer

    def discard(self) -> None:
        pass


def ticket(number: int, **fields: Any) -> api.Ticket:
    return api.Ticket.from_json(
        {"id": number, "status": "open", "tags": ["old"], "updated_at": "2026-11-30T10:00:00Z"} | fields
    )


def status(number: str = "V3-9", refs: Sequence[int] = (1, 2), **fields: Any) -> api.JobStatus:
    """A bulk job that has changed these tickets."""
    results = [{"id": ref, "success": True, "status": "Updated"} for ref in refs]
    return api.JobStatus.from_json(
        {"id": number, "status": "completed", "total": len(refs), "results": results} | fields
    )


@pytest.fixture
def zendesk(db: None, monkeypatch: pytest.MonkeyPatch) -> Api:
    client = Api()
    monkeypatch.setattr(connection, "connect", lambda **_: client)
    return client


def work(**fields: Any) -> TicketWork:
    params = fields.pop("params", {"add": ["vip"], "remove": ["old"], "set": []})
    options = fields.pop("options", JobOptions()).to_json()
    return TicketWork(factories.job("running", params=params, options=options, **fields))


def seen(*tags: str, status: str = "open", **fields: Any) -> dict[str, Any]:
    return {"tags": [*tags], "status": status, "updated_at": "2026-11-30T10:00:00Z"} | fields


# Planning


def plan(work: TicketWork, now: Any, earlier: PreviousResult | None = None) -> Plan:
    return work.plan(7, now, earlier, None)


def test_a_ticket_that_needs_the_change_gets_it(zendesk: Api) -> None:
    found = plan(work(), seen("a", "old"))
    assert isinstance(found, Change)
    assert (found.payload, found.own, found.once) == ({"add": ["vip"], "remove": ["old"]}, False, False)
    assert (found.probe, found.kinds, found.reason, found.detail) == ("", (), "", "")


def test_what_cannot_be_changed_is_left_out_with_the_reason(zendesk: Api) -> None:
    assert plan(work(), None) == Skipped(
        "not_found", "There is no such ticket, or the connected user may not see it."
    )
    assert plan(work(), seen(status="deleted")) == Skipped("deleted", "The ticket has been deleted.")
    assert plan(work(), seen(status="closed")) == Skipped(
        "closed", "The ticket is closed, and closed tickets were not included."
    )
    assert isinstance(plan(work(), seen("vip")), Unchanged)


def test_a_closed_ticket_that_is_included_goes_with_its_kind(zendesk: Api) -> None:
    found = plan(work(options=JobOptions(include_closed=True)), seen(status="closed"))
    assert isinstance(found, Change)
    assert (found.probe, found.kinds[:1]) == ("closed", ("closed",))


def test_an_exact_list_is_each_tickets_own(zendesk: Api) -> None:
    found = plan(work(params={"add": [], "remove": [], "set": ["x"]}), seen("a"))
    assert isinstance(found, Change)
    assert found.own
    assert not found.once


def test_a_filter_leaves_out_what_would_change_and_reports_what_needs_nothing(zendesk: Api) -> None:
    filtered = work(options=JobOptions(only=TicketFilter(having=frozenset({"wanted"}))))
    assert filtered.filters_items
    assert isinstance(plan(filtered, seen("wanted")), Change)
    left_out = plan(filtered, seen("a"))
    assert isinstance(left_out, Skipped)
    assert left_out.reason == "no_longer_matches"
    assert isinstance(plan(filtered, seen("vip")), Unchanged)


def test_a_job_without_a_filter_and_a_follow_up_filter_nothing(zendesk: Api) -> None:
    assert not work().filters_items
    parent = factories.job("succeeded")
    only = JobOptions(only=TicketFilter(having=frozenset({"wanted"})))
    assert not work(options=only, parent=parent, follow_up=FollowUp.RETRY).filters_items


def test_an_undo_takes_back_what_was_done(zendesk: Api) -> None:
    parent = factories.job("succeeded")
    undoing = work(parent=parent, follow_up=FollowUp.UNDO)
    done = PreviousResult(seen("old"), {"add": ["vip"], "remove": ["old"]}, "changed")
    found = plan(undoing, seen("vip"), done)
    assert isinstance(found, Change)
    assert found.payload == {"add": ["old"], "remove": ["vip"]}
    assert isinstance(plan(undoing, seen("vip"), None), Unchanged | Skipped)


def test_why_a_kind_is_withheld_is_said_for_closed_tickets_alone(zendesk: Api) -> None:
    assert "Status: closed" in work().why_withheld(
        "closed", "closed", "Status: closed prevents ticket update"
    )
    assert work().why_withheld("closed", "TicketUpdateFailed", "Group: is not allowed") == ""


def test_a_change_shows_in_the_tags(zendesk: Api) -> None:
    change = {"add": ["vip"], "remove": ["old"]}
    assert work().is_applied(change, seen("vip"))
    assert not work().is_applied(change, seen("vip", "old"))


# Reading


def test_tickets_are_read_as_what_is_stored_of_them(zendesk: Api) -> None:
    call = work().read([3, 4])
    assert {ref: snapshot["tags"] for ref, snapshot in call.result().items()} == {3: ["old"], 4: ["old"]}


def test_no_tickets_need_no_call(zendesk: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Api, "begin_tickets")
    assert work().read([]).result() == {}


def test_the_last_change_is_a_number_if_it_is_a_time(zendesk: Api) -> None:
    assert work().changed_at(seen()) == int(datetime(2026, 11, 30, 10, tzinfo=UTC).timestamp())
    assert work().changed_at(seen(updated_at="soon")) is None


def test_the_connection_is_closed_with_the_work(zendesk: Api) -> None:
    work().close()
    assert zendesk.is_closed


# Sending


def test_a_common_change_is_added_and_removed_and_never_a_whole_list(zendesk: Api) -> None:
    receipt = work().send({"add": ["vip", "b"], "remove": ["old"]}, [Sendable(4), Sendable(7)]).result()
    assert receipt.id == "V3-1"
    work().send({"add": ["vip"], "remove": []}, [Sendable(4)])
    work().send({"add": [], "remove": ["old"]}, [Sendable(4)])
    assert zendesk.sent == [
        ("many", [4, 7], {"additional_tags": ["b", "vip"], "remove_tags": ["old"]}),
        ("many", [4], {"additional_tags": ["vip"]}),
        ("many", [4], {"remove_tags": ["old"]}),
    ]


def test_an_own_change_is_refused_where_somebody_touched_the_ticket(zendesk: Api) -> None:
    before = seen("a", "old")
    work().send(None, [Sendable(4, before, {"add": ["vip"], "remove": ["old"]})])
    ((_, (sent,)),) = zendesk.sent
    assert sent == {
        "id": 4,
        "tags": ["a", "vip"],
        "updated_stamp": "2026-11-30T10:00:00Z",
        "safe_update": True,
    }


# Answers


def test_a_batch_is_answered_by_its_bulk_job(zendesk: Api) -> None:
    zendesk.statuses = [status("V3-1"), status("V3-2", status="working", results=None, progress=1)]
    answers = work().poll(["V3-1", "V3-2"])
    assert [(receipt, answer.phase) for receipt, answer in answers.items()] == [
        ("V3-1", Phase.OVER),
        ("V3-2", Phase.RUNNING),
    ]
    assert set(answers["V3-1"].results) == {1, 2}


def test_a_bulk_job_that_is_left_out_is_looked_for_by_itself_and_among_the_recent(zendesk: Api) -> None:
    zendesk.statuses = [status("V3-1")]
    zendesk.single = {"V3-2": status("V3-2")}
    zendesk.recent = [status("V3-8"), status("V3-3")]
    answers = work().poll(["V3-1", "V3-2", "V3-3", "V3-4"])
    assert [answer.phase for answer in answers.values()] == [Phase.OVER] * 3 + [Phase.GONE]
    assert answers["V3-4"].text == "Zendesk does not know its bulk job any more."


def test_the_recent_bulk_jobs_are_not_looked_through_forever(zendesk: Api) -> None:
    zendesk.recent = [status(f"V3-{number}") for number in range(1_000, 1_000 + 2 * RECENT_JOBS)]
    work().poll(["V3-1"])
    assert zendesk.looked_at == RECENT_JOBS
    zendesk.looked_at = 0
    work().find_lost([Sendable(8)], set(), NOW)
    assert zendesk.looked_at == RECENT_JOBS


# Lost batches


def found(zendesk: Api, *recent: api.JobStatus, known: set[str] | None = None) -> str | SearchResult:
    zendesk.recent = [*recent]
    return work().find_lost([Sendable(1), Sendable(2)], known or set(), NOW)


def test_a_lost_batch_is_the_bulk_job_with_its_tickets(zendesk: Api) -> None:
    others = status("V3-7", refs=(1, 3))
    assert found(zendesk, others, status("V3-8")) == "V3-8"
    assert found(zendesk, status("V3-8", results=[{"id": 1, "success": True}])) == "V3-8"
    assert found(zendesk, status("V3-8", total=None)) == "V3-8"
    assert found(zendesk) is SearchResult.ABSENT


@pytest.mark.parametrize(
    "other",
    [
        status("V3-8", refs=(1, 3)),
        status("V3-8", refs=(1, 2), total=3),
        status("V3-8", results=[]),
        status("V3-8", results=[{"index": 0, "success": True}]),
    ],
)
def test_another_bulk_job_is_not_taken_for_it(zendesk: Api, other: api.JobStatus) -> None:
    assert found(zendesk, other) is SearchResult.ABSENT


def test_one_that_is_known_is_not_taken_for_it(zendesk: Api) -> None:
    assert found(zendesk, status("V3-8"), known={"V3-8"}) is SearchResult.ABSENT


def test_one_under_way_may_be_it(zendesk: Api) -> None:
    working = status("V3-8", status="working", results=None)
    assert found(zendesk, working) is SearchResult.UNCLEAR
    assert found(zendesk, working, status("V3-9")) == "V3-9"
    assert found(zendesk, working, known={"V3-8"}) is SearchResult.ABSENT
    assert found(zendesk, status("V3-8", status="working", results=None, total=5)) is SearchResult.ABSENT


@pytest.mark.parametrize(
    ("ended", "is_it"), [(timedelta(minutes=-3), False), (timedelta(minutes=-1), True), (timedelta(0), True)]
)
def test_one_that_ended_before_the_batch_was_sent_is_not_it(
    zendesk: Api, ended: timedelta, is_it: bool
) -> None:
    message = f"Completed at {NOW + ended:%Y-%m-%d %H:%M:%S} +0000"
    assert found(zendesk, status("V3-8", message=message)) == ("V3-8" if is_it else SearchResult.ABSENT)


def test_without_the_list_of_bulk_jobs_nobody_can_tell(zendesk: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> list[api.JobStatus]:
        raise api.NotFound("There is no such list.", status=404)

    monkeypatch.setattr(zendesk, "recent_job_statuses", missing)
    assert found(zendesk) is SearchResult.UNCLEAR


def test_only_a_macro_leaves_evidence(zendesk: Api) -> None:
    assert work().find_evidence([Sendable(1)]) == {}


# The work of a job


def test_an_unknown_tool_needs_a_person(zendesk: Api) -> None:
    with pytest.raises(errors.NeedsPerson):
        work_for(factories.job("running", tool="no-such-tool"))
    assert isinstance(work_for(factories.job("running")), TicketWork)


def test_a_missing_connection_needs_a_person(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise connection.NotConnected("Name the account.")

    monkeypatch.setattr(connection, "connect", refuse)
    with pytest.raises(errors.NeedsPerson, match="Name the account"):
        work_for(factories.job("running"))


def test_calls_are_counted_by_kind_and_signing_in_is_not(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def connect(**options: Any) -> Api:
        given.update(options)
        return Api()

    monkeypatch.setattr(connection, "connect", connect)
    made = work()
    for kind in ("read", "read", "write", "status", "token"):
        given["on_call"](CallOf(kind))
    assert (made.calls.read, made.calls.write, made.calls.status) == (2, 1, 1)
    assert given["may_read_ahead"]() is False
    made.may_read_ahead = lambda: True
    assert given["may_read_ahead"]() is True
    before: list[str] = []
    given["before_call"]()
    made.before_call = lambda: before.append("called")
    given["before_call"]()
    assert before == ["called"]
    assert Job.objects.count() == 1


class CallOf:
    def __init__(self, kind: str) -> None:
        self.kind = kind
