"""A mapping of many tag pairs on a whole account: one write for each ticket that changes, and no other."""

from __future__ import annotations

import time
from pathlib import Path

from pytest_django import Settings

from jobs.models import Job
from jobs.states import FollowUp
from tests.benchmarks import figures, sizes
from tests.demo import Demo, demo_zendesk, follow, run
from tests.processes import command

PAIRS = 240
#: One ticket in 2 has an old tag; one in 6 has two.
ONE_OLD_TAG_EVERY, TWO_OLD_TAGS_EVERY = 2, 6


def give_old_tags(demo: Demo) -> dict[int, set[str]]:
    """Add old tags to some tickets; return the tags that each must have after the mapping."""
    expected = {}
    for index, ref in enumerate(demo.account.ticket_ids()):
        names = [f"old_{index % PAIRS}"] if index % ONE_OLD_TAG_EVERY == 0 else []
        names += [f"old_{(index + 5) % PAIRS}"] if names and index % TWO_OLD_TAGS_EVERY == 0 else []
        if names:
            before = demo.tags(ref)
            demo.account.edit(ref, add=names)
            expected[ref] = before | {_new(name) for name in names}
    return expected


def _new(name: str) -> str:
    return f"new_{int(name.removeprefix('old_')) % (PAIRS // 4)}"


def test_mapping(transactional_db: None, settings: Settings, tmp_path: Path) -> None:
    tickets = sizes.mapped_tickets()
    file = tmp_path / "mapping.csv"
    names = [f"old_{number}" for number in range(PAIRS)]
    file.write_text("old,new\n" + "".join(f"{name},{_new(name)}\n" for name in names))
    with demo_zendesk(settings, tickets=tickets, allow_closed=True) as demo:
        expected = give_old_tags(demo)
        initial = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}
        start = time.perf_counter()
        assert command("rename_tags", "--mapping", str(file), "--include-closed", "--yes").code == 0
        seconds = time.perf_counter() - start
        job = Job.objects.get()
        assert {ref: demo.tags(ref) for ref in initial} == initial | expected
        writes = dict(demo.account.ledger.updates)
        assert writes == dict.fromkeys(expected, 1)
        undo = follow(job, FollowUp.UNDO)
        while not undo.is_ended:
            undo = run(undo)
        assert {ref: demo.tags(ref) for ref in initial} == initial
    figures.print_table(
        f"A mapping of {PAIRS} pairs on {tickets:,} tickets, {figures.database()}",
        "The demo Zendesk, without delays, runs in the same process.",
        ("tickets", "with an old tag", "writes of tickets", "calls to read", "to write", "seconds", "undone"),
        [
            (
                f"{tickets:,}",
                f"{len(expected):,}",
                f"{sum(writes.values()):,}",
                f"{job.calls_read:,}",
                f"{job.calls_write:,}",
                f"{seconds:.0f}",
                f"{undo.changed:,}",
            )
        ],
    )
