"""What a search found is read before anything is decided: it may lag behind the tickets by minutes."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import actions
from jobs.engine import execution, selection
from jobs.engine.batcher import UNREAD
from jobs.models import Job
from jobs.source_spec import Order
from jobs.states import FollowUp
from tagmanager.changes import ticket_work
from tagmanager.intake import sources
from tagmanager.intake.sources import Source, combined
from tagmanager.intake.ticket_filter import TicketFilter
from tests.demo import ANA, Demo, counts, demo_zendesk, follow, outcomes, run, submit

pytestmark = pytest.mark.usefixtures("unverified")

READ = "GET tickets/show_many"
EXPORT = "GET search/export"
COUNT = "GET search/count"


@pytest.fixture
def unverified(settings: Any) -> None:
    """Nothing is read back, so that calls can be counted."""
    settings.VERIFY_WRITES = "off"


@pytest.fixture
def lost(demo: Demo) -> list[int]:
    """Of five tickets that a search for `legacy` finds, these two do not carry it."""
    refs = demo.open_tickets[:5]
    for ref in refs:
        demo.account.edit(ref, add=["legacy"])
    demo.account.configure(search_lag=600)
    for ref in refs[3:]:
        demo.account.edit(ref, remove=["legacy"], add=["billing"])
    return refs[3:]


@pytest.fixture
def kept(demo: Demo, lost: list[int]) -> list[int]:
    """The other three."""
    return demo.open_tickets[:3]


def why_frozen(job: Job) -> str:
    return job.transitions.get(from_status="selecting", to_status="running").why


def rename(pairs: dict[str, str], **options: Any) -> Job:
    made = actions.submit(
        tool="rename-tags",
        title="Rename",
        params={"pairs": pairs},
        source=sources.any_of(list(pairs)).stored,
        by=ANA,
        here=True,
        **options,
    )
    return run(made)


@pytest.mark.parametrize("change", [{"add": ["x"]}, {"remove": ["legacy"]}, {"exact": ["x"]}])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_ticket_without_the_tag_is_not_in_the_job_and_counted_in_its_history(
    demo: Demo, kept: list[int], lost: list[int], change: dict[str, Any], dry_run: bool
) -> None:
    had = {ref: demo.tags(ref) for ref in lost}
    job = run(submit(tag="legacy", dry_run=dry_run, **change))
    assert outcomes(job) == dict.fromkeys(kept, "planned" if dry_run else "changed")
    assert why_frozen(job).endswith(
        "The search found 2 more tickets that do not carry legacy now; not in this job."
    )
    assert {ref: demo.tags(ref) for ref in lost} == had


def test_a_rename_touches_no_ticket_without_an_old_tag(demo: Demo, kept: list[int], lost: list[int]) -> None:
    job = rename({"legacy": "new", "other-old": "new"})
    assert outcomes(job) == dict.fromkeys(kept, "changed")
    assert "2 more tickets that do not carry legacy or other-old now" in why_frozen(job)
    assert ["new" in demo.tags(ref) for ref in lost] == [False, False]


@pytest.mark.parametrize("here", [True, False])
def test_before_is_what_a_reading_saw(demo: Demo, kept: list[int], here: bool) -> None:
    """An agent has added the tag to one of them; the search does not know of it."""
    demo.account.edit(kept[0], add=["vip", "theirs"])
    job = run(submit(search="tags:legacy", add=["vip"], dry_run=not here))
    done = "changed" if here else "planned"
    assert outcomes(job)[kept[0]] == "unchanged"
    assert outcomes(job)[kept[1]] == done
    before = job.items.get(ref=kept[0]).before
    assert before is not None
    assert {"vip", "theirs"} <= set(before["tags"])


def test_filters_are_decided_by_a_reading(demo: Demo, kept: list[int], lost: list[int]) -> None:
    only = TicketFilter(having=frozenset({"billing"}))
    job = run(submit(search="tags:legacy", only=only, add=["x"]))
    with_billing = {ref for ref in (*kept, *lost) if "billing" in demo.tags(ref)}
    assert outcomes(job) == dict.fromkeys(with_billing, "changed")
    assert set(lost) <= with_billing


def test_a_ticket_that_is_deleted_but_still_found_is_reported(demo: Demo, kept: list[int]) -> None:
    demo.account.delete(kept[0])
    job = run(submit(tag="legacy", add=["x"]))
    assert outcomes(job) == {kept[0]: "skipped", kept[1]: "changed", kept[2]: "changed"}
    assert job.items.get(ref=kept[0]).reason == "not_found"


# Several sources


def test_a_part_lists_no_ticket_that_lost_its_tag_but_another_part_may(
    demo: Demo, kept: list[int], lost: list[int]
) -> None:
    source = combined([sources.tag("legacy"), sources.ids([lost[0]])])
    job = run(submit(chosen=source, add=["x"]))
    assert outcomes(job) == dict.fromkeys([*kept, lost[0]], "changed")


@pytest.mark.parametrize("order", [Order.NEWEST, Order.LAST_CHANGED])
@pytest.mark.parametrize("has_other_part", [True, False])
def test_a_sorted_list_holds_none_either(
    demo: Demo, kept: list[int], lost: list[int], order: Order, has_other_part: bool
) -> None:
    more = [sources.ids([lost[0]])] if has_other_part else []
    job = run(submit(chosen=combined([sources.tag("legacy"), *more], [], order), add=["x"]))
    expected = [*kept, lost[0]] if has_other_part else kept
    assert outcomes(job) == dict.fromkeys(expected, "changed")


def test_the_order_by_change_is_that_of_a_reading(demo: Demo, kept: list[int]) -> None:
    for ref, second in zip(kept, (3, 1, 2), strict=True):
        demo.account.edit(ref, add=["touched"])
        demo.account.store.changed[demo.account._slot(ref)] += second
    source = combined([sources.search("tags:legacy")], [], Order.LAST_CHANGED)
    job = run(submit(chosen=source, add=["x"], limit=3))
    assert list(job.items.order_by("pk").values_list("ref", flat=True)) == [kept[0], kept[2], kept[1]]


LEFT_OUT: dict[str, Source] = {
    "a tag": sources.tag("legacy"),
    "a search for the tag": sources.search("tags:legacy"),
    "a search for it in quotes": sources.search('type:ticket tags:"legacy"'),
    "a search for one of two": sources.search("tags:nobody-has-this TAGS:Legacy"),
}


@pytest.mark.parametrize("left_out", LEFT_OUT.values(), ids=LEFT_OUT)
def test_tickets_with_a_tag_are_left_out_as_they_are_now(
    demo: Demo, kept: list[int], lost: list[int], left_out: Source
) -> None:
    gained = demo.open_tickets[5]
    demo.account.edit(gained, add=["legacy"])  # the search does not find it yet
    source = combined([sources.ids([*kept, *lost, gained])], [left_out])
    job = run(submit(chosen=source, add=["x"]))
    assert outcomes(job) == dict.fromkeys(lost, "changed")
    assert demo.calls(EXPORT) == 0
    assert why_frozen(job).endswith("Of those that were read, 4 were left out, as asked.")


@pytest.mark.parametrize("query", ["tags:legacy status<solved", "-tags:legacy", "tags:leg*", "legacy"])
def test_any_other_search_leaves_out_what_it_finds_and_the_history_says_that_it_lags(
    demo: Demo, query: str
) -> None:
    refs = demo.open_tickets[:5]
    source = combined([sources.ids(refs)], [sources.search(query)])
    job = run(submit(chosen=source, add=["x"]))
    assert demo.calls(EXPORT) > 0
    assert "Left out is what Zendesk's search found, and that lags" in why_frozen(job)


# Later


def lose_it_before_it_is_sent(demo: Demo, made: actions.Submission, ref: int) -> Job:
    """Runs the job, and takes `legacy` off the ticket once the list is frozen and put down for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_send_all", lambda lease, *_: lease.release())
        job = run(made)
    assert job.remaining
    demo.account.edit(ref, remove=["legacy"], add=["theirs"])
    job.batches.update(read_at=None)
    return run(job)


