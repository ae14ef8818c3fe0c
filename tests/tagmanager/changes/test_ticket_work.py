"""What a job on tickets plans for one, sends, and makes of the answers; without any Zendesk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

import zendesk as api
from jobs import errors
from jobs.models import Job
from jobs.states import FollowUp
from jobs.work import (
    Change,
    DeliveryEvidence,
    Fit,
    Phase,
    Plan,
    PreviousResult,
    Result,
    SearchResult,
    Sendable,
    Skipped,
    Unchanged,
    Verdict,
    Verify,
)
from tagmanager.account import connection
from tagmanager.changes import ticket_work, whole_count
from tagmanager.changes.job_options import JobOptions
from tagmanager.changes.ticket_work import PLACE_LIVES, RECENT_JOBS, TRACES_KEPT, TicketWork, work_for
from tagmanager.intake import sources
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.macros.application import ASKED_AT_ONCE
from tagmanager.ticket_change import MacroPreview, TicketChange
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
        self.history: list[api.Audit] | api.ZendeskError = []
        self.histories_read = 0
        self.read_kinds: list[str] = []

    def audits(self, _ref: int, *, kind: str) -> list[api.Audit]:
        assert kind == "verify"
        self.histories_read += 1
        if isinstance(self.history, Exception):
            raise self.history
        return self.history

    def begin_update_many(self, ids: Sequence[int], change: Any) -> Any:
        self.sent.append(("many", list(ids), change))
        return Done(api.JobStatus.from_json({"id": "V3-1", "status": "queued"}))

    def begin_update_each(self, tickets: Any) -> Any:
        self.sent.append(("each", tickets))
        return Done(api.JobStatus.from_json({"id": "V3-2", "status": "queued"}))

    def begin_tickets(self, ids: Sequence[int], kind: str = "read") -> Any:
        self.read_kinds.append(kind)
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


# What a job asks for


@pytest.fixture
def connected(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The options with which the client was made."""
    given: dict[str, Any] = {}

    def connect(**options: Any) -> Api:
        given.update(options)
        return Api()

    monkeypatch.setattr(connection, "connect", connect)
    return given


def test_a_call_waits_by_itself_for_less_than_the_two_seconds_of_a_click(connected: dict[str, Any]) -> None:
    work()
    assert 0 < connected["max_wait"] < 2


@pytest.mark.parametrize(("limit", "page"), [(None, 1_000), (1, 100), (100, 100), (101, 200), (5_000, 1_000)])
def test_a_page_of_an_export_holds_what_the_limit_needs_in_full_batches(
    connected: dict[str, Any], limit: int | None, page: int
) -> None:
    work(limit=limit, source={"kind": "view", "name": "7"})
    assert connected["export_page"] == page


def test_a_filter_needs_whole_pages_whatever_the_limit(connected: dict[str, Any]) -> None:
    only = JobOptions(only=TicketFilter(having=frozenset({"wanted"})))
    work(limit=1, source={"kind": "view", "name": "7"}, options=only)
    assert connected["export_page"] == 1_000


def test_a_call_carries_a_hundred_tickets(zendesk: Api) -> None:
    assert work().batch_size == 100


def test_an_undo_must_last_and_is_read_back_whatever_is_set(zendesk: Api, settings: Any) -> None:
    settings.VERIFY_WRITES = "off"
    undoing = work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO)
    assert (undoing.must_last, undoing.verify) == (True, Verify.ALL)
    assert (work().must_last, work().verify) == (False, Verify.OFF)
    assert work(options=JobOptions(verify="all")).verify is Verify.ALL


# Pages


def pages_of(monkeypatch: pytest.MonkeyPatch, *pages: api.Page[api.Ticket]) -> None:
    monkeypatch.setattr(sources, "pages", lambda *_: iter(pages))


def listed(made: TicketWork, cursor: str = "") -> list[tuple[list[Any], str | None, str, str]]:
    found = made.pages({"kind": "view", "name": "7"}, cursor)
    return [(list(page.items), page.cursor, page.remark, page.broke_off) for page in found]


ODD = "Zendesk listed 1 record without a usable ticket number; it is not in this job. Its id is null."


