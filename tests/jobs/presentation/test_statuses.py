"""Every status of a job, and every reason to wait, has all that pages and terminals show of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import get_template

from jobs.cli.runner import EXIT_CODES
from jobs.presentation.blockers import WAIT_BLOCKERS
from jobs.presentation.job_actions import JOB_ACTIONS
from jobs.presentation.job_page import JobPage
from jobs.presentation.statuses import (
    STATUSES,
    progress_words,
    shown_status,
    status_template,
    summary_words,
)
from jobs.presentation.wait_reasons import WAIT_REASONS
from jobs.reports.progress import status_of
from jobs.states import ACTIVE, ENDED, STOPPED, Status, WaitReason
from jobs.views.filters import TABS
from tests import factories

TEMPLATES = Path(settings.BASE_DIR) / "templates"
#: Bootstrap's, with a rule of our own for `.status-…`.
COLOURS = {"primary", "secondary", "success", "warning", "danger"}


def test_no_status_and_no_reason_to_wait_is_missing() -> None:
    assert set(STATUSES) == set(Status)
    assert set(WAIT_REASONS) == set(WaitReason)


@pytest.mark.parametrize("status", Status)
def test_a_status_has_a_label_a_colour_and_an_icon(status: Status) -> None:
    display = STATUSES[status]
    assert status.label
    assert display.colour in COLOURS
    drawings = (TEMPLATES.parent / "static/icons.svg").read_text(encoding="utf-8")
    assert f'<symbol id="{display.icon}"' in drawings


@pytest.mark.parametrize("status", Status)
def test_a_status_has_its_sentence_on_the_page(db: None, status: Status) -> None:
    job = factories.job(status)
    assert get_template(status_template(status)).render({"job": job, "page": JobPage(job)}).strip()


def test_no_sentence_is_left_of_a_status_that_is_gone() -> None:
    written = {path.relative_to(TEMPLATES).as_posix() for path in (TEMPLATES / "jobs/status").iterdir()}
    assert written == {status_template(status) for status in Status}


@pytest.mark.parametrize("status", Status)
def test_a_status_has_its_words_in_a_terminal(db: None, status: Status) -> None:
    job = factories.job(status)
    words = [progress_words(job), summary_words(job)]
    assert [bool(sentence) for sentence in words] == [True] * 2
    assert not re.search(r"[{}]", " ".join(words))


@pytest.mark.parametrize("status", Status)
def test_a_status_stands_under_a_tab_and_renames_only_actions_that_exist(status: Status) -> None:
    display = STATUSES[status]
    assert display.tabs
    assert set(display.tabs) <= {tab.name for tab in TABS}
    assert set(display.action_labels) <= set(JOB_ACTIONS)


def test_the_tabs_hold_what_their_names_say() -> None:
    assert {tab.label: tab.statuses for tab in TABS} == {
        "All": frozenset(Status),
        "Active": ACTIVE,
        "Needs attention": STOPPED | {Status.PARTIAL},
        "Finished": ENDED - {Status.CANCELLED},
        "Cancelled": {Status.CANCELLED},
    }


def test_a_command_has_an_exit_code_for_each_status_that_ends_it() -> None:
    assert set(EXIT_CODES) == ENDED | {Status.ERRORED}


@pytest.mark.parametrize("reason", WaitReason)
def test_a_reason_to_wait_has_its_words_on_the_page_and_in_a_terminal(db: None, reason: WaitReason) -> None:
    resumes_at = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    job = factories.job(Status.WAITING, waiting_for=reason, resumes_at=resumes_at)
    words = WAIT_REASONS[reason]
    assert words.on_page.endswith(".")
    page = get_template(status_template(job.status)).render({"job": job, "page": JobPage(job)})
    assert f"– {words.on_page} It goes on by itself." in page
    assert progress_words(job).endswith(f": {words.in_terminal}")


def test_a_wait_that_lasts_is_explained_unless_another_worker_ends_it() -> None:
    assert set(WAIT_BLOCKERS) == set(WaitReason) - {WaitReason.WORKER_LOST, WaitReason.HELD}


@pytest.mark.parametrize(
    ("fields", "label", "colour"),
    [
        ({"follow_up": "undo", "changed": 5, "skipped": 7}, "Succeeded, 7 not taken back", "warning"),
        ({"follow_up": "undo", "changed": 5, "skipped": 1_200}, "Succeeded, 1,200 not taken back", "warning"),
        ({"follow_up": "undo", "changed": 5, "unchanged": 7}, "Succeeded", "success"),
        ({"follow_up": "undo", "planned": 5, "skipped": 7, "dry_run": True}, "Succeeded", "success"),
        ({"changed": 5, "skipped": 7}, "Succeeded", "success"),
    ],
)
def test_only_an_undo_that_took_all_back_is_green(
    db: None, fields: dict[str, Any], label: str, colour: str
) -> None:
    job = factories.job(Status.SUCCEEDED, **fields)
    shown = shown_status(job)
    assert (shown.label, shown.colour) == (label, colour)
    assert status_of(job)["status"] == "succeeded"
