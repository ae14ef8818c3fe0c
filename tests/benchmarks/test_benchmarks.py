"""Tests the benchmarks themselves, at a size that takes seconds; `make bench` does the measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution
from jobs.models import Item, Job
from jobs.reports import recount
from tests.benchmarks import chart, dataset, figures, pages, slots_chart, summary
from tests.benchmarks.other_client import Sample
from tests.benchmarks.web import viewer


def test_the_dataset_has_the_requested_size_and_correct_counts(transactional_db: None) -> None:
    filled = dataset.fill(2_000, 60)
    assert (filled.items, filled.jobs) == (Item.objects.count(), Job.objects.count()) == (2_000, 63)
    assert list(recount.drifts()) == []
    assert Item.objects.filter(ref=filled.ticket).count() >= 3
    dataset.clear()
    assert (Item.objects.count(), Job.objects.count()) == (0, 0)


def test_every_measured_page_can_be_shown(transactional_db: None, client: Client) -> None:
    filled = dataset.fill(2_000, 60)
    client.force_login(viewer())
    answers = {page.url: client.get(page.url).status_code for page in pages.all_pages(filled)}
    assert answers == dict.fromkeys(answers, 200)


def test_the_engine_runs_a_job_of_instant_work(transactional_db: None, settings: Any) -> None:
    settings.JOBS_WORK = "tests.benchmarks.instant_work.InstantWork"
    job = actions.submit(
        tool="bulk-tag",
        title="Add vip to many tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": 250},
        by=Actor(name="bench"),
    ).job
    execution.run(job.pk, seconds=60)
    job.refresh_from_db()
    assert (job.status, job.changed, job.calls_write) == ("succeeded", 250, 3)


@pytest.mark.parametrize(("percent", "expected"), [(50, 3.0), (95, 5.0), (1, 1.0), (100, 5.0)])
def test_a_percentile_is_one_of_the_measured_values(percent: int, expected: float) -> None:
    assert figures.percentile([5.0, 1.0, 4.0, 2.0, 3.0], percent) == expected


def test_a_table_is_aligned_and_appended_to_the_report_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BENCH_REPORT", raising=False)
    figures.print_table("Pages", "On a table.", ("page", "ms"), [("jobs", "7.0"), ("one job", "12.5")])
    printed = capsys.readouterr().out
    assert printed == "\nPages\nOn a table.\n\npage       ms\n-------  ----\njobs      7.0\none job  12.5\n\n"
    monkeypatch.setenv("BENCH_REPORT", str(tmp_path / "report.txt"))
    figures.print_table("Pages", "On a table.", ("page", "ms"), [("jobs", "7.0"), ("one job", "12.5")])
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == printed[:-1]


def test_no_other_run_collects_the_benchmarks(pytestconfig: pytest.Config) -> None:
    folder = Path(__file__).parent
    assert list(folder.glob("bench_*.py"))
    assert [path.name for path in folder.glob("test_*.py")] == [Path(__file__).name]
    assert pytestconfig.getini("python_files") == ["test_*.py", "*_test.py"]


def test_the_summary_shows_figures_and_marks_what_was_not_measured() -> None:
    calls = {"pages": 101.0, "reads": 1000.0, "writes": 1000.0, "checks": 336.0}
    found = {"pipeline search 100000 1 700 28": {"times": 1.1} | calls}
    lines = list(summary.table({"sqlite": found}))
    assert lines[2].endswith("| 150 / 1000 / 1000 / 340 | 101 / 1000 / 1000 / 336 | not measured |")
    assert lines[3].endswith("| at most 1.10 times | 1.10 to 1.10 | not measured |")
    assert len(lines) == 2 + len(summary.ROWS)


def test_a_chart_shows_each_size_and_its_time() -> None:
    picture = ElementTree.fromstring(chart.draw("SQLite", {1_000: 2.0, 10_000: 1.5, 1_000_000: 1.75}))
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "Milliseconds a ticket, by tickets in the job, SQLite"
    assert texts[6:] == ["2.00", "1,000", "1.50", "10,000", "1.75", "1,000,000"]


def test_a_chart_of_slots_stacks_ours_on_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_CHARTS", str(tmp_path))
    samples = [Sample(0.0, 0, 3), Sample(10.0, 13, 15), Sample(20.0, 13, 3)]
    picture = ElementTree.parse(slots_chart.write(samples)).getroot()
    paths = {path.get("class"): path.get("d") for path in picture.iter("{http://www.w3.org/2000/svg}path")}
    heights = {kind: len(str(paths[kind]).split("V")) for kind in ("ours", "others", "free")}
    assert heights == dict.fromkeys(heights, 5)
    assert "V236.8" in str(paths["others"])  # three of thirty slots


def test_rows_of_parts_make_one_table_and_replace_those_of_an_earlier_run(
    db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH_FIGURES", str(tmp_path / "bench.json"))
    for row in (("view", 10, 2.0), ("search", 10, 1.0), ("view", 10, 1.5)):
        figures.save_row("pipeline", ("source", "tickets", "times"), row, key=2)
    assert summary.main() == 0
    lines = capsys.readouterr().out.splitlines()[-6:]
    assert [line.partition(" | ")[2] for line in lines[2:]] == [
        "source | tickets | times |",
        "",
        "search | 10 | 1.0 |",
        "view | 10 | 1.5 |",
    ]
