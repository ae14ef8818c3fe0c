"""A mapping of many pairs of tags over a whole account: one write per ticket that changes, and no other."""

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
#: Every so manieth ticket has an old tag, and every so manieth a second one besides.
WITH_ONE, WITH_TWO = 2, 6


def give_old_tags(demo: Demo) -> dict[int, set[str]]:
    """Old tags here and there; what every ticket then has to end with after the mapping."""
    wished = {}
    for place, ref in enumerate(demo.account.ticket_ids()):
        names = [f"old_{place % PAIRS}"] if place % WITH_ONE == 0 else []
        names += [f"old_{(place + 5) % PAIRS}"] if names and place % WITH_TWO == 0 else []
        if names:
            before = demo.tags(ref)
            demo.account.edit(ref, add=names)
            wished[ref] = before | {_new(name) for name in names}
    return wished


def _new(name: str) -> str:
    return f"new_{int(name.removeprefix('old_')) % (PAIRS // 4)}"


def test_mapping(transactional_db: None, settings: Settings, tmp_path: Path) -> None:
    tickets = sizes.mapped()
    file = tmp_path / "mapping.csv"
    names = [f"old_{number}" for number in range(PAIRS)]
    file.write_text("old,new\n" + "".join(f"{name},{_new(name)}\n" for name in names))
    with demo_zendesk(settings, tickets=tickets, allow_closed=True) as demo:
        wished = give_old_tags(demo)
        truth = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}
        start = time.perf_counter()
        assert command("rename_tags", "--mapping", str(file), "--include-closed", "--yes").code == 0
        seconds = time.perf_counter() - start
        job = Job.objects.get()
        assert {ref: demo.tags(ref) for ref in truth} == truth | wished
        writes = dict(demo.account.ledger.updates)
        assert writes == dict.fromkeys(wished, 1)
        undo = follow(job, FollowUp.UNDO)
        while not undo.is_ended:
            undo = run(undo)
        assert {ref: demo.tags(ref) for ref in truth} == truth
    figures.tell(
        f"A mapping of {PAIRS} pairs on {tickets:,} tickets, {figures.database()}",
        "The demo Zendesk, without delays of its own, shares the process.",
        ("tickets", "with an old tag", "writes of tickets", "calls to read", "to write", "seconds", "undone"),
        [
            (
                f"{tickets:,}",
                f"{len(wished):,}",
                f"{sum(writes.values()):,}",
                f"{job.calls_read:,}",
                f"{job.calls_write:,}",
                f"{seconds:.0f}",
                f"{undo.changed:,}",
            )
        ],
    )
