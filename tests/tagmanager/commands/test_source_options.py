"""Choosing on the command line: several sources, some left out, only some, in an order; a careful start."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest

from jobs.models import Job
from tests.demo import Demo, outcomes, run, submit
from tests.processes import Ran, command
from zendesk import sandbox as zd

UNSOLVED, URGENT = str(zd.VIEW_UNSOLVED), str(zd.VIEW_URGENT)


class Terminal(StringIO):
    """Somebody sits there and types."""

    def isatty(self) -> bool:
        return True


class Impatient(Terminal):
    """Somebody answers the first question, and presses Ctrl-C at the second."""

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        line = super().readline(-1 if size is None else size)
        if not line:
            raise KeyboardInterrupt
        return line


def tag_tickets(*arguments: str) -> Ran:
    return command("tag_tickets", *arguments, "--add", "brand-new")


def in_view(demo: Demo, view: int) -> set[int]:
    return set(demo.account.view_ticket_ids(view))


def with_tag(demo: Demo, tag: str) -> set[int]:
    return {ref for ref in demo.account.ticket_ids() if tag in demo.tags(ref)}


def test_a_view_and_not_a_tag(demo: Demo) -> None:
    ran = tag_tickets("--view", UNSOLVED, "--not-tag", "vip", "--yes")
    job = Job.objects.get()
    expected = in_view(demo, zd.VIEW_UNSOLVED) - with_tag(demo, "vip")
    assert (ran.code, set(outcomes(job)), with_tag(demo, "brand-new")) == (0, expected, expected)
    assert job.title == "Add brand-new to tickets of view “All unsolved tickets”, only those that lack vip"
    assert (job.source["kind"], job.chosen_options["only"]) == ("view", {"lack": ["vip"]})


def test_all_options_that_choose_tickets_together(demo: Demo, tmp_path: Path) -> None:
    vips, refunds = with_tag(demo, "vip"), with_tag(demo, "refund")
    unsolved, urgent = sorted(in_view(demo, zd.VIEW_UNSOLVED)), in_view(demo, zd.VIEW_URGENT)
    numbers = demo.open_tickets[-3:]
    more, spared = tmp_path / "more.csv", tmp_path / "spared.csv"
    more.write_text("id\n" + "".join(f"{ref}\n" for ref in demo.closed_tickets[:9]))
    spared.write_text("".join(f"{ref}\n" for ref in unsolved[:5]))
    earlier = run(submit(refs=unsolved[5:9], add=["x"]))
    ran = tag_tickets(
        *("--view", UNSOLVED, "--view", URGENT, "--search", "tags:vip", "--tag", "refund"),
        *("--ids", ",".join(map(str, numbers[:2])), "--ids", str(numbers[2]), "--ids-file", str(more)),
        *("--not-view", URGENT, "--not-search", "tags:billing", "--not-ids", f"{unsolved[9]}"),
        *("--not-ids-file", str(spared), "--not-job", str(earlier.pk)),
        *("--status", "open", "--status", "pending", "--sort", "newest", "--limit", "20", "--dry-run"),
    )  # fmt: skip
    job = Job.objects.latest("pk")
    united = {*unsolved, *urgent, *vips, *refunds, *numbers, *demo.closed_tickets[:9]}
    left = united - urgent - with_tag(demo, "billing") - set(unsolved[:10])
    fitting = {ref for ref in left if demo.account.ticket(ref).status in ("open", "pending")}
    assert (ran.code, sorted(outcomes(job))) == (0, sorted(fitting)[-20:])
    assert job.title.startswith(
        "Add brand-new to tickets of view “All unsolved tickets” and tickets of view “Urgent and unsolved”"
    )


def test_the_question_names_an_upper_bound_of_the_tickets(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    ran = tag_tickets("--view", URGENT, "--ids", "1", "--not-tag", "vip", "--sort", "oldest", "--limit", "5")
    number = len(in_view(demo, zd.VIEW_URGENT)) + 1
    assert (ran.code, Job.objects.count()) == (4, 0)
    assert (
        "Add brand-new to tickets of view “Urgent and unsolved” and 1 ticket given by number, only those "
        f"that lack vip; the 5 oldest (at most {number})? [y/N]"
    ) in ran.out


def test_archived_tickets_are_reached_by_search_and_by_number_and_can_be_left_out(demo: Demo) -> None:
    closed, seen = demo.closed_tickets, in_view(demo, zd.VIEW_NOT_ARCHIVED)
    archived = [ref for ref in closed if ref not in seen]
    ran = tag_tickets("--search", "status:closed", "--not-ids", ",".join(map(str, archived[1:])), "--dry-run")
    job = Job.objects.get()
    assert (ran.code, set(outcomes(job))) == (0, set(closed) - set(archived[1:]))
    ran = tag_tickets("--ids", str(archived[1]), "--having", "nobody-has-this", "--dry-run")
    assert (ran.code, outcomes(Job.objects.latest("pk"))) == (0, {})
    assert archived[0] in outcomes(job)


def test_a_tool_with_its_own_tickets_takes_the_other_options_too(demo: Demo) -> None:
    vips = with_tag(demo, "vip") & set(demo.open_tickets)
    spared = sorted(vips)[:2]
    numbers = ",".join(map(str, spared))
    ran = command("rename_tags", "--pair", "vip=gold", "--not-ids", numbers, "--sort", "newest", "--yes")
    assert (ran.code, with_tag(demo, "gold")) == (0, vips - set(spared))
    assert Job.objects.get().source == {
        "kind": "several",
        "of": [{"kind": "tag", "tag": "vip"}],
        "without": [{"kind": "ids", "name": "", "number": 2, "doubles": 0}],
        "order": "newest",
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--not-view", UNSOLVED], "Say which tickets: give --view, --search,"),
        (["--view", UNSOLVED, "--not-view", "4711"], "--not-view: There is no view 4711 in Zendesk"),
        (["--ids", "1", "--not-ids", "x"], "--not-ids: Line 1: 'x' is not a ticket number."),
        (["--ids", "1", "--not-search", "created:soonish"], "--not-search: Zendesk cannot search for this."),
        (["--ids", "1", "--not-job", "9"], "--not-job: There is no job 9 here."),
        (["--ids", "1", "--having", "p!"], "--having: p! would be stored as p"),
        (["--ids", "1", "--having", "a", "--lacking", "a"], "--lacking: No ticket can both have a"),
        (["--ids", "1", "--status", "ajar"], "--status: The states are new, open, pending, hold,"),
        (["--ids", "1,2", "--first", "2"], "--first: There are 2 tickets, so it cannot be tried on 2 first."),
        (["--ids", "1,2", "--first", "2", "--limit", "2"], "--first: The job ends after 2 tickets"),
        (["--ids-file", "-", "--not-ids-file", "-"], "Only one thing can be read from standard input."),
    ],
)  # fmt: skip
@pytest.mark.once
def test_unusable_options_are_refused_in_the_words_of_the_form(
    demo: Demo, arguments: list[str], sentence: str
) -> None:
    ran = command("tag_tickets", *arguments, "--add", "a", "--yes")
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert sentence in ran.err


@pytest.mark.once
def test_rows_name_their_tickets_themselves(demo: Demo, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,add,remove\n1,a,\n")
    ran = command("tag_tickets", "--rows", str(rows), "--view", "1", "--not-ids", "1", "--yes")
    assert (ran.code, ran.err) == (2, "Each row says its ticket. Leave out --view, --not-ids.\n")


# A careful start


def careful(demo: Demo, *arguments: str) -> tuple[Ran, Job, list[int]]:
    refs = demo.open_tickets[:6]
    ran = tag_tickets("--ids", ",".join(map(str, refs)), "--first", "2", *arguments)
    return ran, Job.objects.get(), refs


def test_the_first_are_changed_and_a_yes_changes_the_others(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\nyes\n"))
    ran, job, refs = careful(demo)
    assert (ran.code, job.status, outcomes(job)) == (0, "succeeded", dict.fromkeys(refs, "changed"))
    assert (
        "Tried on the first 2 tickets: 2 changed. Look at them: going on sends the other 4, stopping leaves "
        "them as they are. Go on? [y/N]"
    ) in ran.out


def test_a_no_leaves_the_job_paused_and_says_how_to_go_on(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\nno\n"))
    ran, job, refs = careful(demo)
    assert (ran.code, job.status, with_tag(demo, "brand-new")) == (5, "paused", set(refs[:2]))
    assert f"manage.py jobs resume {job.pk}" in ran.out


def test_without_anybody_to_ask_the_job_stays_paused(demo: Demo) -> None:
    ran, job, refs = careful(demo, "--yes")
    assert (ran.code, job.status, job.remaining) == (5, "paused", 4)
    assert f"manage.py jobs resume {job.pk}" in ran.out
    assert command("jobs", "resume", str(job.pk)).code == 0
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")


def test_ctrl_c_at_the_question_cancels(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Impatient("yes\n"))
    ran, job, refs = careful(demo)
    assert (ran.code, job.status, with_tag(demo, "brand-new")) == (130, "cancelled", set(refs[:2]))


def test_the_real_run_of_a_careful_preview_asks_too(demo: Demo) -> None:
    _, preview, refs = careful(demo, "--dry-run")
    ran = command("jobs", "run", str(preview.pk), "--yes")
    assert (ran.code, with_tag(demo, "brand-new")) == (5, set(refs[:2]))
