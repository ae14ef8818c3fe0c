"""Which items get into a job's list, in which order, with which reading, and what is said of the list."""

# ruff: noqa: ARG002 - the protocol has arguments that this work does not need

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution, selection, source_reader
from jobs.errors import CursorExpired
from jobs.list_cursor import ListCursor, listing_progress
from jobs.models import Batch, Job, ListedRefs
from jobs.runtime import failpoints
from jobs.runtime.failpoints import Failpoint
from jobs.source_spec import Order, Stored
from jobs.states import FollowUp
from jobs.work import Change, CompletedCall, Fit, Page, Plan, Skipped, Snapshot, Unchanged
from tests.jobs.engine.scripted import Script, ScriptedWork, batches, run, scripted

ANA = Actor(name="ana")
GIVEN: Stored = {"kind": "ids", "name": ""}


@dataclass
class Sources(Script):
    """What the other side's sources give, by their names."""

    pages: dict[str, list[list[int]]] = field(default_factory=dict)
    changed: dict[int, int | None] = field(default_factory=dict)  # when each item was last changed
    lifetime: timedelta | None = None  # of cursors
    doubts: dict[str, str] = field(default_factory=dict)
    found_only: dict[str, int | None] = field(default_factory=dict)  # give refs only; about how many
    judged: set[str] = field(default_factory=set)  # their items are judged alone
    by_reading: set[str] = field(default_factory=set)  # excluded by reading
    fits: dict[int, Fit] = field(default_factory=dict)
    fits_of: dict[tuple[str, int], Fit] = field(default_factory=dict)  # by the source that found the item
    notes: dict[str, str] = field(default_factory=dict)  # on what they took out
    has_filter: bool = False
    expired: list[tuple[str, str]] = field(default_factory=list)  # cursors that are refused once

    requested: list[tuple[str, str, bool]] = field(
        default_factory=list
    )  # source, cursor, whether for ids only
    doubted: list[tuple[str, int, bool]] = field(default_factory=list)
    may_read_ahead: list[bool] = field(default_factory=list)
    sized: list[str] = field(default_factory=list)


class SourcesWork(ScriptedWork):
    """Reads the sources that the script names."""

    script = Sources()

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.filters_items = self.script.has_filter

    def pages(self, source: Stored, cursor: str) -> Iterator[Page]:
        name = source["name"]
        told = self.script.pages[name]
        for number in range(int(cursor or 0), len(told)):
            if (name, str(number)) in self.script.expired:
                self.script.expired.remove((name, str(number)))
                raise CursorExpired("It is too old.")
            self.script.requested.append((name, str(number), self.reads_ids_only))
            self.script.may_read_ahead.append(self.may_read_ahead())
            self.calls.read += 1
            items = [(ref, {} if name in self.script.found_only else self._item(ref)) for ref in told[number]]
            yield Page(items, None if number + 1 == len(told) else str(number + 1))

    def _item(self, ref: int) -> Snapshot:
        return {"tags": [], "ref": ref}

    def read(self, refs: Sequence[int]) -> CompletedCall[dict[int, Snapshot]]:
        self.script.read.append(list(refs))
        self.calls.read += 1
        return CompletedCall({ref: self._item(ref) for ref in refs if ref not in self.script.gone})

    def cursor_lifetime(self, source: Stored) -> Any:
        return self.script.lifetime

    def completeness_doubt(self, source: Stored, found: int, *, taken_out: bool) -> str:
        self.script.doubted.append((source["name"], found, taken_out))
        return self.script.doubts.get(source["name"], "")

    def finds_refs_only(self, source: Stored) -> bool:
        return source["name"] in self.script.found_only

    def expected_size(self, source: Stored) -> int | None:
        self.script.sized.append(source["name"])
        return self.script.found_only[source["name"]]

    def is_judged_alone(self, source: Stored) -> bool:
        return source.get("name", "") in self.script.judged

    def is_excluded_by_reading(self, source: Stored) -> bool:
        return source["name"] in self.script.by_reading

    def fit(self, source: Stored, seen: Snapshot) -> Fit:
        found_by = (source.get("name", ""), seen["ref"])
        return self.script.fits_of.get(found_by) or self.script.fits.get(seen["ref"], Fit.BELONGS)

    def note_on_stale(self, number: int) -> str:
        return f"{number} had gone stale."

    def note_on_taken_out(self, source: Stored) -> str:
        return self.script.notes.get(source["name"], "")

    def changed_at(self, seen: Snapshot) -> int | None:
        return self.script.changed.get(seen["ref"])


