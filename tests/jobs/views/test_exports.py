"""Exports: the outcome of every ticket, as a file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import openpyxl
import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from jobs.models import Item, Job
from jobs.reports import export_files, exports
from jobs.reports.exports import Row
from jobs.states import Outcome, Status
from tests import factories

COLUMNS = [
    "ticket_id", "outcome", "reason", "tags_before", "tags_added", "tags_removed", "sent_at", "fields_before",
    "fields_set",
    "comment",
    "verified_at",
    "tags_to_add",
    "tags_to_remove",
    "also_to_do",
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
    factories.item(job, 30, Outcome.PENDING, change={"add": ["b", "g"], "remove": ["old"], "guard": "g"})
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
    Row(10, "failed", "closed", "old", "", "", "2026-11-23T21:12:05.250Z", tags_to_add="vip"),
    Row(11, "unchanged", "", "old", "", "", ""),
    Row(30, "not_attempted", "", "old", "", "", "", tags_to_add="b", tags_to_remove="old"),
]


def content(web: Client, address: str) -> bytes:
    response = web.get(address)
    assert response.status_code == 200
    assert response.streaming
    return b"".join(response)


def body(web: Client, address: str) -> str:
    return content(web, address).decode()


def lines_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def as_text(rows: Iterable[Row]) -> list[list[str]]:
    return [COLUMNS, *([str(cell) for cell in row] for row in rows)]


def test_every_format_holds_the_same(web: Client, job: Job) -> None:
    assert lines_of(body(web, f"/jobs/{job.pk}/export.csv")) == as_text(EXPECTED)
    objects = [row._asdict() for row in EXPECTED]
    assert json.loads(body(web, f"/jobs/{job.pk}/export.json")) == objects
    assert [json.loads(line) for line in body(web, f"/jobs/{job.pk}/export.ndjson").splitlines()] == objects


def test_a_byte_order_mark_comes_on_request_alone(web: Client, job: Job) -> None:
    plain = content(web, f"/jobs/{job.pk}/export.csv?bom=0")
    assert content(web, f"/jobs/{job.pk}/export.csv?bom=1") == b"\xef\xbb\xbf" + plain
    assert plain.startswith(b"ticket_id,")
    assert content(web, f"/jobs/{job.pk}/export.json?bom=1").startswith(b"[")


def test_a_workbook_holds_the_same_with_numbers_and_texts(web: Client, job: Job) -> None:
    book = openpyxl.load_workbook(io.BytesIO(content(web, f"/jobs/{job.pk}/export.xlsx")))
    assert book.sheetnames == ["Tickets"]
    names, *rows = book["Tickets"].iter_rows(values_only=True)
    assert list(names) == COLUMNS
    assert [tuple("" if cell is None else cell for cell in row) for row in rows] == EXPECTED
    assert (book["Tickets"].freeze_panes, book["Tickets"].auto_filter.ref) == ("B2", "A1:N7")


def test_a_reader_that_leaves_takes_the_files_of_its_workbook_along(
    web: Client, job: Job, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR_DIR = tmp_path
    response = web.get(f"/jobs/{job.pk}/export.xlsx")
    assert isinstance(response, StreamingHttpResponse)
    assert next(iter(response)).startswith(b"PK")
    assert len(list((tmp_path / "exports").iterdir())) == 1
    response.close()
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_zip_has_a_csv_for_each_outcome(web: Client, job: Job) -> None:
    archive = zipfile.ZipFile(io.BytesIO(content(web, f"/jobs/{job.pk}/export.zip")))
    assert archive.testzip() is None
    assert archive.namelist() == [
        "changed.csv", "failed.csv", "not-attempted.csv", "planned.csv", "unchanged.csv", "skipped.csv",
    ]  # fmt: skip
    for row in EXPECTED:
        name = f"{row.outcome.replace('_', '-')}.csv"
        assert lines_of(archive.read(name).decode()) == as_text([row])


def test_a_zip_has_what_people_look_for_even_where_there_is_none(web: Client, db: None) -> None:
    real, preview = factories.job(Status.SUCCEEDED), factories.job(Status.SUCCEEDED, dry_run=True)
    for job, first in ((real, "changed.csv"), (preview, "planned.csv")):
        archive = zipfile.ZipFile(io.BytesIO(content(web, f"/jobs/{job.pk}/export.zip?bom=1")))
        assert archive.namelist() == [first, "failed.csv", "not-attempted.csv"]
        assert archive.read("failed.csv").decode() == "\ufeff" + ",".join(COLUMNS) + "\r\n"


def test_a_zip_is_narrowed_like_the_others(web: Client, job: Job) -> None:
    archive = zipfile.ZipFile(io.BytesIO(content(web, f"/jobs/{job.pk}/export.zip?outcome=not_attempted")))
    assert archive.namelist() == ["not-attempted.csv"]
    archive = zipfile.ZipFile(io.BytesIO(content(web, f"/jobs/{job.pk}/export.zip?reason=closed")))
    assert [len(lines_of(archive.read(name).decode())) for name in ("changed.csv", "failed.csv")] == [1, 2]


def test_the_page_has_a_link_to_each_format(web: Client, job: Job) -> None:
    """CSV is for spreadsheets there, so it says that it is UTF-8."""
    links = {
        kind: f"/jobs/{job.pk}/export.{kind}?outcome=failed{more}"
        for kind, more in (
            ("xlsx", ""),
            ("csv", "&amp;bom=1"),
            ("zip", "&amp;bom=1"),
            ("json", ""),
            ("ndjson", ""),
        )
    }
    page = web.get(f"/jobs/{job.pk}/?outcome=failed").content.decode()
    assert {kind: f'href="{link}"' in page for kind, link in links.items()} == dict.fromkeys(links, True)
    assert f'href="/jobs/{job.pk}/export.csv?bom=1"' in web.get(f"/jobs/{job.pk}/").content.decode()


def test_a_page_of_what_was_not_done_says_that_it_goes_back_in(web: Client, job: Job) -> None:
    said = {
        outcome: "give the file to “Tags per row”"
        in web.get(f"/jobs/{job.pk}/?outcome={outcome}").content.decode()
        for outcome in ("failed", "not_attempted", "pending", "unverified", "changed", "")
    }
    assert [outcome for outcome, is_said in said.items() if is_said] == [
        "failed", "not_attempted", "pending", "unverified",
    ]  # fmt: skip


def test_no_ticket_is_missing_in_a_zip_of_a_job_that_goes_on(db: None) -> None:
    """One that ends while the files are written is in two of them."""
    job = factories.job(Status.RUNNING, total=1)
    item = factories.item(job, 1, Outcome.PENDING)
    parts = export_files._parts(job, export_files._outcomes_in_zip(job, ""), None, bom=False, asked=None)
    found = {}
    for part in parts:
        found[part.name] = len(lines_of("".join(part.content))) - 1
        Item.objects.filter(pk=item.pk).update(outcome=Outcome.CHANGED)
    assert {name: number for name, number in found.items() if number} == {"pending.csv": 1, "changed.csv": 1}


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
    assert web.get(f"/jobs/{job.pk}/export.pdf").status_code == 404
    assert web.get(f"/jobs/{job.pk}/export.zip?outcome=nonsense").status_code == 400


def test_open_tickets_of_a_job_that_goes_on_are_pending(db: None) -> None:
    job = factories.job(Status.RUNNING, total=1)
    factories.item(job, 1, Outcome.PENDING)
    assert [row.outcome for row in exports.rows(job)] == ["pending"]


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
        ("ndjson", "application/x-ndjson"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("zip", "application/zip"),
    ],
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
    assert line == ["1", "changed", *[f"'{hostile}"] * 4, *[""] * 8]


@pytest.mark.parametrize(
    ("cell", "harmless"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a;-1", "a;'-1"),
        ("a\t@x", "a\t'@x"),
        ("a; =1+1", "a; '=1+1"),
        ('a;"=1+1"', 'a;"\'=1+1"'),
        ("a\n+1;=2", "a\n'+1;'=2"),
        ("a;\t=1", "a;\t'=1"),
        (";=1", ";'=1"),
        ("a;\uff1d1", "a;'\uff1d1"),
        ("=1;=2", "'=1;'=2"),
        ("a;b=1 c-d", "a;b=1 c-d"),
        ("süß;x", "süß;x"),
        ("", ""),
    ],
)
def test_no_part_of_a_cell_is_run_where_a_spreadsheet_splits_it(cell: str, harmless: str) -> None:
    assert exports.escape_formula(cell) == harmless


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
