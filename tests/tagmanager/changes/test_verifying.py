"""Tickets that Zendesk calls updated are read back, as the setting, the form or the option says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from jobs import actions
from jobs.engine import pipeline
from jobs.models import Job
from jobs.presentation.job_summary import request_summary
from jobs.states import FollowUp
from jobs.work import Verify
from tagmanager.changes.ticket_work import TicketWork
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit


@pytest.fixture(autouse=True)
def second_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "SECOND_LOOK_AFTER", 0.01)


def untagged(demo: Demo, number: int) -> list[int]:
    return [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:number]


def test_a_sample_is_read_back_by_default_and_told_apart(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_MAX_JOBS = 1  # none is answered while the first is read back
    refs = untagged(demo, 250)
    job = run(submit(refs=refs))
    assert (job.verified, job.calls_verify, job.calls_read, job.calls_write) == (100, 1, 3, 3)
    assert job.evidence["kinds"] == {"additional_tags": {"is_proven": True, "unread": 2}}


@pytest.mark.parametrize(("setting", "verified"), [("all", 250), ("off", 0)])
def test_the_setting_says_what_is_read_back(demo: Demo, settings: Any, setting: str, verified: int) -> None:
    settings.VERIFY_WRITES = setting
    job = run(submit(refs=untagged(demo, 250)))
    assert (job.verified, job.calls_verify) == (verified, verified // 83)


def test_an_undo_is_always_read_back(demo: Demo, settings: Any) -> None:
    settings.VERIFY_WRITES = "off"
    refs = untagged(demo, 250)
    undone = follow(run(submit(refs=refs)), FollowUp.UNDO)
    assert (counts(undone), undone.verified) == ({"changed": 250}, 250)


def test_an_undo_that_a_trigger_undoes_does_not_count_as_changed(demo: Demo) -> None:
    refs = untagged(demo, 3)
    job = run(submit(refs=refs))
    demo.account.configure(readding_tag="vip")
    undone = follow(job, FollowUp.UNDO)
    assert counts(undone) == {"failed": 3}
    assert set(undone.items.values_list("reason", flat=True)) == {"undone_since"}


def test_the_option_counts_for_one_job_and_its_follow_ups(demo: Demo, capsys: Any) -> None:
    refs = untagged(demo, 150)
    ids = ",".join(map(str, refs))
    options = ("--add", "vip", "--verify", "all", "--dry-run", "--output", "json")
    call_command("tag_tickets", "--ids", ids, *options)
    preview = Job.objects.get()
    assert json.loads(capsys.readouterr().out)["verified"] == 0
    assert ("Read back", "Every changed ticket") in request_summary(preview)
    real = follow(preview, FollowUp.RUN)
    assert (real.verified, real.chosen_options["verify"]) == (150, "all")


def test_the_form_has_a_tick_that_is_filled_in_again(demo: Demo, web: Client) -> None:
    ids = " ".join(map(str, untagged(demo, 3)))
    web.post("/tools/bulk-tag/", {"add": "vip", "ids": ids, "verify": "on", "dry_run": "on", "nonce": "n"})
    job = Job.objects.get()
    assert TicketWork(job).verify is Verify.ALL
    page = web.get(f"/tools/bulk-tag/?again={job.pk}").content.decode()
    assert "checked" in page.split('name="verify"')[1].split(">")[0]


def test_a_ticket_that_was_not_changed_is_sent_again_after_a_resume(demo: Demo) -> None:
    refs = untagged(demo, 5)
    demo.fault("not_applied", ids=refs[:2])
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("errored", {"changed": 3, "remaining": 2})
    assert "did not make it" in job.error
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_one_that_shows_the_change_by_then_is_not_sent_again(demo: Demo) -> None:
    refs = untagged(demo, 2)
    demo.fault("not_applied")
    job = run(submit(refs=refs))
    demo.account.edit(refs[0], add=["vip"])
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert counts(job) == {"changed": 2}
    assert dict(demo.account.ledger.updates) == {refs[1]: 1}


def test_the_header_names_the_ignored_key_and_a_resume_sends_again(demo: Demo) -> None:
    refs = untagged(demo, 3)
    demo.fault("ignored_key")
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("errored", {"remaining": 3})
    assert "ignores “additional_tags”" in job.error
    actions.resume(job=job, by=ANA)
    assert counts(run(job)) == {"changed": 3}


def test_the_page_says_how_many_were_read_back(demo: Demo, web: Client) -> None:
    job = run(submit(refs=untagged(demo, 3)))
    page = web.get(job.get_absolute_url()).content.decode()
    assert "3 of 3 changed tickets were read back, last at" in page
    rows = json.loads(b"".join(web.get(f"/jobs/{job.pk}/export.json")))
    assert [row["verified_at"][-1:] for row in rows] == ["Z"] * 3