@pytest.fixture
def script(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sources]:
    written = Sources(batch_size=2)
    with scripted(written, settings, monkeypatch):
        settings.JOBS_WORK = "tests.jobs.engine.test_listing.SourcesWork"
        monkeypatch.setattr(SourcesWork, "script", written)
        yield written


def told(name: str) -> Stored:
    """A source of the other side."""
    return {"kind": "told", "name": name, "number": 0}


def several(of: Sequence[Stored], without: Sequence[Stored] = (), order: Order = Order.AS_FOUND) -> Stored:
    return {"kind": "several", "of": [*of], "without": [*without], "order": order.value, "number": 0}


def submitted(source: Stored, **options: Any) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to some tickets",
        params={"add": ["vip"]},
        source={"number": 0, **source},
        by=ANA,
        **options,
    ).job


def listed(job: Job) -> list[int]:
    """The refs of the items in the order in which they were listed."""
    return list(job.items.order_by("pk").values_list("ref", flat=True))


def why_frozen(job: Job) -> str:
    return job.transitions.get(from_status="selecting", to_status="running").why


def in_slices(job: Job, between: Callable[[Job], object] = lambda _: None, most: int = 60) -> list[str]:
    """List the job one page for each time slice; returns the cursors between them."""
    cursors: list[str] = []
    for _ in range(most):
        job = run(job, seconds=0.0)
        if job.frozen_at:
            return cursors
        cursors.append(job.cursor)
        between(job)
    raise AssertionError(f"not frozen after {most} slices: {cursors}")


# Items


def test_each_plan_becomes_an_item_and_is_counted(script: Sources) -> None:
    plans: dict[int, Plan] = {
        1: Change({"add": ["vip"]}, reason="why", detail="Words.", kinds=("closed",)),
        2: Unchanged("is_so", "It is so."),
        3: Skipped("locked", "It is locked."),
        4: Change({"add": ["b"]}, kinds=("closed", "urgent")),
    }
    script.pages, script.plan = {"a": [[1, 2], [3, 4]]}, plans.__getitem__
    job = submitted(told("a"), canary=1)
    job = run(job)
    rows = job.items.order_by("ref").values_list("ref", "outcome", "reason", "detail", "change", "before")
    assert list(rows) == [
        (1, "changed", "why", "Words.", {"add": ["vip"]}, {"tags": [], "ref": 1}),
        (2, "unchanged", "is_so", "It is so.", None, {"tags": [], "ref": 2}),
        (3, "skipped", "locked", "It is locked.", None, {"tags": [], "ref": 3}),
        (4, "pending", "", "", {"add": ["b"]}, {"tags": [], "ref": 4}),
    ]
    assert (job.found, job.total, job.unchanged, job.skipped) == (4, 4, 1, 1)
    assert job.kinds == {"closed": 2, "urgent": 1}
    assert why_frozen(job) == "The list is complete: 4 tickets, 2 to change (2 closed, 1 urgent)."
    assert (job.calls_read, script.read) == (2, [])


def test_a_preview_plans_and_sends_nothing(script: Sources) -> None:
    script.pages = {"a": [[1, 2]]}
    script.plan = lambda ref: Change({"add": ["vip"]}) if ref == 1 else Unchanged()
    job = run(submitted(told("a"), dry_run=True))
    assert (job.status, job.planned, job.unchanged, script.sent) == ("succeeded", 1, 1, [])
    assert why_frozen(job) == "The list is complete: 2 tickets, 1 would change."
    assert job.items.get(ref=1).change == {"add": ["vip"]}
    assert not Batch.objects.exists()


def test_an_item_on_two_pages_or_twice_on_one_is_listed_once(script: Sources) -> None:
    script.pages = {"a": [[5, 3], [3, 9, 5], [1, 9], [1]]}
    job = run(submitted(told("a")))
    assert listed(job) == [5, 3, 9, 1]
    assert script.sent == [[3, 5], [1, 9]]