@pytest.mark.parametrize("change", [{"add": ["x"]}, {"remove": ["legacy"]}, {"add": ["theirs"]}])
def test_a_ticket_that_loses_the_tag_later_is_skipped(
    demo: Demo, kept: list[int], change: dict[str, Any]
) -> None:
    job = lose_it_before_it_is_sent(demo, submit(tag="legacy", **change), kept[0])
    assert outcomes(job) == {kept[0]: "skipped", kept[1]: "changed", kept[2]: "changed"}
    skipped = job.items.get(ref=kept[0])
    assert (skipped.reason, skipped.detail) == (
        "no_longer_matches",
        "It does not carry legacy, and only tickets that do are to be changed.",
    )
    undone = follow(job, FollowUp.UNDO)
    assert set(outcomes(undone)) == set(kept[1:])
    assert "theirs" in demo.tags(kept[0])


def test_a_list_of_which_one_part_has_no_condition_is_not_asked_for_it_later(
    demo: Demo, kept: list[int]
) -> None:
    source = combined([sources.tag("legacy"), sources.ids([demo.open_tickets[7]])])
    job = lose_it_before_it_is_sent(demo, submit(chosen=source, add=["x"]), kept[0])
    assert outcomes(job)[kept[0]] == "changed"


def test_a_list_of_tags_needs_one_of_them(demo: Demo, kept: list[int]) -> None:
    demo.account.edit(kept[0], add=["gold"])
    source = combined([sources.tag("legacy"), sources.tag("gold")])
    job = lose_it_before_it_is_sent(demo, submit(chosen=source, add=["x"]), kept[0])
    assert outcomes(job)[kept[0]] == "changed"


