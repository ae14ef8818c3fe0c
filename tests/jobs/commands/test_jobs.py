"""`jobs …`, `check_jobs` and `reap_jobs`."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.utils import timezone

from jobs.common import process_id
from jobs.models import Job
from jobs.reports import export_files
from jobs.runtime.lease import held_by_this_process
from jobs.states import Outcome, Status
from tests import factories
from tests.demo import Demo, counts, run, submit
from tests.processes import DEADLINE, Ran, command

Manage = Callable[..., subprocess.Popen[str]]


def jobs(*arguments: str) -> Ran:
    return command("jobs", *arguments)


@pytest.fixture
def done(demo: Demo) -> Job:
    """A job that changed three tickets."""
    return run(submit(refs=demo.open_tickets[:3], add=["brand-new"]))


def test_list_shows_the_latest_first(db: None) -> None:
    first = factories.job(Status.SUCCEEDED, title="The first", changed=2)
    second = factories.job(Status.PAUSED, title="The second \x1b[31m", created_by=factories.user("ana"))
    ran = jobs("list")
    assert [line.split()[:2] for line in ran.out.splitlines()] == [
        [str(second.pk), "paused"],
        [str(first.pk), "succeeded"],
    ]
    assert "\x1b" not in ran.out
    assert [job["id"] for job in json.loads(jobs("list", "--output", "json").out)] == [second.pk, first.pk]
    assert [job["id"] for job in json.loads(jobs("list", "--status", "paused", "--output", "json").out)] == [
        second.pk
    ]


def test_show_prints_the_summary_and_the_timeline(done: Job) -> None:
    ran = jobs("show", str(done.pk))
    assert ran.code == 0
    assert f"Job {done.pk} succeeded: {done.title}" in ran.out
    assert "The list is complete: 3 tickets, 3 to change." in ran.out
    assert json.loads(jobs("show", str(done.pk), "--output", "json").out)["changed"] == 3


@pytest.mark.parametrize("verb", ["show", "watch", "pause", "resume", "cancel", "retry", "undo", "export"])
def test_an_unknown_job_is_reported(db: None, verb: str) -> None:
    ran = jobs(verb, "4711")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "There is no job 4711. manage.py jobs list names the latest ones.\n"


def test_a_job_is_paused_resumed_and_cancelled_in_the_persons_name(demo: Demo) -> None:
    factories.user("ana")
    job = submit(refs=demo.open_tickets[:3], here=False).job
    states = []
    for verb in ("pause", "resume", "cancel"):
        assert jobs(verb, str(job.pk), "--as", "ana").code == 0
        job.refresh_from_db()
        states.append(job.status)
    assert states == ["paused", "queued", "cancelled"]
    assert set(job.transitions.exclude(from_status="").values_list("actor", flat=True)) == {"ana"}


def test_what_does_not_fit_the_status_is_refused_in_words(done: Job) -> None:
    ran = jobs("pause", str(done.pk))
    assert ran.code == 1
    assert f"Job {done.pk} cannot be paused: it is succeeded" in ran.err
    assert jobs("retry", str(done.pk), "--yes").code == 1


def test_undo_reverts_a_job_as_a_job_of_its_own(done: Job, demo: Demo) -> None:
    ran = jobs("undo", str(done.pk), "--yes", "--output", "json")
    status = json.loads(ran.out)
    assert (ran.code, status["parent"], status["changed"]) == (0, done.pk, 3)
    assert ["brand-new" in demo.tags(ref) for ref in demo.open_tickets[:3]] == [False] * 3


def test_a_follow_up_needs_a_yes(done: Job) -> None:
    ran = jobs("undo", str(done.pk))
    assert (ran.code, Job.objects.count()) == (2, 1)


def test_run_makes_a_dry_run_real(demo: Demo) -> None:
    dry = run(submit(refs=demo.open_tickets[:3], dry_run=True, add=["brand-new"]))
    assert jobs("run", str(dry.pk), "--yes").code == 0
    assert counts(Job.objects.latest("pk")) == {"changed": 3}


def test_retry_may_be_limited_to_one_reason(demo: Demo) -> None:
    refs = demo.open_tickets[:2]
    demo.fault("item_error", ids=refs, times=1, code="RecordInvalid", text="Resolution: is required")
    job = run(submit(refs=refs, add=["brand-new"]))
    (reason,) = set(job.items.values_list("reason", flat=True))
    assert jobs("retry", str(job.pk), "--reason", "no-such-reason", "--yes").code == 2
    assert jobs("retry", str(job.pk), "--reason", reason, "--yes").code == 0
    assert counts(Job.objects.latest("pk")) == {"changed": 2}


def test_rest_is_detached_for_a_worker(demo: Demo) -> None:
    job = factories.job(Status.CANCELLED, total=1)
    factories.item(job, demo.open_tickets[0], Outcome.PENDING)
    ran = jobs("rest", str(job.pk), "--yes", "--detach")
    rest = Job.objects.latest("pk")
    assert (ran.code, rest.status, rest.parent) == (0, "queued", job)
    assert ran.out == f"Job {rest.pk} is queued. manage.py jobs watch {rest.pk} shows it at work.\n"


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.SUCCEEDED, 0), (Status.ERRORED, 1), (Status.PARTIAL, 3), (Status.CANCELLED, 4)],
)
def test_watch_ends_with_the_code_of_the_jobs_end(db: None, status: Status, code: int) -> None:
    job = factories.job(status)
    assert jobs("watch", str(job.pk)).code == code


def test_export_writes_the_rows_and_nothing_else(done: Job) -> None:
    ran = jobs("export", str(done.pk))
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert [(row["outcome"], row["tags_added"]) for row in rows] == [("changed", "brand-new")] * 3
    assert json.loads(jobs("export", str(done.pk), "--format", "json", "--outcome", "failed").out) == []


def test_an_export_to_a_file_is_whole_and_replaces_nothing_unasked(done: Job, tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    export = ("export", str(done.pk), "--format", "ndjson", "--out", str(path))
    first = jobs(*export)
    assert (first.code, first.out, len(path.read_text().splitlines())) == (0, "", 3)
    path.write_text("something of mine")
    again = jobs(*export)
    assert (again.code, path.read_text()) == (2, "something of mine")
    assert "Add --force" in again.err
    assert (jobs(*export, "--force").code, len(path.read_text().splitlines())) == (0, 3)
    assert [file.name for file in tmp_path.iterdir()] == ["rows.ndjson"]


def test_a_workbook_and_a_zip_are_written_to_files(done: Job, tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    ran = jobs("export", str(done.pk), "--format", "xlsx", "--outcome", "changed", "--out", str(path))
    assert (ran.code, ran.out) == (0, "")
    sheet = openpyxl.load_workbook(path)["Tickets"]
    assert [cell.value for cell in sheet["E"]] == ["tags_added", *["brand-new"] * 3]
    path = tmp_path / "rows.zip"
    assert jobs("export", str(done.pk), "--format", "zip", "--bom", "--out", str(path)).code == 0
    archive = zipfile.ZipFile(path)
    assert archive.namelist() == ["changed.csv", "failed.csv", "not-attempted.csv"]
    lines = archive.read("changed.csv").decode("utf-8-sig").splitlines()
    assert (len(lines), archive.read("changed.csv")[:3]) == (4, b"\xef\xbb\xbf")


def test_a_byte_order_mark_is_for_csv(done: Job) -> None:
    assert jobs("export", str(done.pk), "--bom").out.startswith("\ufeffticket_id,")
    ran = jobs("export", str(done.pk), "--format", "xlsx", "--bom")
    assert (ran.code, ran.err) == (2, "--bom is for csv and zip; leave it out with xlsx.\n")


def test_what_is_no_text_needs_a_file_where_only_text_is_taken(done: Job) -> None:
    ran = jobs("export", str(done.pk), "--format", "zip")
    assert (ran.code, ran.err) == (2, "A terminal cannot show zip. Say --out PATH.\n")


@pytest.mark.slow
def test_a_workbook_goes_down_a_pipe(process_demo: Demo, manage: Manage) -> None:
    job = run(submit(refs=process_demo.open_tickets[:20], dry_run=True))
    process = manage("jobs", "export", str(job.pk), "--format", "xlsx")
    assert process.stdout is not None
    assert isinstance(process.stdout, io.TextIOWrapper)
    book = openpyxl.load_workbook(io.BytesIO(process.stdout.buffer.read()))
    assert (process.wait(DEADLINE), book["Tickets"].max_row) == (0, 21)


def test_an_export_that_breaks_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> object:
        yield "a line\n"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        export_files.write(tmp_path / "rows.csv", broken(), replace=True)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_impossible_exports_are_refused_in_words(done: Job, tmp_path: Path) -> None:
    assert jobs("export", str(done.pk), "--outcome", "odd").code == 2
    gone = jobs("export", str(done.pk), "--out", str(tmp_path / "no" / "folder.csv"))
    assert gone.code == 1
    assert "cannot be written: No such file or directory." in gone.err


@pytest.mark.journey
@pytest.mark.slow
def test_a_pipe_that_closes_early_is_no_reason_to_complain(process_demo: Demo, manage: Manage) -> None:
    job = run(submit(refs=process_demo.open_tickets[:2000], dry_run=True))
    process = manage("jobs", "export", str(job.pk))
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("ticket_id,")
    process.stdout.close()
    assert (process.stderr.read(), process.wait(DEADLINE)) == ("", 141)


def test_check_jobs_finds_what_drifts(db: None) -> None:
    assert command("check_jobs").code == 0
    job = factories.job(Status.SUCCEEDED, changed=2)
    factories.item(job, 1)
    ran = command("check_jobs")
    assert ran.code == 1
    assert f"Job {job.pk}: shows 2 changed, its items say 1." in ran.out.splitlines()


def test_reap_jobs_takes_over_what_a_dead_worker_held(db: None) -> None:
    assert command("reap_jobs").out == "No job had lost its worker.\n"
    host, boot, _, _, namespace = process_id.this_process().split("/")
    gone = f"{host}/{boot}/999999999/1/{namespace}"
    long_ago = timezone.now() - timedelta(minutes=5)
    held = held_by_this_process("token") | {"lease_owner": gone, "beat_at": long_ago}
    job = factories.job(Status.RUNNING, total=0, **held)
    ran = command("reap_jobs")
    job.refresh_from_db()
    assert (ran.code, job.status, job.lease_token) == (0, "waiting", "")
    assert ran.out == f"Job {job.pk} was taken from a worker that is gone; it is waiting now.\n"
    assert "No worker is running" in ran.err