def test_each_page_gives_its_tickets_as_they_are_and_says_what_is_odd(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages_of(
        monkeypatch,
        api.Page([ticket(1)], "c1", unreadable=("Its id is null.",)),
        api.Page([ticket(2)], None, broke_off="It broke off."),
    )
    monkeypatch.setattr(sources, "gives_refs_only", lambda _: False)
    assert listed(work()) == [
        ([(1, seen("old"))], "c1", ODD, ""),
        ([(2, seen("old"))], None, "", "It broke off."),
    ]


def test_of_a_source_that_gives_numbers_alone_every_page_is_taken(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages_of(
        monkeypatch,
        api.Page([ticket(1)], "c1", unreadable=("Its id is null.",)),
        api.Page([ticket(2)], None, broke_off="It broke off."),
    )
    monkeypatch.setattr(sources, "gives_refs_only", lambda _: True)
    assert listed(work()) == [([(1, {})], "c1", ODD, ""), ([(2, {})], None, "", "It broke off.")]


def test_the_tickets_of_a_count_come_from_the_whole_account_as_of_its_start(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[datetime] = []

    def whole(*_: Any, **options: Any) -> Iterator[Any]:
        began.append(options["began"])
        yield from ()

    monkeypatch.setattr(whole_count, "pages", whole)
    params = {"account": "acme"}
    for started in (NOW, None):
        job = factories.job("queued", tool="count-tags", params=params, started_at=started)
        assert list(TicketWork(job).pages({"kind": "account"}, "")) == []
        assert began.pop() == (started or job.created_at)


@pytest.mark.parametrize(("keeps", "lifetime"), [(True, None), (False, PLACE_LIVES)])
def test_a_cursor_lives_as_long_as_its_source_keeps_it(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch, keeps: bool, lifetime: timedelta | None
) -> None:
    monkeypatch.setattr(sources, "keeps_cursor", lambda _: keeps)
    assert work().cursor_lifetime({"kind": "view", "name": "7"}) == lifetime


def test_a_ticket_fits_unless_the_filter_leaves_it_out(zendesk: Api) -> None:
    source = {"kind": "ids", "name": ""}
    filtered = work(options=JobOptions(only=TicketFilter(having=frozenset({"wanted"}))))
    assert filtered.fit(source, seen("wanted")) is Fit.BELONGS
    assert filtered.fit(source, seen("a")) is Fit.UNWANTED
    assert filtered.fit(source, seen(odd="its status is null")) is Fit.BELONGS
    retry = work(
        options=JobOptions(only=TicketFilter(having=frozenset({"wanted"}))),
        parent=factories.job("succeeded"),
        follow_up=FollowUp.RETRY,
    )
    assert retry.fit(source, seen("a")) is Fit.BELONGS


# Macros that are asked about each ticket


class Macro:
    """A macro of which Zendesk is asked what it makes of each ticket."""

    macro = SimpleNamespace(is_asked_for_each=True)

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def preview(self, tickets: Sequence[api.Ticket]) -> dict[int, MacroPreview]:
        self.asked.append([one.id for one in tickets])
        return {one.id: MacroPreview(frozenset({"vip"})) for one in tickets}


def asking(macro: Macro | None, **fields: Any) -> TicketWork:
    made: Any = work(**fields)
    made._macro, made._asks_each, made.batch_size = macro, macro is not None, 2
    return cast(TicketWork, made)


def test_a_page_is_cut_where_each_ticket_is_asked_about(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    macro = Macro()
    made = asking(macro)
    monkeypatch.setattr(sources, "gives_refs_only", lambda _: False)
    pages_of(monkeypatch, api.Page([ticket(n) for n in (1, 2, 3)], "c1"), api.Page([], None))
    got = [([ref for ref, _ in items], cursor) for items, cursor, *_ in listed(made, "c0")]
    assert got == [([1, 2], "c0"), ([3], "c1"), ([], None)]
    assert [asked for asked in macro.asked if asked] == [[1, 2], [3]]
    pages_of(monkeypatch, api.Page([ticket(1)], "c1"), api.Page([ticket(n) for n in (2, 3, 4)], None))
    got = [([ref for ref, _ in items], cursor) for items, cursor, *_ in listed(made)]
    assert got == [([1], "c1"), ([2, 3], "c1"), ([4], None)]


def test_tickets_that_are_listed_already_come_first_and_are_not_asked_about(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    macro = Macro()
    made = asking(macro)
    made._job.frozen_at = None
    factories.item(made._job, 2, "pending")
    monkeypatch.setattr(sources, "gives_refs_only", lambda _: False)
    pages_of(monkeypatch, api.Page([ticket(n) for n in (1, 2, 3)], None))
    assert [[ref for ref, _ in items] for items, *_ in listed(made)] == [[2], [1, 3]]
    assert macro.asked == [[], [1, 3]]


def test_only_tickets_that_may_be_changed_are_asked_about(zendesk: Api) -> None:
    odd = api.Ticket.unreadable(3, "its status is null")
    tickets = [ticket(1), ticket(2, status="closed"), odd]
    for closed, asked in ((False, [1]), (True, [1, 2])):
        macro = Macro()
        made: Any = asking(macro, options=JobOptions(include_closed=closed))
        made._job.frozen_at = NOW
        assert set(made._snapshots(tickets)) == {1, 2, 3}
        assert macro.asked == [asked]
    macro = Macro()
    made = asking(macro)
    made.reads_ids_only = True
    made._snapshots(tickets)
    assert macro.asked == []


def test_a_list_is_asked_about_what_its_filter_leaves_and_not_a_second_time(zendesk: Api) -> None:
    macro = Macro()
    made: Any = asking(macro, options=JobOptions(only=TicketFilter(having=frozenset({"old"}))))
    factories.item(made._job, 1, "pending")
    tickets = [ticket(1), ticket(2, tags=["a"]), ticket(3), ticket(4, tags=["old"])]
    made._job.frozen_at = None
    made._snapshots(tickets)
    made._job.frozen_at = NOW  # what is read again was meant, whatever it is now
    made._snapshots(tickets)
    assert macro.asked == [[3, 4], [1, 2, 3, 4]]


def test_a_macro_is_not_asked_about_without_need(zendesk: Api) -> None:
    macro = Macro()
    made: Any = asking(macro)
    made._asks_each = False
    made._snapshots([ticket(1)])
    assert macro.asked == []
    assert isinstance(plan(made, seen(status="closed")), Skipped)


def test_a_closed_ticket_is_not_asked_about_and_so_left_out(zendesk: Api) -> None:
    assert plan(asking(Macro()), seen("vip", status="closed")) == Skipped(
        "closed", "The ticket is closed, and closed tickets were not included."
    )
    assert isinstance(plan(asking(Macro()), seen("a")), Change)


# Reading back


def test_what_was_sent_is_read_back_as_a_call_of_its_own_kind(zendesk: Api) -> None:
    made = work()
    assert made.read_back([]).result() == {}
    assert zendesk.read_kinds == []
    assert set(made.read_back([3, 4]).result()) == {3, 4}
    assert zendesk.read_kinds == ["verify"]


def audit(at: str, *added: str) -> api.Audit:
    event = {"type": "Change", "field_name": "tags", "previous_value": [], "value": list(added)}
    return api.Audit.from_json({"created_at": at, "events": [event]})


SENT = Sendable(4, seen("old"), {"add": ["vip"], "remove": []})
LATER = "2026-11-30T10:05:00Z"


def test_a_trace_that_was_found_is_not_looked_up_again_until_the_ticket_changes(zendesk: Api) -> None:
    zendesk.history = [audit(LATER, "vip")]
    made = work()
    for _ in range(2):
        assert made.find_trace(SENT, seen("old", updated_at=LATER)) is DeliveryEvidence.MADE
    assert zendesk.histories_read == 1
    made.find_trace(SENT, seen("old", updated_at="2026-11-30T10:06:00Z"))
    assert zendesk.histories_read == 2


def test_a_trace_that_may_still_come_is_looked_up_again(zendesk: Api) -> None:
    zendesk.history = [audit(LATER, "other")]
    made = work()
    for _ in range(2):
        assert made.find_trace(SENT, seen("old", updated_at=LATER)) is DeliveryEvidence.NOT_MADE
    assert zendesk.histories_read == 2


def test_a_history_that_nobody_may_read_leaves_it_open(zendesk: Api) -> None:
    zendesk.history = api.NotFound("There is none.", status=404)
    assert work().find_trace(SENT, seen("old")) is DeliveryEvidence.UNCLEAR


def test_after_a_history_that_the_user_may_not_read_no_other_is_asked_for(zendesk: Api) -> None:
    zendesk.history = api.NotAllowed("No.", status=403)
    made = work()
    for stamp in (LATER, "2026-11-30T10:06:00Z"):
        assert made.find_trace(SENT, seen("old", updated_at=stamp)) is DeliveryEvidence.UNCLEAR
    assert zendesk.histories_read == 1


def test_no_more_traces_are_kept_than_that(zendesk: Api) -> None:
    zendesk.history = [audit(LATER, "vip")]
    made: Any = work()
    made._traces = {(ref, "x"): DeliveryEvidence.MADE for ref in range(TRACES_KEPT - 1)}
    made.find_trace(SENT, seen("old", updated_at=LATER))
    assert len(made._traces) == TRACES_KEPT
    made.find_trace(SENT, seen("old", updated_at="2026-11-30T10:06:00Z"))
    assert len(made._traces) == 1


@pytest.mark.parametrize(
    ("change", "own", "kind"),
    [
        ({"add": ["a"], "remove": ["b"]}, False, "additional_tags, remove_tags"),
        ({"add": ["a"], "remove": []}, False, "additional_tags"),
        ({"add": [], "remove": ["b"]}, False, "remove_tags"),
        ({"add": ["a"], "remove": []}, True, "tags"),
        ({"add": [], "remove": ["b"]}, True, "tags"),
        (
            TicketChange(fields={"status": "open"}, custom={360: True}).to_json(),
            False,
            "custom_fields, status",
        ),
        (TicketChange(comment="public").to_json(), True, "comment"),
    ],
)
def test_a_kind_of_change_is_named_by_the_keys_that_carry_it(
    zendesk: Api, change: dict[str, Any], own: bool, kind: str
) -> None:
    assert work().kind_of(change, own=own) == kind


def test_checkboxes_go_by_their_numbers(zendesk: Api) -> None:
    work().send(TicketChange(custom={360: True}).to_json(), [Sendable(4)])
    assert zendesk.sent == [("many", [4], {"custom_fields": [{"id": 360, "value": True}]})]


# An undo that Zendesk refuses

DOUBTFUL = TicketChange(fields={"priority": None}).to_json()
REFUSED = {"success": False, "error": "TicketUpdateFailed", "details": "Status: is invalid"}


def test_a_refused_part_of_an_undo_is_sent_again_without_it_once(zendesk: Api) -> None:
    made = work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO)
    results = [{"id": 4, **REFUSED}, {"id": 5, "success": True}, {"id": 6}]
    receipt = made.send(DOUBTFUL, [Sendable(4), Sendable(5), Sendable(6)]).result().id
    zendesk.statuses = [status(receipt, status="working", results=None)]
    assert made.poll([receipt])[receipt].phase is Phase.RUNNING
    zendesk.statuses = [status(receipt, results=results)]
    answered = made.poll([receipt])[receipt].results
    assert {ref: one and one.verdict for ref, one in answered.items()} == {
        4: Verdict.LATER,
        5: Verdict.DONE,
        6: None,
    }
    inner: Any = made
    assert dict(inner._refusals) == {4: 1}
    again = made.poll([receipt])[receipt].results[4]
    assert (again and again.verdict, dict(inner._refusals)) == (Verdict.UNEXPLAINED, {4: 1})


def test_a_ticket_that_is_undone_has_no_refusals_any_more(zendesk: Api) -> None:
    made: Any = work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO)
    made._refusals.update([4, 4, 5])
    receipt = made.send(DOUBTFUL, [Sendable(4)]).result().id
    zendesk.statuses = [status(receipt, refs=(4,))]
    made.poll([receipt])
    assert dict(made._refusals) == {5: 1}


def test_each_own_change_of_an_undo_may_be_refused(zendesk: Api) -> None:
    made = work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO)
    items = [Sendable(4, seen("a"), {"add": ["b"], "remove": []}), Sendable(5, seen("a"), DOUBTFUL)]
    receipt = made.send(None, items).result().id
    zendesk.statuses = [status(receipt, results=[{"id": 5, **REFUSED}])]
    refused = made.poll([receipt])[receipt].results[5]
    assert refused
    assert refused.verdict is Verdict.LATER


def test_only_an_undo_of_such_parts_is_sent_again_after_a_refusal(zendesk: Api) -> None:
    undoing = work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO)
    plain: dict[str, Any] = {"add": ["vip"], "remove": []}
    for made, change in ((work(), DOUBTFUL), (undoing, plain)):
        receipt = made.send(change, [Sendable(4)]).result().id
        zendesk.statuses = [status(receipt, results=[{"id": 4, **REFUSED}])]
        refused = made.poll([receipt])[receipt].results[4]
        assert refused
        assert refused.verdict is Verdict.UNEXPLAINED


# What plans depend on


def test_what_an_earlier_job_wished_and_the_ticket_shows_makes_it_no_stranger(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Any = work()
    monkeypatch.setattr(made, "_conditions", SimpleNamespace(why_stale=lambda _: "It is another one now."))
    done = {"add": ["vip"], "remove": ["old"]}
    stale = Skipped("no_longer_matches", "It is another one now.")
    assert plan(made, seen("old")) == stale
    assert plan(made, seen("vip")) == stale
    assert plan(made, seen("vip"), PreviousResult(seen("old"), None, "changed")) == stale
    assert plan(made, seen("vip"), PreviousResult(seen("old"), done, "planned")) == stale
    assert isinstance(plan(made, seen("vip"), PreviousResult(seen("old"), done, "changed")), Unchanged)


def test_a_field_that_was_not_read_is_not_set(zendesk: Api) -> None:
    made: Any = work()
    assert made._undoable(TicketChange(custom={361: True, 360: True})) == Skipped(
        "field_not_read", "The tool sets 360, 361, and does not name that in reads_of."
    )
    assert made._undoable(TicketChange(fields={"status": "open"})) == Skipped(
        "field_not_read", "The tool sets status, and does not name that in fields_of."
    )


def test_a_guard_goes_along_with_a_change_where_one_was_asked_for(zendesk: Api) -> None:
    found = plan(work(options=JobOptions(guard="bulk")), seen("a"))
    assert isinstance(found, Change)
    assert found.payload["guard"] == "bulk"
    plain = plan(work(), seen("a"))
    assert isinstance(plain, Change)
    assert "guard" not in plain.payload


def test_a_list_of_recent_jobs_is_searched_for_those_alone_that_are_missing(zendesk: Api) -> None:
    zendesk.recent = [status("V3-8"), status("V3-3")]
    made: Any = work()
    assert set(made._look_for(["V3-3"])) == {"V3-3"}


def test_a_result_without_a_number_does_not_make_a_bulk_job_another_one(zendesk: Api) -> None:
    mixed = status("V3-8", results=[{"id": 1, "success": True}, {"index": 1, "success": True}])
    assert found(zendesk, mixed) == "V3-8"


def test_one_that_ended_at_the_very_edge_of_the_clocks_may_be_it(zendesk: Api) -> None:
    message = f"Completed at {NOW - ticket_work.CLOCKS_DIFFER:%Y-%m-%d %H:%M:%S} +0000"
    assert found(zendesk, status("V3-8", message=message)) == "V3-8"


def test_a_ticket_that_is_no_longer_meant_does_not_fit(zendesk: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = work()
    monkeypatch.setattr(made, "_conditions", SimpleNamespace(why_stale=lambda *_: "It is another one now."))
    assert made.fit({"kind": "ids", "name": ""}, seen("a")) is Fit.STALE


def test_a_page_without_questions_stays_whole_and_in_its_order(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = work()
    factories.item(made._job, 150, "pending")
    monkeypatch.setattr(sources, "gives_refs_only", lambda _: False)
    pages_of(monkeypatch, api.Page([ticket(number) for number in range(1, 151)], None))
    assert [[ref for ref, _ in items] for items, *_ in listed(made)] == [list(range(1, 151))]


def test_why_a_record_cannot_be_read_is_said_of_odd_ones_alone(zendesk: Api) -> None:
    odd = seen(odd="its status is null")
    assert work().why_unreadable(odd) == (
        "Zendesk sent a record of the ticket that cannot be read: its status is null."
    )
    assert work().why_unreadable(seen("a")) == ""


def test_a_change_is_not_made_where_an_ai_agent_holds_the_ticket(zendesk: Api) -> None:
    held = work().why_not_made(SENT, seen("old", ai_agent=True))
    assert held
    assert (held.verdict, held.code) == (Verdict.REFUSED, "ai_agent")
    assert work().why_not_made(SENT, seen("old")) is None


def test_what_an_undo_could_not_put_back_is_named(zendesk: Api) -> None:
    emptied = Sendable(4, seen("a"), TicketChange(fields={"priority": None}).to_json())
    stands = seen("a", fields={"priority": "high"})
    undoing = work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO)
    left = undoing.why_not_shown(emptied, stands)
    assert left
    assert (left.verdict, left.code) == (Verdict.REFUSED, "not_taken_back")
    assert undoing.why_not_shown(emptied, seen("a", fields={"priority": None})) is None
    assert work().why_not_shown(emptied, stands) is None


class MacroTool:
    """A tool that applies a macro."""

    def macro_of(self, _params: Any) -> Any:
        return Macro.macro


@pytest.mark.parametrize(("follow_up", "size"), [(FollowUp.NONE, ASKED_AT_ONCE), (FollowUp.UNDO, 100)])
def test_an_undo_of_a_macro_applies_none(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch, follow_up: FollowUp, size: int
) -> None:
    monkeypatch.setattr(ticket_work, "tool", lambda _: MacroTool())
    parent = {"parent": factories.job("succeeded"), "follow_up": follow_up} if follow_up else {}
    made: Any = work(**parent)
    assert (made._macro is None, made._asks_each) == (bool(follow_up), not follow_up)
    assert made.batch_size == size


def test_only_an_undo_remarks_on_what_the_earlier_job_left_open(zendesk: Api) -> None:
    earlier = PreviousResult(seen("old"), {"add": ["vip"], "remove": ["old"]}, "unverified")
    undone = plan(work(parent=factories.job("succeeded"), follow_up=FollowUp.UNDO), seen("vip"), earlier)
    again = plan(work(parent=factories.job("succeeded"), follow_up=FollowUp.RETRY), seen("old"), earlier)
    assert isinstance(undone, Change)
    assert isinstance(again, Change)
    assert (undone.reason, again.reason, again.detail) == ("unverified", "", "")


def test_a_refusal_is_explained_by_the_ticket_as_it_is(zendesk: Api) -> None:
    made, refusal = work(), Result(Verdict.UNEXPLAINED, "TicketUpdateFailed", "No.")
    assert made.explain(SENT, None, refusal, kind_is_open=True).verdict is Verdict.MISSING
    untouched = made.explain(SENT, seen("old"), refusal, kind_is_open=True)
    assert (untouched.verdict, untouched.code) == (Verdict.REFUSED, "TicketUpdateFailed")
    assert made.explain(SENT, seen("a"), refusal, kind_is_open=True).verdict is Verdict.LATER
    closed = seen("old", status="closed")
    assert made.explain(SENT, closed, refusal, kind_is_open=False).code == "closed"


def test_evidence_of_a_macro_is_compared_with_a_ticket_that_has_its_comment_for_certain(zendesk: Api) -> None:
    compared: list[int | None] = []
    made: Any = work()

    def find_evidence(_: object, ref: int | None) -> dict[int, DeliveryEvidence]:
        compared.append(ref)
        return {}

    made._macro = SimpleNamespace(find_evidence=find_evidence)
    made.find_evidence([SENT])
    factories.item(made._job, 7, "changed", batch=factories.batch(made._job, once=False))
    factories.item(made._job, 8, "pending", batch=factories.batch(made._job, once=True))
    made.find_evidence([SENT])
    factories.item(made._job, 9, "changed", batch=factories.batch(made._job, once=True))
    made.find_evidence([SENT])
    assert compared == [None, None, 9]


def test_a_guard_changes_nothing_about_a_ticket_that_needs_no_change(zendesk: Api) -> None:
    assert plan(work(options=JobOptions(guard="bulk")), seen("vip")) == plan(work(), seen("vip"))


def test_a_bulk_job_that_is_known_is_not_asked_about_by_itself(
    zendesk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Api, "job_status")
    zendesk.statuses = [status("V3-1")]
    assert work().poll(["V3-1"])["V3-1"].phase is Phase.OVER


@pytest.mark.parametrize(
    ("change", "tags"),
    [
        ({"add": ["vip"], "remove": []}, ["a", "old", "vip"]),
        ({"add": [], "remove": ["old"]}, ["a"]),
        (TicketChange(fields={"status": "open"}).to_json(), None),
    ],
)
def test_an_own_change_names_the_whole_list_of_tags_only_where_tags_change(
    zendesk: Api, change: dict[str, Any], tags: list[str] | None
) -> None:
    work().send(None, [Sendable(4, seen("a", "old"), change)])
    ((_, (sent,)),) = zendesk.sent
    assert sent.get("tags") == tags
