"""`tag_tickets --rows`: each row its own change, from the file to taking it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.models import Job
from jobs.states import FollowUp
from tests.demo import Demo, follow
from tests.processes import command

pytestmark = pytest.mark.once


def rows_for(demo: Demo, number: int) -> dict[int, tuple[str, str]]:
    """Every third ticket gets one tag, every third another, and the others lose one that they have."""
    rows = {}
    for place, ref in enumerate(demo.open_tickets[:number]):
        first = min(demo.tags(ref), default="none")
        rows[ref] = [("east", ""), ("west far_west", "none"), ("", first)][place % 3]
    return rows


def wished(demo: Demo, rows: dict[int, tuple[str, str]]) -> dict[int, set[str]]:
    return {
        ref: demo.tags(ref) - set(remove.split()) | set(add.split()) for ref, (add, remove) in rows.items()
    }


def file_of(path: Path, rows: dict[int, tuple[str, str]]) -> str:
    path.write_text(
        "id,add,remove\n" + "".join(f"{ref},{add},{remove}\n" for ref, (add, remove) in rows.items())
    )
    return str(path)


def test_each_ticket_gets_the_change_of_its_row_and_it_can_be_taken_back(demo: Demo, tmp_path: Path) -> None:
    rows = rows_for(demo, 300)
    before, after = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}, wished(demo, rows)
    ran = command("tag_tickets", "--rows", file_of(tmp_path / "rows.csv", rows), "--yes")
    job = Job.objects.get()
    assert (ran.code, job.title) == (0, "Change the tags of 300 tickets of rows.csv, row by row")
    assert {ref: demo.tags(ref) for ref in before} == before | after
    changed = sum(after[ref] != before[ref] for ref in rows)
    assert (job.changed, job.unchanged) == (changed, 300 - changed)
    follow(job, FollowUp.UNDO)
    assert {ref: demo.tags(ref) for ref in before} == before


def test_tickets_with_the_same_change_are_sent_together(demo: Demo, tmp_path: Path) -> None:
    rows = {ref: (("east", "west")[place % 2], "") for place, ref in enumerate(demo.open_tickets[:200])}
    command("tag_tickets", "--rows", file_of(tmp_path / "rows.csv", rows), "--yes")
    assert Job.objects.get().calls_write == 2


def test_rows_that_all_differ_are_sent_together_too(demo: Demo, tmp_path: Path) -> None:
    rows = {ref: (f"order_{place}", "") for place, ref in enumerate(demo.open_tickets[:150])}
    before, after = {ref: demo.tags(ref) for ref in rows}, wished(demo, rows)
    command("tag_tickets", "--rows", file_of(tmp_path / "rows.csv", rows), "--yes")
    job = Job.objects.get()
    assert (job.calls_write, job.changed) == (2, 150)
    assert {ref: demo.tags(ref) for ref in rows} == after
    follow(job, FollowUp.UNDO)
    assert {ref: demo.tags(ref) for ref in rows} == before


def test_what_failed_is_retried_with_the_change_of_its_row(demo: Demo, tmp_path: Path) -> None:
    rows = {ref: (f"tag_{place}", "") for place, ref in enumerate(demo.open_tickets[:6])}
    poor = list(rows)[:2]
    demo.fault("item_error", ids=poor, code="TicketUpdateFailed", text="No.", times=None)
    assert command("tag_tickets", "--rows", file_of(tmp_path / "rows.csv", rows), "--yes").code == 3
    demo.account.faults.clear()
    retry = follow(Job.objects.get(), FollowUp.RETRY)
    assert retry.changed == 2
    assert [("tag_0" in demo.tags(poor[0])), ("tag_1" in demo.tags(poor[1]))] == [True, True]


def test_a_preview_of_rows_is_run_for_real_by_the_same_rows(demo: Demo, tmp_path: Path) -> None:
    rows = rows_for(demo, 30)
    after = wished(demo, rows)
    command("tag_tickets", "--rows", file_of(tmp_path / "rows.csv", rows), "--dry-run")
    assert dict(demo.account.ledger.updates) == {}
    follow(Job.objects.get(), FollowUp.RUN)
    assert {ref: demo.tags(ref) for ref in rows} == after


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("id,add\nx,vip\n", (), "--rows: Line 2: 'x' is not a ticket number."),
        ("", (), "--rows: The file is empty. Give a table with the columns id, add and remove."),
        ("id,add\n7,vip\n", ("--add", "a"), "With --rows each row says its tags."),
    ],
)
def test_wrong_rows_are_refused_before_anything_is_made(
    demo: Demo, tmp_path: Path, text: str, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "rows.csv").write_text(text)
    ran = command("tag_tickets", "--rows", str(tmp_path / "rows.csv"), *options, "--yes")
    assert ran.code == 2
    assert ran.err.strip().startswith(said)
    assert not Job.objects.exists()


def test_a_missing_file_is_reported(demo: Demo, tmp_path: Path) -> None:
    ran = command("tag_tickets", "--rows", str(tmp_path / "none.csv"), "--yes")
    assert (ran.code, ran.err.strip()) == (
        2,
        f"{tmp_path / 'none.csv'} cannot be read: No such file or directory.",
    )
