"""What a job did not do is exported, and goes back in as rows as it is."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from jobs import actions
from jobs.engine import selection
from jobs.models import Job
from jobs.states import FollowUp
from tests.demo import ANA, Demo, counts, demo_zendesk, follow, run, submit
from tests.processes import command
from zendesk import sandbox as zd

FORMATS = ("csv", "csv?bom=1", "xlsx", "zip")


def exported(web: Client, job: Job, kind: str, outcome: str) -> bytes:
    """The file that a person has, out of the zip if it came in one."""
    kind, _, more = kind.partition("?")
    response = web.get(f"/jobs/{job.pk}/export.{kind}?outcome={outcome}&{more}")
    content = b"".join(response)
    if kind != "zip":
        return content
    archive = zipfile.ZipFile(io.BytesIO(content))
    [name] = archive.namelist()
    return archive.read(name)


def by_command(web: Client, content: bytes, folder: Path) -> Job:
    path = folder / "again"
    path.write_bytes(content)
    ran = command("tag_tickets", "--rows", str(path), "--yes")
    assert (ran.code, ran.err) == (0, ran.err)
    return Job.objects.latest("id")


def by_page(web: Client, content: bytes, folder: Path) -> Job:
    before = Job.objects.latest("id")
    file = SimpleUploadedFile("again", content)
    web.post("/tools/tag-rows/", {"rows": file, "nonce": "n", "dry_run": "on"})
    preview = Job.objects.latest("id")
    assert preview != before
    return follow(preview, FollowUp.RUN)


def tags_by_ref(demo: Demo) -> dict[int, set[str]]:
    return {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}


@pytest.mark.parametrize("way", [by_command, by_page])
@pytest.mark.parametrize("kind", FORMATS)
def test_rows_that_failed_are_done_by_their_own_export(
    web: Client, demo: Demo, tmp_path: Path, kind: str, way: object
) -> None:
    refs = [ref for ref in demo.open_tickets if not demo.tags(ref) & {"-new", "later"}][:20]
    for ref in refs[::2]:
        demo.account.edit(ref, add=["obsolete"])
    demo.fault("item_error", ids=refs[:5], code="TicketUpdateFailed", text="No; =1.", times=None)
    job = run(submit(refs=refs, add=["-new", "later"], remove=["obsolete"]))
    assert counts(job) == {"changed": 15, "failed": 5}
    demo.account.faults.clear()
    others = {ref: tags for ref, tags in tags_by_ref(demo).items() if ref not in refs[:5]}
    wished = {ref: demo.tags(ref) - {"obsolete"} | {"-new", "later"} for ref in refs[:5]}
    again = (by_command if way is by_command else by_page)(web, exported(web, job, kind, "failed"), tmp_path)
    assert (again.tool, counts(again)) == ("tag-rows", {"changed": 5})
    assert tags_by_ref(demo) == others | wished


def test_rows_that_all_differ_go_back_each_with_its_own(web: Client, demo: Demo, tmp_path: Path) -> None:
    refs = demo.open_tickets[:30]
    text = "id,add,remove\n" + "".join(f"{ref},own_{ref},{min(demo.tags(ref), default='')}\n" for ref in refs)
    had = {ref: demo.tags(ref) for ref in refs}
    demo.fault("item_error", ids=refs[:9], code="TicketUpdateFailed", text="No.", times=None)
    (tmp_path / "rows.csv").write_text(text)
    assert command("tag_tickets", "--rows", str(tmp_path / "rows.csv"), "--yes").code == 3
    demo.account.faults.clear()
    by_command(web, exported(web, Job.objects.get(), "csv", "failed"), tmp_path)
    for ref in refs:
        first = min(had[ref], default="")
        assert demo.tags(ref) == had[ref] - {first} | {f"own_{ref}"}


def test_the_export_of_all_does_only_what_was_not_done(web: Client, demo: Demo, tmp_path: Path) -> None:
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:10]
    demo.fault("item_error", ids=refs[:3], code="TicketUpdateFailed", text="No.", times=None)
    job = run(submit(refs=refs))
    demo.account.faults.clear()
    demo.account.edit(refs[9], remove=["vip"])  # by others, since
    again = by_command(web, exported(web, job, "csv", ""), tmp_path)
    assert counts(again) == {"changed": 3}
    assert [ref for ref in refs if "vip" not in demo.tags(ref)] == [refs[9]]


def test_tickets_that_were_never_read_go_back_in_with_what_was_asked(
    web: Client, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", 100)
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:230]
    job = run(submit(refs=refs, canary=7))
    actions.cancel(job=job, by=ANA)
    job.refresh_from_db()
    assert job.items.filter(outcome="pending", change__isnull=True).exists()
    again = by_command(web, exported(web, job, "xlsx", "not_attempted"), tmp_path)
    assert counts(again) == {"changed": 223}
    assert [ref for ref in refs if "vip" not in demo.tags(ref)] == []


@pytest.mark.parametrize("late", [0, 5_000])
def test_an_undo_that_failed_is_finished_by_its_export(
    web: Client, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: int
) -> None:
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", late)
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:20]
    for ref in refs:
        demo.account.edit(ref, add=["obsolete"])
    before = tags_by_ref(demo)
    job = run(submit(refs=refs, add=["vip"], remove=["obsolete"]))
    demo.fault("item_error", ids=refs[:4], code="TicketUpdateFailed", text="No.", times=None)
    undo = follow(job, FollowUp.UNDO)
    assert counts(undo) == {"changed": 16, "failed": 4}
    demo.account.faults.clear()
    assert counts(by_command(web, exported(web, undo, "csv", "failed"), tmp_path)) == {"changed": 4}
    assert tags_by_ref(demo) == before


def test_what_a_macro_was_to_do_besides_tags_is_told_in_words(
    web: Client, demo: Demo, tmp_path: Path
) -> None:
    refs = demo.open_tickets[:3]
    demo.fault("item_error", ids=refs, code="TicketUpdateFailed", text="No.", times=None)
    macro = ("--ids", ",".join(map(str, refs)), "--macro", str(zd.MACRO_CLOSE_SPAM))
    command("apply_macro", *macro, "--yes")
    demo.account.faults.clear()
    content = exported(web, Job.objects.get(), "csv", "failed")
    lines = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert {(line["tags_to_add"], line["also_to_do"]) for line in lines} == {
        ("spam", "Tags alone do not repeat this: status=solved.")
    }
    assert [line["tags_to_remove"] for line in lines] == [""] * 3
    assert counts(by_command(web, content, tmp_path)) == {"changed": 3}


def test_an_export_with_nothing_to_do_is_refused_in_words(web: Client, demo: Demo, tmp_path: Path) -> None:
    job = run(submit(refs=demo.open_tickets[:3], add=["all-new"]))
    (tmp_path / "changed.csv").write_bytes(exported(web, job, "csv", "changed"))
    ran = command("tag_tickets", "--rows", str(tmp_path / "changed.csv"), "--yes")
    assert (ran.code, ran.err.strip()) == (2, "--rows: No row has a tag to add or to remove.")


def test_a_guard_tag_does_not_go_back_in(web: Client, settings: Settings) -> None:
    with demo_zendesk(settings) as demo:
        refs = demo.open_tickets[:3]
        demo.fault("item_error", ids=refs, code="TicketUpdateFailed", text="No.", times=None)
        ran = command(
            "tag_tickets",
            "--ids",
            ",".join(map(str, refs)),
            "--add",
            "brand_new",
            "--guard",
            "g",
            "--yes",
        )
        assert ran.code == 3, ran.err
        content = exported(web, Job.objects.earliest("id"), "csv", "failed").decode()
        assert {line["tags_to_add"] for line in csv.DictReader(content.splitlines())} == {"brand_new"}
