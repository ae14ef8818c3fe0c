"""A job with default settings beside another program that takes 3 to 15 of the account's 30 slots by turns.

Both call the same demo Zendesk over HTTP. The job must leave the other so much room that it is hardly ever
refused, and change each of its own tickets exactly once.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import figures, sizes, slots_chart
from tests.benchmarks.bench_pipeline import SLOTS, SOURCES, ideal, tag_all
from tests.benchmarks.other_client import OtherClient
from tests.benchmarks.worker_processes import await_end, start_workers
from tests.benchmarks.zendesk_process import start_zendesk

#: Calls a minute of Zendesk's largest plan: the two programs share them, and slots are to be the bound here.
CALLS = 2_500
#: Tickets of the other program.
OTHERS = 2_000
COLUMNS = (
    *("tickets", "delays", "alone, ideal s", "took s", "our refused", "changed", "twice"),
    *("other's tries", "its refused", "of 100", "its most", "our most", "least free"),
)


def test_beside_another_program(
    transactional_db: None, process_environment: dict[str, str], tmp_path: Path
) -> None:
    tickets, scale = sizes.beside_tickets(), sizes.delay_factor()
    with start_zendesk(
        tickets=2 * (tickets + OTHERS), scale=scale, runtime_scale=scale, rate_limit=int(CALLS / scale)
    ) as zendesk:
        refs = zendesk.open_ids(tickets + OTHERS)
        other = OtherClient(zendesk, refs[tickets:], scale)
        with start_workers(process_environment | zendesk.environment, tmp_path) as workers, other.run():
            job = tag_all(zendesk, "file", tickets, "beside")
            await_end([job], workers)
        ledger = zendesk.ledger(whole=True)
    assert other.problems == []
    assert (job.status, job.changed) == ("succeeded", tickets)
    updates = [ledger["updates"].get(str(ref), 0) for ref in refs[:tickets]]
    assert job.finished_at
    took = (job.finished_at - job.created_at).total_seconds()
    refused = 100 * other.refused / max(other.tries, 1)
    used = [sample.ours + sample.others for sample in other.samples]
    row = (
        *(f"{tickets:,}", f"{scale:g}"),
        f"{ideal(SOURCES['file'], tickets, slots=SLOTS, scale=scale, calls=CALLS):.1f}",
        *(f"{took:.1f}", ledger["answers"].get("429", 0) - other.refused),
        *(sum(map(bool, updates)), sum(number > 1 for number in updates)),
        *(other.tries, other.refused, f"{refused:.1f}", max(sample.others for sample in other.samples)),
        *(max(sample.ours for sample in other.samples), 30 - max(used)),
    )
    figures.save("beside", refused_of_100=refused)
    figures.save_row("beside another program", COLUMNS, row, key=2)
    figures.print_table(
        f"Beside another program, {figures.database()}",
        "It takes 3 to 15 of 30 slots by turns. Target: at most 2 of its 100 tries are refused, and ours\n"
        "loses no ticket.",
        COLUMNS,
        [row],
    )
    print(f"The chart: {slots_chart.write(other.samples)}")