def test_items_that_do_not_fit_are_left_out_and_counted_by_reason(script: Sources) -> None:
    script.pages, script.has_filter = {"a": [[1, 2, 3], [4]]}, True
    script.fits = {2: Fit.UNWANTED, 3: Fit.STALE, 4: Fit.UNWANTED}
    job = run(submitted(told("a")))
    assert listed(job) == [1]
    assert why_frozen(job) == (
        "The list is complete: 1 tickets, 1 to change. Of those that were read, 2 were left out, as asked. "
        "1 had gone stale."
    )
    assert script.doubted == [("a", 4, False)]


def test_an_item_that_cannot_be_seen_is_listed_for_people_to_know(script: Sources) -> None:
    script.has_filter, script.gone = True, {2}
    script.fits = {1: Fit.UNWANTED, 2: Fit.UNWANTED}
    assert listed(run(submitted(GIVEN, refs=[1, 2]))) == [2]


def test_the_age_of_a_reading_counts_from_its_request(script: Sources) -> None:
    now = timezone.now()
    script.pages = {"a": [[1, 2]]}
    in_slices(submitted(told("a"), canary=1))
    in_slices(submitted(GIVEN, refs=[1, 2], canary=1))
    assert set(Batch.objects.values_list("read_at", flat=True)) == {now}


# Limits


@pytest.mark.parametrize(("limit", "refs"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (9, [1, 2, 3, 4, 5])])
def test_a_limit_cuts_the_list(script: Sources, limit: int, refs: list[int]) -> None:
    script.pages = {"a": [[1, 2], [3, 4], [5]]}
    job = run(submitted(told("a"), limit=limit))
    assert (listed(job), job.total) == (refs, len(refs))
    assert len(script.requested) == (len(refs) + 1) // 2
    assert script.doubted == ([("a", 5, False)] if limit == 9 else [])


def test_a_limit_cuts_several_sources_together(script: Sources) -> None:
    script.pages = {"a": [[1, 2]], "b": [[2, 3], [4]]}
    job = run(submitted(several([told("a"), told("b")]), limit=3))
    assert listed(job) == [1, 2, 3]


@pytest.mark.parametrize(("most", "status"), [(4, "succeeded"), (3, "errored")])
def test_the_installation_limits_each_list(script: Sources, settings: Any, most: int, status: str) -> None:
    settings.JOB_TICKET_LIMIT = most
    script.pages = {"a": [[1, 2], [3, 4]]}
    job = run(submitted(told("a")))
    assert (job.status, job.found) == (status, 4 if most == 4 else 2)
    if status == "errored":
        assert job.error.startswith(
            "The list holds more than 3 tickets, the most that one job may have here."
        )
        assert script.sent == []


def test_a_page_is_requested_ahead_while_time_and_list_last(script: Sources) -> None:
    script.pages = {"a": [[1, 2], [3, 4], [5, 6]]}
    run(submitted(told("a")))
    assert script.may_read_ahead == [True, True, True]
    script.may_read_ahead.clear()
    run(submitted(told("a"), limit=5))
    assert script.may_read_ahead == [True, True, False]  # 5, 3 and 1 are missing, and a page has 2
    script.may_read_ahead.clear()
    run(submitted(told("a"), limit=4))
    assert script.may_read_ahead == [True, False]
    script.may_read_ahead.clear()
    job = submitted(told("a"))
    run(job, seconds=2.0)
    run(job, seconds=2.1)
    assert script.may_read_ahead == [False] * 3


# Slices and stops


def test_a_list_read_over_many_slices_comes_out_the_same(script: Sources) -> None:
    script.pages = {"a": [[1, 2], [3, 4], [5]], "b": [[5, 6], [7]], "out": [[3], [6]]}
    source = several([told("a"), GIVEN, told("b")], [told("out")])
    job = submitted(source, lists={1: [8, 9, 1, 3]})
    cursors = [ListCursor.parse(cursor) for cursor in in_slices(job)]
    assert [(cursor.stage, cursor.at) for cursor in cursors] == [
        *[(0, "1"), (1, "")],  # what is taken out
        *[(1, "1"), (1, "2"), (2, "")],
        *[(2, "0:2"), (2, "1:0")],
        (3, "1"),
    ]
    assert listed(job) == [1, 2, 4, 5, 8, 9, 7]
    assert [ask for ask in script.requested if ask[2]] == [("out", "0", True), ("out", "1", True)]
    assert [ask[:2] for ask in script.requested if not ask[2]] == [
        *[("a", "0"), ("a", "1"), ("a", "2")],
        *[("b", "0"), ("b", "1")],
    ]
    job.refresh_from_db()
    assert list(job.listed.values_list("part", flat=True)) == [1]
    assert "3 were left out, as asked." in why_frozen(job)
    assert script.doubted == [("out", 2, True), ("a", 5, False), ("b", 3, False)]


