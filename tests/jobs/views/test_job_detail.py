"""The page of one job, in every state."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Job
from jobs.reports import progress
from jobs.reports.item_search import find_items
from jobs.states import ACTIVE, ENDED, STOPPED, FollowUp, Outcome, Status, WaitReason
from tests import factories

SENTENCES = {
    Status.QUEUED: "Waiting to start.",
    Status.SELECTING: "Reading the list of tickets.",
    Status.RUNNING: "Changing tickets.",
    Status.WAITING: "Zendesk asked us to slow down.",
    Status.PAUSING: "what has been sent is being checked first.",
    Status.PAUSED: "Nothing is sent until someone resumes it.",
    Status.CANCELLING: "Zendesk cannot take them back.",
    Status.CANCELLED: "40 changed, 58 not attempted.",
    Status.ERRORED: "The credentials were refused.",
    Status.SUCCEEDED: "Done. 40 tickets changed",
    Status.PARTIAL: "40 changed, 2 failed.",
}
ACTIONS = {
    Status.QUEUED: {"pause", "cancel"},
    Status.SELECTING: {"pause", "cancel"},
    Status.RUNNING: {"pause", "cancel"},
    Status.WAITING: {"pause", "resume", "cancel"},
    Status.PAUSING: {"cancel"},
    Status.PAUSED: {"resume", "cancel"},
    Status.CANCELLING: set(),
    Status.CANCELLED: {"rest", "retry", "undo"},
    Status.ERRORED: {"resume", "cancel"},
    Status.SUCCEEDED: {"undo"},
    Status.PARTIAL: {"retry", "undo"},
}
KEYS = {
    *(
        "id",
        "tool",
        "title",
        "status",
        "dry_run",
        "waiting_for",
        "resumes_at",
        "total",
        "found",
        "gathered",
        "planned",
    ),
    *("changed", "unchanged", "skipped", "failed", "unverified", "remaining", "percent"),
    *(
        "tickets_per_minute",
        "eta_seconds",
        "api_calls",
        "parent",
        "created_by",
        "created_by_deleted",
        "created_at",
        "started_at",
    ),
    *("finished_at", "error", "verified"),
}


def in_state(status: Status) -> Job:
    if status in (Status.QUEUED, Status.SELECTING):
        return factories.job(status)
    if status == Status.SUCCEEDED:
        return factories.job(status, changed=40, total=40)
    total = 42 if status == Status.PARTIAL else 100
    error = "The credentials were refused." if status == Status.ERRORED else ""
    return factories.job(status, changed=40, failed=2, total=total, error=error)


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", page.decode())


@pytest.mark.parametrize("status", Status)
def test_every_state_has_its_badge_its_sentence_and_its_actions(web: Client, status: Status) -> None:
    job = in_state(status)
    page = text(web.get(job.get_absolute_url()).content)
    assert f"</svg>{status.label}</span>" in page
    assert SENTENCES[status] in page
    assert set(re.findall(r'id="do-(\w+)"', page)) == ACTIONS[status]


@pytest.mark.parametrize("status", Status)
def test_a_page_polls_often_while_its_job_moves_seldom_while_it_stands_and_never_once_it_ended(
    web: Client, status: Status
) -> None:
    job = in_state(status)
    for part in ("", "live"):
        page = web.get(f"/jobs/{job.pk}/{part}").content.decode()
        assert ('hx-trigger="every 2s"' in page) == (status in ACTIVE)
        assert ('hx-trigger="every 15s"' in page) == (status in STOPPED)  # somebody else may resume it
        assert ("data-polled" in page) == (status not in ENDED)


@pytest.mark.parametrize("status", Status)
def test_the_status_for_scripts_has_exactly_the_promised_keys(web: Client, status: Status) -> None:
    job = in_state(status)
    answer = web.get(f"/jobs/{job.pk}/status")
    assert answer["Content-Type"] == "application/json"
    assert set(answer.json()) == KEYS
    assert (answer.json()["id"], answer.json()["status"]) == (job.pk, status.value)
    assert set(answer.json()["api_calls"]) == {"read", "write", "status", "verify"}


@pytest.mark.parametrize("reason", WaitReason)
def test_every_reason_to_wait_is_shown_in_words(web: Client, reason: WaitReason) -> None:
    job = factories.job(Status.WAITING, waiting_for=reason)
    page = text(web.get(job.get_absolute_url()).content)
    assert "it was put aside" not in page
    assert "It goes on by itself." in page


def test_nothing_is_sent_when_nothing_has_changed(web: Client) -> None:
    job = factories.job(Status.RUNNING, changed=10, total=100)
    page = web.get(job.get_absolute_url()).content.decode()
    poll = re.search(r'data-polled hx-get="([^"]+)"', page)
    assert poll
    address = poll[1].replace("&amp;", "&")
    unchanged = web.get(address)
    assert (unchanged.status_code, unchanged.content) == (204, b"")

    Job.objects.filter(pk=job.pk).update(changed=15)
    within_a_tenth = web.get(address)
    assert "15 of 100 tickets (15 %)" in text(within_a_tenth.content)
    assert "job-spoken" not in within_a_tenth.content.decode()
    assert "HX-Trigger" not in within_a_tenth

    Job.objects.filter(pk=job.pk).update(changed=20, failed=3)
    next_tenth = web.get(address)
    assert '<p id="job-spoken" hx-swap-oob="innerHTML">Running, 23 % done, 3 failed.</p>' in text(
        next_tenth.content
    )
    assert next_tenth["HX-Trigger"] == "job-moved"


def test_the_polled_part_holds_no_form(web: Client) -> None:
    for status in Status:
        page = web.get(f"/jobs/{in_state(status).pk}/live").content.decode()
        assert re.findall(r"<(form|input|details|button)\b", page) == []


def test_more_tickets_need_no_more_queries(web: Client) -> None:
    def counted(number: int) -> list[int]:
        job = factories.job(Status.PARTIAL, changed=number, failed=number, skipped=number)
        for ref in range(number):
            factories.item(job, 10 * ref, Outcome.CHANGED)
            factories.item(job, 10 * ref + 1, Outcome.FAILED, reason=f"r{ref}")
            factories.item(job, 10 * ref + 2, Outcome.SKIPPED, reason=f"s{ref}")
            factories.job(Status.SUCCEEDED, parent=job, follow_up=FollowUp.RETRY)
        numbers = []
        for part in ("", "live", "account", "status", "retry"):
            with CaptureQueriesContext(connection) as captured:
                assert web.get(f"/jobs/{job.pk}/{part}").status_code == 200
            numbers.append(len(captured))
        return numbers

    assert counted(1) == counted(3)


def test_tickets_are_paged_by_their_number_and_chosen_by_outcome_and_reason(web: Client) -> None:
    job = factories.job(Status.PARTIAL, changed=120, failed=2)
    for ref in range(1, 121):
        factories.item(job, ref)
    factories.item(job, 200, Outcome.FAILED, reason="closed", detail="It is closed.")
    factories.item(job, 201, Outcome.FAILED, reason="other", detail="Something else.")

    def refs(query: str) -> list[int]:
        page = web.get(f"/jobs/{job.pk}/{query}").content.decode()
        table = page[page.index('id="tickets"') : page.index('id="timeline"')]
        return [int(ref) for ref in re.findall(r'class="number">\s*(\d+)\s*</td>', table)]

    assert refs("") == list(range(1, 26))
    assert refs("?after=25") == list(range(26, 51))
    assert refs("?after=100") == [*range(101, 121), 200, 201]
    assert refs("?before=26") == list(range(1, 26))
    assert refs("?outcome=failed") == [200, 201]
    assert refs("?outcome=failed&reason=closed") == [200]
    assert web.get(f"/jobs/{job.pk}/?outcome=nonsense").status_code == 404


def test_a_page_of_tickets_keeps_what_was_chosen(web: Client) -> None:
    job = factories.job(Status.PARTIAL, failed=60)
    for ref in range(60):
        factories.item(job, ref, Outcome.FAILED, reason="a&b")
    page = web.get(f"/jobs/{job.pk}/?outcome=failed&reason=a%26b").content.decode()
    assert "?outcome=failed&amp;reason=a%26b&amp;after=24#tickets" in page


def test_failures_are_grouped_with_a_sample_and_can_be_retried_by_group(web: Client) -> None:
    job = factories.job(Status.PARTIAL, failed=4, unverified=1)
    for ref in (1, 2):
        factories.item(job, ref, Outcome.FAILED, reason="closed", detail="Closed tickets cannot be changed.")
    factories.item(job, 3, Outcome.FAILED, detail="Nobody knows.")
    factories.item(job, 5, Outcome.FAILED, detail="Nobody ever will.")
    factories.item(job, 4, Outcome.UNVERIFIED, reason="lost", detail="Its fate could not be learned.")
    page = text(web.get(job.get_absolute_url()).content)
    failures = page[page.index("What failed, and why") : page.index('id="tickets"')]
    assert failures.count("Closed tickets cannot be changed.") == 1
    assert re.findall(r"and (\d+) other sentences? like it", failures) == ["1"]
    assert re.findall(r"retry\?reason=(\w+)", failures) == ["closed"]
    assert "?outcome=unverified&amp;reason=lost#tickets" in failures


def test_an_ended_job_calls_open_tickets_not_attempted(web: Client) -> None:
    job = factories.job(Status.CANCELLED, total=5, changed=2)
    factories.item(job, 7, Outcome.PENDING)
    page = text(web.get(job.get_absolute_url()).content)
    assert "<b>3</b> not attempted" in page
    assert re.search(r">\s*not attempted\s*</td>", page)


def test_tickets_link_to_zendesk_when_an_account_is_set_up(web: Client, settings: Settings) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1)
    factories.item(job, 4711)
    assert "/agent/tickets/" not in web.get(job.get_absolute_url()).content.decode()
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9"
    assert 'href="http://127.0.0.1:9/agent/tickets/4711"' in web.get(job.get_absolute_url()).content.decode()


def test_hostile_words_are_shown_as_text(web: Client) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    job = factories.job(
        Status.ERRORED, title=hostile, error=hostile, params={hostile: [hostile]}, source={"kind": hostile},
        failed=1, total=2,
    )  # fmt: skip
    factories.item(
        job, 1, Outcome.FAILED, reason=hostile, detail=hostile, change={"add": [hostile], "remove": [hostile]}
    )
    page = web.get(f"{job.get_absolute_url()}?outcome=failed&reason={hostile}").content.decode()
    assert "<img" not in page
    assert page.count("&lt;img") >= 8


def test_a_running_job_shows_a_range_and_a_stalled_one_says_so(web: Client) -> None:
    now = timezone.now()
    start = now - timedelta(seconds=60)
    job = factories.job(Status.RUNNING, changed=500, total=10_000, started_at=start, frozen_at=start)
    for number in range(5):
        factories.batch(
            job,
            size=100,
            changed=100,
            sent_at=now - timedelta(seconds=12 * (5 - number)),
            settled_at=now - timedelta(seconds=12 * (4 - number)),
        )
    assert "about 15–25 min left" in text(web.get(job.get_absolute_url()).content)
    job.batches.update(sent_at=now - timedelta(seconds=300), settled_at=now - timedelta(seconds=100))
    job.transitions.update(at=now - timedelta(seconds=400))
    assert "No progress for 1 min 40 s" in text(web.get(job.get_absolute_url()).content)


def test_a_page_without_a_worker_says_what_to_do(web: Client) -> None:
    job = factories.job()
    for address in ("/", job.get_absolute_url(), "/tools/bulk-tag/"):
        assert "No worker is running," in web.get(address).content.decode()


def test_a_second_undo_mentions_the_first(web: Client) -> None:
    parent = factories.job(Status.SUCCEEDED, changed=1)
    told = "has done this already"
    assert told not in web.get(f"/jobs/{parent.pk}/undo").content.decode()
    factories.job(Status.CANCELLED, parent=parent, follow_up=FollowUp.UNDO)
    factories.job(Status.SUCCEEDED, parent=parent, follow_up=FollowUp.RETRY)
    assert told not in web.get(f"/jobs/{parent.pk}/undo").content.decode()
    first = factories.job(Status.SUCCEEDED, parent=parent, follow_up=FollowUp.UNDO)
    page = text(web.get(f"/jobs/{parent.pk}/undo").content)
    assert f'Job <a href="/jobs/{first.pk}/">{first.pk}</a> {told} (succeeded)' in page


def test_the_request_of_an_undo_says_what_it_reverts(web: Client) -> None:
    parent = factories.job(Status.SUCCEEDED, changed=1, params={"add": ["vip"]})
    undo = factories.job(parent=parent, follow_up=FollowUp.UNDO, params={"add": ["vip"]})
    page = web.get(undo.get_absolute_url()).content.decode()
    assert f"Undo of job {parent.pk}: takes back what that job did" in page
    assert "Tags to add" not in page


def test_a_wait_that_is_over_names_no_time_in_the_past(web: Client) -> None:
    times = {"resumes_at": timezone.now() - timedelta(seconds=5)}
    job = factories.job(Status.WAITING, waiting_for=WaitReason.RATE_LIMIT, **times)
    page = text(web.get(job.get_absolute_url()).content)
    assert "due to go on any moment now – Zendesk asked us to slow down." in page
    assert ">Go on now</a>" in page
    assert "Waiting until" not in page


def test_the_first_few_batches_give_no_estimate(web: Client) -> None:
    start = timezone.now() - timedelta(seconds=30)
    job = factories.job(Status.RUNNING, total=1_000, changed=200, started_at=start, frozen_at=start)
    for number in (1, 2):
        at = start + timedelta(seconds=4 * number)
        factories.batch(job, size=100, changed=100, sent_at=start, settled_at=at)
    assert progress.status_of(job)["eta_seconds"] is None
    factories.batch(job, size=100, changed=100, sent_at=start, settled_at=start + timedelta(seconds=12))
    assert progress.status_of(job)["eta_seconds"] == 32


def test_a_fast_job_has_an_estimate_although_its_last_batches_span_a_moment(web: Client) -> None:
    start = timezone.now() - timedelta(seconds=60)
    job = factories.job(Status.RUNNING, total=100_000, changed=40_000, started_at=start, frozen_at=start)
    for number in range(20):
        at = start + timedelta(seconds=56, milliseconds=100 * number)
        factories.batch(job, size=100, changed=100, sent_at=at - timedelta(seconds=1), settled_at=at)
    assert progress.status_of(job)["eta_seconds"] == 87


def test_parents_and_children_are_linked(web: Client) -> None:
    parent = factories.job(Status.SUCCEEDED, changed=1)
    child = factories.job(parent=parent, follow_up=FollowUp.UNDO, title="Undo: it")
    assert f'href="/jobs/{child.pk}/"' in web.get(parent.get_absolute_url()).content.decode()
    page = text(web.get(child.get_absolute_url()).content)
    assert f'Undo of <a href="/jobs/{parent.pk}/">job {parent.pk}</a>' in page


@pytest.mark.parametrize("part", ["", "status", "cancel", "export.csv"])
@pytest.mark.parametrize("number", ["4711", "9" * 30])
def test_a_job_that_does_not_exist_is_not_found(web: Client, number: str, part: str) -> None:
    assert web.get(f"/jobs/{number}/{part}").status_code == 404


@pytest.mark.parametrize("status", [Status.ERRORED, Status.PAUSED])
def test_a_guarded_job_that_stands_still_says_that_its_tag_is_on(web: Client, status: Status) -> None:
    told = "The guard tag stays on until the job has ended."
    guarded, plain = (factories.job(status, changed=1, guarded=mode) for mode in ("until_end", ""))
    pages = [web.get(job.get_absolute_url()).content.decode() for job in (guarded, plain)]
    assert [told in page for page in pages] == [True, False]


def test_a_parameter_of_another_tool_may_share_a_name_with_ours(web: Client) -> None:
    job = factories.job(Status.SUCCEEDED, tool="own", params={"fields": ["size", "colour"]})
    assert "size, colour" in web.get(f"/jobs/{job.pk}/").content.decode()


def test_items_that_need_no_change_count_for_the_speed(web: Client) -> None:
    """Of a long list that is read late one batch in ten is sent; the others end by being read."""
    start = timezone.now() - timedelta(seconds=30)
    job = factories.job(
        Status.RUNNING, total=100_000, changed=150, unchanged=19_850, started_at=start, frozen_at=start
    )
    for number in range(20):
        at = start + timedelta(seconds=19 + number / 2)
        sent = (
            {"changed": 50, "sent_at": at - timedelta(seconds=1)} if number % 10 == 0 else {"sent_at": None}
        )
        read_at = at - timedelta(seconds=1)
        factories.batch(job, size=0, unchanged=50, read_at=read_at, settled_at=at, **sent)
    status = progress.status_of(job)
    # 1,100 tickets in ten and a half seconds, and 80,000 left
    assert (round(status["tickets_per_minute"]), status["eta_seconds"]) == (6_286, 764)


@pytest.mark.parametrize("where", ["/jobs/{pk}/", "/jobs/", "/", "/admin/jobs/job/"])
def test_an_undo_that_left_tickets_out_says_so_wherever_it_is_shown(admin_client: Client, where: str) -> None:
    done = factories.job(Status.SUCCEEDED, changed=12)
    undo = factories.job(
        Status.SUCCEEDED, changed=5, skipped=7, parent=done, follow_up=FollowUp.UNDO, title="Undo of job 1"
    )
    shown = admin_client.get(where.format(pk=undo.pk)).content.decode()
    assert re.search(
        r'class="status status-warning">(<svg.*?</svg>)?Succeeded, 7 not taken back</span>', shown
    )
    assert "status-success" in shown or where == "/jobs/{pk}/"


@pytest.mark.parametrize(
    ("find", "refs"),
    [
        ("4711", [4711]),
        (" #4711 ", [4711]),
        ("99", []),
        ("old", [7, 8, 9]),
        ("vip", [7, 9]),
        ("größe", [4711]),
        ("gr_ße", []),
        ("closed", [8]),
        ("tags", []),
        ("\x00", []),
    ],
)
def test_tickets_are_found_by_number_tag_and_reason(web: Client, find: str, refs: list[int]) -> None:
    job, other = factories.job(Status.PARTIAL, changed=3, failed=1), factories.job(Status.PARTIAL, changed=1)
    for ref in (7, 9):
        factories.item(job, ref)
    factories.item(job, 8, Outcome.SKIPPED, reason="closed")
    factories.item(job, 4711, before={"tags": ["größe"]}, change={"add": ["x"]})
    factories.item(other, 99)
    response = web.get(f"/jobs/{job.pk}/", {"find": find})
    assert response.status_code == 200
    assert [item.ref for item in response.context["items"].rows] == refs


def test_a_search_reads_a_bounded_number_of_tickets_and_goes_on_from_there(db: None) -> None:
    job = factories.job(Status.PARTIAL, changed=30)
    for ref in range(1, 31):
        factories.item(job, ref, change={"add": ["rare" if ref in (15, 29) else "vip"]})
    found, after = [], None
    for expected in (10, 20, 30, None):
        page = find_items(job.items.all(), "rare", after=after, size=25, at_once=10)
        found += [item.ref for item in page.rows]
        after = page.after
        assert after == expected
    assert found == [15, 29]
    full = find_items(job.items.all(), "vip", after=None, size=3, at_once=10)
    assert ([item.ref for item in full.rows], full.after) == ([1, 2, 3], 3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": Status.SUCCEEDED, "follow_up": FollowUp.UNDO, "changed": 1}, "Undone by"),
        ({"status": Status.SUCCEEDED, "follow_up": FollowUp.UNDO, "skipped": 1}, "Undo:"),
        ({"status": Status.RUNNING, "follow_up": FollowUp.UNDO, "total": 1}, "Undo:"),
        ({"status": Status.SUCCEEDED, "follow_up": FollowUp.RETRY, "changed": 1}, "Retried by"),
        ({"status": Status.SUCCEEDED, "follow_up": FollowUp.RUN, "changed": 1}, "Preview of"),
    ],
)
def test_a_job_names_what_followed_it(web: Client, fields: dict[str, Any], words: str) -> None:
    parent = factories.job(Status.PARTIAL, changed=1, failed=1)
    child = factories.job(parent=parent, **fields)
    page = text(web.get(parent.get_absolute_url()).content)
    assert f'{words} <a class="number" href="/jobs/{child.pk}/">#{child.pk}</a>' in page


def test_previews_and_real_changes_are_told_apart_in_words(web: Client) -> None:
    real = text(web.get(factories.job(Status.SUCCEEDED, changed=1).get_absolute_url()).content)
    preview = text(
        web.get(factories.job(Status.SUCCEEDED, planned=1, dry_run=True).get_absolute_url()).content
    )
    told = (">Real changes</span>", ">Preview: nothing is written to Zendesk</span>")
    assert [[words in page for words in told] for page in (real, preview)] == [[True, False], [False, True]]