def test_the_real_run_of_a_preview_keeps_the_condition(demo: Demo, kept: list[int]) -> None:
    dry = run(submit(tag="legacy", add=["x"], dry_run=True))
    demo.account.edit(kept[0], remove=["legacy"])
    real = follow(dry, FollowUp.RUN)
    assert outcomes(real) == {kept[0]: "skipped", kept[1]: "changed", kept[2]: "changed"}
    assert real.items.get(ref=kept[0]).reason == "no_longer_matches"


def test_what_the_job_did_itself_makes_no_stranger(demo: Demo, kept: list[int]) -> None:
    """The answer is lost, and a ticket read back has lost the tag because the job took it off."""
    demo.fault("results_null", times=None)
    job = run(submit(tag="legacy", remove=["legacy"]))
    assert outcomes(job) == dict.fromkeys(kept, "changed")


def test_a_retry_of_what_was_done_after_all_finds_it_unchanged(demo: Demo, kept: list[int]) -> None:
    job = run(submit(tag="legacy", remove=["legacy"]))
    job.items.filter(ref=kept[0]).update(outcome="failed")  # as a wrong answer would have it
    job.batches.update(changed=2, failed=1)
    Job.objects.filter(pk=job.pk).update(changed=2, failed=1, status="partial")
    job.refresh_from_db()
    assert outcomes(follow(job, FollowUp.RETRY)) == {kept[0]: "unchanged"}


# How many calls it takes


def make_many(demo: Demo, number: int) -> list[int]:
    refs = demo.open_tickets[:number]
    for ref in refs:
        demo.account.edit(ref, add=["many"])
    return refs


@pytest.mark.parametrize("source", [sources.tag("many"), sources.search("tags:many")], ids=["tag", "search"])
def test_a_long_list_takes_the_numbers_alone_and_reads_each_once(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, source: Source
) -> None:
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", 200)
    refs = make_many(demo, 250)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_send_all", lambda lease, *_: lease.release())
        job = run(submit(chosen=source, add=["x"]))
    assert (job.total, demo.calls(READ)) == (250, 0)
    assert set(job.items.values_list("before", "batch__key")) == {(None, UNREAD)}
    demo.account.edit(refs[0], remove=["many"])
    job = run(job)
    expected = {"changed": 249, "skipped": 1} if source.stored["kind"] == "tag" else {"changed": 250}
    assert counts(job) == expected
    assert (demo.calls(READ), demo.calls(COUNT) <= 1) == (3, True)


def test_a_short_list_is_read_once_while_it_is_listed(demo: Demo) -> None:
    make_many(demo, 250)
    job = run(submit(tag="many", add=["x"]))
    assert (counts(job), demo.calls(READ), job.calls_write) == ({"changed": 250}, 3, 3)


def test_a_preview_reads_every_ticket_however_many(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", 200)
    make_many(demo, 250)
    job = run(submit(tag="many", add=["x"], dry_run=True))
    assert (counts(job), demo.calls(READ)) == ({"planned": 250}, 3)


def test_a_limit_reads_no_more_than_it_needs(demo: Demo) -> None:
    make_many(demo, 250)
    job = run(submit(tag="many", add=["x"], limit=10))
    assert (counts(job), demo.calls(READ), demo.calls(COUNT)) == ({"changed": 10}, 1, 0)


@pytest.mark.parametrize("size", [100, 250, 1_000])
def test_pages_of_any_size_make_the_same_list_when_it_is_interrupted_everywhere(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(selection, "FINISHES_PAGE_WITHIN", -1.0)
    monkeypatch.setattr(ticket_work, "_export_page", lambda _limit: size)
    with demo_zendesk(settings) as demo:
        refs = make_many(demo, 300)
        demo.account.configure(search_lag=600)
        for ref in refs[:20]:
            demo.account.edit(ref, remove=["many"])
        job = submit(tag="many", add=["x"], here=False).job
        for _ in range(100):
            if job.is_ended:
                break
            run(job, seconds=0.0 if job.frozen_at is None else 60.0)
            job.refresh_from_db()
        assert outcomes(job) == dict.fromkeys(refs[20:], "changed")
        assert "The search found 20 more tickets" in why_frozen(job)
        assert demo.calls(EXPORT) >= 3  # each piece of a page was a time slice of its own


def test_which_searches_are_for_tags_alone() -> None:
    def tags_of(query: str) -> frozenset[str]:
        return sources.equal_tags(sources.search(query).stored)

    assert tags_of("tags:vip") == tags_of("type:ticket tags:VIP") == {"vip"}
    assert tags_of('tags:"area:north" tags:vip') == {"area:north", "vip"}


@pytest.mark.parametrize(
    "query",
    ['tags:"a b"', "tags:none", "tags:v*", "-tags:vip", "tags:vip status:open", "vip", "tags:", "tags:a:b"],
)
def test_which_are_not(query: str) -> None:
    assert sources.equal_tags(sources.search(query).stored) == frozenset()