def test_a_cursor_that_is_refused_sends_the_list_back_to_the_start_of_its_source(script: Sources) -> None:
    script.pages, script.expired = {"a": [[1]], "b": [[2], [3], [4]]}, [("b", "2")]
    job = submitted(several([told("a"), told("b")]))
    job = run(job)
    assert job.status == "selecting"
    assert (ListCursor.parse(job.cursor), job.cursor_at) == (ListCursor(1, "", {0: 1}, {0: 0}, {0: 0}), None)
    job = run(job)
    assert (listed(job), job.status) == ([1, 2, 3, 4], "succeeded")
    assert [ask[:2] for ask in script.requested] == [
        *[("a", "0"), ("b", "0"), ("b", "1")],
        *[("b", "0"), ("b", "1"), ("b", "2")],
    ]
    assert script.doubted == [("a", 1, False), ("b", 3, False)]


@pytest.mark.parametrize(("minutes", "first"), [(9, "1"), (10, "1"), (11, "0"), (-11, "0"), (None, "0")])
def test_a_cursor_is_trusted_for_its_lifetime(script: Sources, minutes: int | None, first: str) -> None:
    script.pages, script.lifetime = {"a": [[1], [2]]}, timedelta(minutes=10)
    job = run(submitted(told("a")), seconds=0.0)
    at = None if minutes is None else timezone.now() - timedelta(minutes=minutes)
    Job.objects.update(cursor_at=at)
    job = run(job)
    assert [ask[1] for ask in script.requested] == (["0", "1"] if first == "1" else ["0", "0", "1"])
    assert listed(job) == [1, 2]


@pytest.mark.parametrize("kind", ["forever", "given"])
def test_a_cursor_that_cannot_age_is_kept(script: Sources, kind: str) -> None:
    script.pages = {"a": [[1, 2], [3]]}
    if kind == "given":
        script.lifetime = timedelta(0)
    job = submitted(told("a")) if kind == "forever" else submitted(GIVEN, refs=[1, 2, 3])
    run(job, seconds=0.0)
    Job.objects.update(cursor_at=None)
    run(job)
    assert listed(job) == [1, 2, 3]
    assert [ask[1] for ask in script.requested] == (["0", "1"] if kind == "forever" else [])
    assert script.read == ([] if kind == "forever" else [[1, 2], [3]])


def test_the_cursor_of_a_plain_source_is_stored_bare_as_earlier_versions_did(script: Sources) -> None:
    script.pages = {"a": [[1], [2]]}
    assert run(submitted(told("a")), seconds=0.0).cursor == "1"
    script.has_filter = True
    assert ListCursor.parse(run(submitted(told("a")), seconds=0.0).cursor).read == {0: 1}


@pytest.mark.parametrize("order", [Order.AS_FOUND, Order.OLDEST])
@pytest.mark.parametrize(("click", "status"), [(actions.pause, "paused"), (actions.cancel, "cancelled")])
def test_a_page_that_was_read_after_a_click_is_dropped(
    script: Sources, monkeypatch: pytest.MonkeyPatch, order: Order, click: Any, status: str
) -> None:
    script.pages = {"a": [[1], [2], [3]]}
    job = submitted(several([told("a")], [], order))
    clicks = [click]

    def listener(point: Failpoint) -> None:
        if point is Failpoint.FENCE_PASSED and clicks and len(script.requested) == 1:
            clicks.pop()(job=Job.objects.get(), by=ANA)

    monkeypatch.setattr(failpoints, "_listeners", [listener])
    job = run(job)
    assert (job.status, job.frozen_at) == (status, None)
    assert ListCursor.parse(job.cursor).at == "1"
    if status == "paused":
        actions.resume(job=job, by=ANA)
        assert listed(run(job)) == [1, 2, 3]


