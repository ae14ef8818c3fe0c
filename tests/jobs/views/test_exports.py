"""Exports: the outcome of every ticket, as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import Item, Job
from jobs.reports import exports
from jobs.reports.exports import Row
from jobs.states import Outcome, Status
from tests import factories

COLUMNS = [
    "ticket_id", "outcome", "reason", "tags_before", "tags_added", "tags_removed", "sent_at", "fields_before",
    "fields_set",
    "comment",
    "verified_at",
]  # fmt: skip


@pytest.fixture
def job(db: None) -> Job:
    """One ticket of every kind, in an ended job."""
    job = factories.job(Status.CANCELLED, total=6, changed=1, planned=1, skipped=1, failed=1, unchanged=1)
    batch = factories.batch(
        job,
        sent_at=datetime(2026, 11, 23, 21, 12, 5, 250_000, UTC),
        verified_at=datetime(2026, 11, 23, 21, 12, 17, tzinfo=UTC),
    )
    factories.item(job, 30, Outcome.PENDING)
    factories.item(
        job,
        7,
        Outcome.CHANGED,
        batch=batch,
        before={"tags": ["a", "b"]},
        change={"add": ["c"], "remove": ["a"]},
    )
    factories.item(
        job,
        8,
        Outcome.PLANNED,
        before={"tags": [], "fields": {"status": "open", "priority": None}},
        change={"add": ["c", "d"], "fields": {"status": "solved", "priority": "high"}},
    )
    factories.item(
        job, 9, Outcome.SKIPPED, reason="not_found", detail="There is no such ticket.", before=None
    )
    factories.item(job, 10, Outcome.FAILED, batch=batch, reason="closed")
    factories.item(job, 11, Outcome.UNCHANGED)
    return job


EXPECTED = [
    Row(
        7,
        "changed",
        "",
        "a b",
        "c",
        "a",
        "2026-11-23T21:12:05.250Z",
        verified_at="2026-11-23T21:12:17.000Z",
    ),
    Row(
        8,
        "planned",
        "",
        "",
        "c d",
        "",
        "",
        "status=open priority=",
        "status=solved priority=high",
    ),
    Row(9, "skipped", "There is no such ticket.", "", "", "", ""),
    Row(10, "failed", "closed", "old", "", "", "2026-11-23T21:12:05.250Z"),
    Row(11, "unchanged", "", "old", "", "", ""),
    Row(30, "not_attempted", "", "old", "", "", ""),
]


def body(web: Client, address: str) -> str:
    response = web.get(address)
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response).decode()


def test_every_format_holds_the_same(web: Client, job: Job) -> None:
    lines = list(csv.reader(io.StringIO(body(web, f"/jobs/{job.pk}/export.csv"), newline="")))
    assert lines == [COLUMNS, *([str(cell) for cell in row] for row in EXPECTED)]
    objects = [row._asdict() for row in EXPECTED]
    assert json.loads(body(web, f"/jobs/{job.pk}/export.json")) == objects
    assert [json.loads(line) for line in body(web, f"/jobs/{job.pk}/export.ndjson").splitlines()] == objects


def test_an_outcome_narrows(web: Client, job: Job) -> None:
    for outcome, refs in {
        "failed": [10],
        "not_attempted": [30],
        "pending": [30],
        "unverified": [],
        "": None,
    }.items():
        objects = json.loads(body(web, f"/jobs/{job.pk}/export.json?outcome={outcome}"))
        assert [row["ticket_id"] for row in objects] == ([7, 8, 9, 10, 11, 30] if refs is None else refs)


def test_an_unknown_outcome_or_format_is_refused(web: Client, job: Job) -> None:
    response = web.get(f"/jobs/{job.pk}/export.csv?outcome=nonsense")
    assert response.status_code == 400
    assert response.content.decode().startswith("There is no outcome 'nonsense'. The outcomes are: pending, ")
    assert web.get(f"/jobs/{job.pk}/export.xlsx").status_code == 404


def test_open_tickets_of_a_job_that_goes_on_are_pending(db: None) -> None:
    job = factories.job(Status.RUNNING, total=1)
    factories.item(job, 1, Outcome.PENDING)
    assert [row.outcome for row in exports.rows(job)] == ["pending"]


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("csv", "text/csv; charset=utf-8"), ("json", "application/json"), ("ndjson", "application/x-ndjson")],
)
def test_a_file_says_what_it_is(web: Client, job: Job, kind: str, media_type: str) -> None:
    response = web.get(f"/jobs/{job.pk}/export.{kind}?outcome=failed")
    assert response["Content-Type"] == media_type
    assert response["Content-Disposition"] == f'attachment; filename="job-{job.pk}-failed.{kind}"'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_run_as_a_formula(db: None, start: str) -> None:
    hostile = f'{start}cmd|"/C calc"!A1, x'
    job = factories.job(Status.PARTIAL, changed=1)
    factories.item(
        job, 1, detail=hostile, before={"tags": [hostile]}, change={"add": [hostile], "remove": [hostile]}
    )
    text = "".join(exports.write_csv(exports.rows(job)))
    line = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert line == ["1", "changed", *[f"'{hostile}"] * 4, *[""] * 5]


def test_json_leaves_tags_as_they_are(db: None) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1)
    factories.item(job, 1, change={"add": ["-süß", '"<script>']})
    assert json.loads("".join(exports.write_json(exports.rows(job))))[0]["tags_added"] == '-süß "<script>'


def test_an_empty_export_is_whole(db: None) -> None:
    job = factories.job(Status.SUCCEEDED)
    assert "".join(exports.write_csv(exports.rows(job))) == ",".join(COLUMNS) + "\r\n"
    assert json.loads("".join(exports.write_json(exports.rows(job)))) == []
    assert "".join(exports.write_ndjson(exports.rows(job))) == ""


def test_many_rows_come_in_order_and_piece_by_piece(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "READ_AT_ONCE", 10)
    monkeypatch.setattr(exports, "WRITTEN_AT_ONCE", 4)
    job = factories.job(Status.SUCCEEDED, changed=35)
    Item.objects.bulk_create(Item(job=job, ref=ref, outcome=Outcome.CHANGED) for ref in range(35, 0, -1))
    with CaptureQueriesContext(connection) as captured:
        pieces = exports.write_json(exports.rows(job))
        assert len(list(islice(pieces, 2))) == 2
        assert len(captured) == 1  # what has not been asked for has not been read
        list(pieces)
        assert len(captured) == 5  # the last one asks whether the job is still there
    assert [row.ticket_id for row in exports.rows(job)] == list(range(1, 36))
    assert len(json.loads("".join(exports.write_json(exports.rows(job))))) == 35


@pytest.mark.parametrize("write", [exports.write_csv, exports.write_json, exports.write_ndjson])
def test_a_writer_never_holds_more_than_a_piece(write: exports.Writer) -> None:
    asked = 0

    def endless() -> Iterator[Row]:
        nonlocal asked
        while True:
            asked += 1
            yield EXPECTED[0]

    next(write(endless()))
    assert asked <= exports.WRITTEN_AT_ONCE