def test_a_click_after_the_last_page_leaves_nothing_to_read(
    script: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.pages, script.has_filter = {"a": [[1], [2]]}, True
    job = submitted(told("a"))

    def listener(point: Failpoint) -> None:
        if point is Failpoint.PAGE_WRITTEN and len(script.requested) == 2:
            actions.pause(job=Job.objects.get(), by=ANA)

    monkeypatch.setattr(failpoints, "_listeners", [listener])
    assert (run(job).status, ListCursor.parse(Job.objects.get().cursor).stage) == ("paused", 1)
    monkeypatch.setattr(failpoints, "_listeners", [])
    actions.resume(job=Job.objects.get(), by=ANA)
    assert run(job).status == "succeeded"
    assert (listed(job), len(script.requested)) == ([1, 2], 2)


def test_a_click_before_the_list_is_sorted_stops_the_job(
    script: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.pages = {"a": [[2, 1]]}
    job = submitted(several([told("a")], [], Order.OLDEST))
    points: list[Failpoint] = []

    def listener(point: Failpoint) -> None:
        points.append(point)
        if point is Failpoint.FENCE_PASSED and points.count(point) == 2:
            actions.pause(job=Job.objects.get(), by=ANA)

    monkeypatch.setattr(failpoints, "_listeners", [listener])
    assert run(job).status == "paused"
    assert list(job.listed.values_list("part", flat=True)) == [2]
    actions.resume(job=job, by=ANA)
    assert listed(run(job)) == [1, 2]


def test_a_small_jobs_list_that_turns_out_long_is_left_to_another_worker(script: Sources) -> None:
    script.pages = {"a": [[1, 2], [3], [4]], "out": [[7, 8], [9], [6]]}
    for source in (told("a"), several([told("a")], [told("out")])):
        job = submitted(source)
        execution.run(job.pk, seconds=60, max_items=2)
        job.refresh_from_db()
        assert (job.status, job.lease_token) == ("selecting", "")
        progress = listing_progress(job)
        assert (job.found, progress.gathered) == ((3, 0) if source["kind"] == "told" else (0, 3))
        assert run(job).found == 4


# Combined


def test_what_is_taken_out_is_known_before_the_first_item(script: Sources) -> None:
    script.pages = {"a": [[1, 2, 3]], "out": [[2]]}
    script.doubts = {"out": "It may have more."}
    job = run(submitted(several([told("a")], [told("out")])))
    assert (job.status, job.error, job.found) == ("errored", "It may have more.", 0)
    assert script.doubted == [("out", 1, True)]


def test_a_doubt_about_what_is_listed_is_told_and_stops_nothing(script: Sources) -> None:
    script.pages = {"a": [[1], [2]], "b": [[2, 3]]}
    script.doubts = {"a": "A may have more.", "b": "So may B."}
    job = run(submitted(several([told("a"), told("b"), GIVEN]), lists={2: [3, 4]}))
    assert (job.status, job.found) == ("succeeded", 4)
    assert why_frozen(job) == "The list has ended: 4 tickets, 4 to change. A may have more. So may B."
    assert script.doubted == [("a", 2, False), ("b", 2, False)]


def test_of_a_plain_source_its_items_are_counted(script: Sources) -> None:
    script.pages = {"a": [[1, 2], [2, 3]]}
    run(submitted(told("a")))
    assert script.doubted == [("a", 3, False)]


def test_a_source_that_is_excluded_by_reading_is_not_listed(script: Sources) -> None:
    script.pages = {"a": [[1, 2, 3]], "out": [[2]], "read": [[3]]}
    script.by_reading, script.fits = {"read"}, {3: Fit.UNWANTED}
    script.notes = {"out": "Noted.", "read": "Noted."}
    job = run(submitted(several([told("a")], [told("read"), told("out"), GIVEN]), lists={3: [9]}))
    assert listed(job) == [1]
    assert [ask[0] for ask in script.requested] == ["out", "a"]
    assert script.doubted == [("read", 0, True), ("out", 1, True), ("a", 3, False)]
    assert why_frozen(job) == (
        "The list is complete: 1 tickets, 1 to change. Of those that were read, 2 were left out, as asked. "
        "Noted."
    )


ORDERS = [
    (Order.OLDEST, [1, 2, 3, 5, 8]),
    (Order.NEWEST, [8, 5, 3, 2, 1]),
    (Order.LONGEST_UNCHANGED, [5, 2, 8, 1, 3]),
    (Order.LAST_CHANGED, [1, 8, 2, 5, 3]),
]


@pytest.mark.parametrize(("order", "refs"), ORDERS)
def test_a_list_of_several_sources_is_sorted(
    script: Sources, monkeypatch: pytest.MonkeyPatch, order: Order, refs: list[int]
) -> None:
    monkeypatch.setattr(ListedRefs, "LISTED_PER_ROW", 2)
    monkeypatch.setattr(source_reader, "REFS_AT_ONCE", 2)
    script.pages = {"a": [[2, 8], [5]], "out": [[4]]}
    script.changed = {2: 20, 8: 30, 5: 10, 1: 40, 3: None, 4: 15}
    job = submitted(several([told("a"), GIVEN], [told("out")], order), lists={1: [1, 4, 3, 2]})
    in_slices(job)
    job = run(job)
    assert listed(job) == refs
    assert list(job.listed.order_by("number").values_list("part", "refs")) == [(1, "1 4"), (1, "3 2")]
    assert why_frozen(job).endswith(" 1 were left out, as asked.")
    assert [ask for ask in script.requested if not ask[2]] == []


@pytest.mark.parametrize("order", [Order.OLDEST, Order.LAST_CHANGED])
def test_what_is_taken_out_is_never_read(script: Sources, earlier: Job, order: Order) -> None:
    script.pages |= {"a": [[1, 7, 9]], "out": [[7]]}
    script.found_only, script.judged, script.changed = {"out": None}, {"out"}, {9: 1}
    job = submitted(several([told("a")], [told("out"), items_of(earlier, ["changed"])], order), canary=1)
    in_slices(job)
    assert (listed(job), job.items.count()) == ([9], 1)
    assert {ref for refs in script.read for ref in refs} == {9}


def test_the_limit_of_a_sorted_list_takes_its_first_items(script: Sources) -> None:
    script.pages = {"a": [[2, 8], [5]]}
    job = run(submitted(several([told("a")], [], Order.NEWEST), limit=2))
    assert listed(job) == [8, 5]


# Items of an earlier job


@pytest.fixture
def earlier(script: Sources) -> Job:
    """A job of which 1 to 3 were changed, 4 was skipped for a reason, 5 for another."""
    script.pages = {"earlier": [[1, 2, 3, 4, 5]]}
    plans: dict[int, Plan] = {4: Skipped("locked", "It is locked."), 5: Skipped("gone", "It is gone.")}
    planned, script.plan = script.plan, lambda ref: plans.get(ref) or Change({"add": ["vip"]})
    job = run(submitted(told("earlier")))
    script.plan = planned
    script.sent.clear()
    script.requested.clear()
    return job


def items_of(job: Job, outcomes: Sequence[str], reason: str = "") -> Stored:
    return {"kind": "items", "job": job.pk, "outcomes": [*outcomes], "reason": reason, "name": ""}


@pytest.mark.parametrize(
    ("outcomes", "reason", "refs"),
    [
        (["changed"], "", [1, 2, 3]),
        (["skipped"], "locked", [4]),
        (["changed", "skipped"], "", [1, 2, 3, 4, 5]),
    ],
)
def test_items_of_an_earlier_job_are_chosen_by_outcome_and_reason(
    script: Sources, earlier: Job, outcomes: list[str], reason: str, refs: list[int]
) -> None:
    job = submitted(items_of(earlier, outcomes, reason))
    cursors = in_slices(job)
    assert listed(job) == refs
    assert cursors == [str(ref) for ref in refs[1::2]] + ([str(refs[-1])] if len(refs) % 2 else [])
    assert script.read == [refs[start : start + 2] for start in range(0, len(refs), 2)]


def test_items_of_an_earlier_job_can_be_taken_out_and_sorted(
    script: Sources, earlier: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_reader, "REFS_AT_ONCE", 2)
    script.pages["a"] = [[1, 9, 5]]
    job = submitted(several([told("a"), items_of(earlier, ["skipped"])], [items_of(earlier, ["changed"])]))
    assert len(in_slices(job)) >= 3
    assert listed(job) == [9, 5, 4]
    job = run(submitted(several([items_of(earlier, ["changed"])], [], Order.NEWEST)))
    assert listed(job) == [3, 2, 1]


def test_what_is_taken_out_of_an_earlier_job_is_not_listed(script: Sources, earlier: Job) -> None:
    script.pages["a"] = [[2, 4]]
    job = run(submitted(several([items_of(earlier, ["changed", "skipped"])], [told("a")])))
    assert listed(job) == [1, 3, 5]


def test_requests_for_single_items_go_on_to_follow_ups_alone(script: Sources, earlier: Job) -> None:
    earlier.items.filter(ref=1).update(given={"add": ["gold"]})
    new, retry = (submitted(items_of(earlier, ["changed"])) for _ in range(2))
    Job.objects.filter(pk=retry.pk).update(parent=earlier, follow_up=FollowUp.RETRY)
    for job in (new, retry):
        in_slices(Job.objects.get(pk=job.pk))
    given = [list(job.items.order_by("ref").values_list("given", flat=True)) for job in (new, retry)]
    assert given == [[None] * 3, [{"add": ["gold"]}, None, None]]


# Read late


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", 3)
    monkeypatch.setattr(source_reader, "UNREAD_PER_PAGE", 2)
    monkeypatch.setattr(ListedRefs, "LISTED_PER_ROW", 3)


UNREAD = "What each needs is looked up right before it is sent."


@pytest.mark.parametrize(
    ("refs", "options", "is_late"),
    [
        (4, {}, True),
        (3, {}, False),
        (7, {"dry_run": True}, False),
    ],
)
def test_a_long_list_that_people_gave_is_read_right_before_it_is_sent(
    script: Sources, late: None, refs: int, options: Any, is_late: bool
) -> None:
    job = submitted(GIVEN, refs=range(1, refs + 1), canary=1, **options)
    in_slices(job)
    assert (UNREAD in why_frozen(job)) == is_late
    assert listed(job) == list(range(1, refs + 1))


def test_a_filter_reads_every_item_of_a_long_list_first(script: Sources, late: None) -> None:
    script.has_filter, script.fits = True, {2: Fit.UNWANTED}
    job = run(submitted(GIVEN, refs=range(1, 6)))
    assert listed(job) == [1, 3, 4, 5]


def test_a_long_part_of_a_job_is_read_late(script: Sources, late: None, earlier: Job) -> None:
    job = submitted(items_of(earlier, ["changed", "skipped"]), canary=1)
    in_slices(job)
    assert UNREAD in why_frozen(job)
    job = submitted(items_of(earlier, ["changed"]), canary=1)
    in_slices(job)
    assert UNREAD not in why_frozen(job)


def test_a_long_sorted_list_is_read_late_and_keeps_its_order(script: Sources, late: None) -> None:
    script.pages = {"a": [[2, 8], [5]], "out": [[8]]}
    job = submitted(several([told("a"), GIVEN], [told("out")], Order.NEWEST), lists={1: [9, 1, 4]}, canary=1)
    in_slices(job)
    assert (listed(job), UNREAD in why_frozen(job)) == ([9, 5, 4, 2, 1], True)


# Sources that only find refs


@pytest.mark.parametrize(
    ("size", "options", "is_late"),
    [
        (4, {}, True),
        (3, {}, False),
        (None, {}, False),
        (9, {"limit": 3}, False),
        (9, {"limit": 4}, True),
        (9, {"dry_run": True}, False),
    ],
)
def test_what_a_search_finds_is_read_now_or_late_by_its_expected_size(
    script: Sources, late: None, size: int | None, options: Any, is_late: bool
) -> None:
    script.pages, script.found_only = {"a": [[1, 2, 3], [4, 5], [6]]}, {"a": size}
    job = submitted(told("a"), canary=1, **options)
    in_slices(job)
    found = list(range(1, options.get("limit", 6) + 1))
    assert (listed(job), UNREAD in why_frozen(job)) == (found, is_late)
    assert len(script.sized) == (0 if options in ({"dry_run": True}, {"limit": 3}) else 1)


@pytest.mark.parametrize(("refs", "is_late"), [([1, 2, 3], False), ([1, 2, 3, 4], True)])
def test_the_only_page_of_a_search_shows_its_size(
    script: Sources, late: None, refs: list[int], is_late: bool
) -> None:
    script.pages, script.found_only = {"a": [refs]}, {"a": 99}
    job = submitted(told("a"), canary=1)
    in_slices(job)
    assert (UNREAD in why_frozen(job), script.sized) == (is_late, [])


def test_an_empty_search_makes_an_empty_list(script: Sources) -> None:
    script.pages, script.found_only = {"a": [[]], "b": []}, {"a": None, "b": None}
    job = run(submitted(several([told("a"), told("b")])))
    assert (job.status, job.total, script.requested[0][0]) == ("succeeded", 0, "a")


def test_a_page_of_a_search_is_read_in_pieces_and_counted_as_one(script: Sources) -> None:
    script.pages, script.found_only = {"a": [[1, 2, 3, 4, 5, 1], [6]]}, {"a": None}
    script.judged, script.fits = {"a"}, {2: Fit.UNWANTED, 4: Fit.STALE}
    job = run(submitted(told("a")))
    assert listed(job) == [1, 3, 5, 6]
    assert script.read == [[1, 2], [3, 4], [5], [6]]
    assert script.doubted == [("a", 6, False)]
    assert "1 were left out, as asked. 1 had gone stale." in why_frozen(job)


def test_a_page_that_was_read_in_part_is_not_read_again(
    script: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "FINISHES_PAGE_WITHIN", 0.0)
    script.pages, script.found_only = {"a": [[1, 2, 3, 4, 5], [6]]}, {"a": None}
    job = submitted(told("a"))
    run(job, seconds=0.0)
    assert (listed(job), ListCursor.parse(Job.objects.get().cursor).at) == ([1, 2], "")
    job = run(job)
    assert listed(job) == [1, 2, 3, 4, 5, 6]
    assert script.read == [[1, 2], [3, 4], [5], [6]]
    assert script.doubted == [("a", 6, False)]


def test_the_items_of_a_judged_source_are_judged_before_they_are_sorted(script: Sources) -> None:
    script.pages, script.found_only = {"a": [[2, 8], [5]], "b": [[5, 7]]}, {"a": None}
    script.judged, script.fits = {"a"}, {8: Fit.STALE, 5: Fit.UNWANTED}
    job = run(submitted(several([told("a"), told("b")], [], Order.NEWEST)))
    # 5 is listed for the other source, and left out there for the job's own reason.
    assert listed(job) == [7, 2]
    assert script.read[:2] == [[2, 8], [5]]
    assert [ask for ask in script.requested if ask[0] == "b"] == [("b", "0", True)]


def test_an_item_is_judged_by_the_source_that_found_it(script: Sources) -> None:
    script.pages, script.found_only = {"a": [[2, 8], [5]], "b": [[5, 7]]}, {"a": None}
    script.judged, script.fits_of = {"a"}, {("a", 8): Fit.STALE, ("a", 5): Fit.STALE}
    job = run(submitted(several([told("a"), told("b")], [], Order.NEWEST)))
    assert listed(job) == [7, 5, 2]
    assert "2 had gone stale." in why_frozen(job)


def test_a_limit_is_met_in_the_middle_of_a_page_that_is_read_in_pieces(script: Sources) -> None:
    script.pages, script.found_only = {"a": [[1, 2, 3, 4, 5], [6]]}, {"a": None}
    job = run(submitted(told("a"), limit=3))
    assert (listed(job), job.status) == ([1, 2, 3], "succeeded")


def test_a_change_that_an_earlier_job_may_have_made_is_read_again_before_it_is_sent(
    script: Sources, earlier: Job
) -> None:
    script.plan = lambda ref: Change({"note": ref}, own=True, once=True)
    options: dict[str, Any] = {"parent": earlier, "follow_up": FollowUp.RETRY, "canary": 1}
    job = submitted(items_of(earlier, ["changed"]), **options)
    in_slices(job)
    assert batches(job, "read_at") == [(None,)] * 2
    first = submitted(items_of(earlier, ["changed"]), canary=1)
    in_slices(first)
    assert None not in [read_at for (read_at,) in batches(first, "read_at")]
