"""The folded parts of a tool's form: more tickets, those to leave out, those to keep to, and their order."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs.models import Job
from tests.demo import outcomes
from tests.tagmanager.forms.test_prefill import FORM, asked, sent_again
from tests.tagmanager.views.test_people import sent_too_late
from zendesk import sandbox

pytestmark = pytest.mark.once

VIEW, OTHER = sandbox.VIEW_UNSOLVED, sandbox.VIEW_PENDING


def in_view(account: sandbox.Sandbox, view: int) -> set[int]:
    return set(account.view_ticket_ids(view))


def folds(page: str) -> list[bool]:
    """Of each folded part, whether it lies open."""
    return ["open" in found for found in re.findall(r'<details class="fold"([^>]*)>', page)]


def test_all_fields_together_decide_which_tickets_are_listed(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    unsolved, pending = in_view(demo_zendesk, VIEW), in_view(demo_zendesk, OTHER)
    closed = [ref for ref in demo_zendesk.ticket_ids() if demo_zendesk.ticket(ref).status == "closed"]
    spared = sorted(unsolved - pending)[:3]
    demo_zendesk.edit(spared[0], add=["spare"])
    filled = {
        "add": "new-tag", "nonce": "1", "kind": "view", "view": VIEW, "ids": "hidden, and does not count",
        "and-ids": f"#{closed[0]}, {closed[0]}", "not-view": OTHER, "lacking": "spare",
        "not-ids_file": SimpleUploadedFile("spared.csv", f"id\n{spared[1]}\n".encode()),
        "status": ["new", "open", "closed"], "order": "oldest", "limit": "12", "dry_run": "on",
    }  # fmt: skip
    page = web.post(FORM, filled, follow=True).content.decode()
    job = Job.objects.get()
    states = {
        ref: demo_zendesk.ticket(ref).status for ref in {*unsolved, closed[0]} - pending - {*spared[:2]}
    }
    fitting = [ref for ref, status in states.items() if status in ("new", "open", "closed")]
    assert sorted(outcomes(job)) == sorted(fitting)[:12]
    assert job.title == (
        "Add new-tag to tickets of view “All unsolved tickets” and 1 ticket given by number, but not tickets "
        "of view “Pending tickets” or 1 ticket of spared.csv, only those that lack spare and are closed or "
        "new or open; the 12 oldest"
    )
    assert "1 number was given twice, and counts once." in page
    assert "also: 1 ticket given by number" in page
    assert "but not: the view Pending tickets" in page


def test_an_untouched_form_has_its_parts_folded(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    assert folds(web.get(FORM).content.decode()) == [False, False, False]


@pytest.mark.parametrize(
    ("filled", "opened", "at"),
    [
        ({"and-tag": "a!b"}, [True, False, False], "and-tag"),
        ({"not-job": "77"}, [False, True, False], "not-job"),
        ({"lacking": "a!b"}, [False, True, False], "lacking"),
        ({"having": "a!b"}, [False, False, True], "having"),
    ],
)
def test_a_part_with_an_error_is_unfolded_and_shows_it_at_its_field(
    web: Client,
    demo_zendesk: sandbox.Sandbox,
    filled: dict[str, str],
    opened: list[bool],
    at: str,
) -> None:
    page = web.post(FORM, {"add": "vip", "nonce": "1", "ids": "1"} | filled).content.decode()
    assert (folds(page), Job.objects.count()) == (opened, 0)
    assert f'id="error_1_id_{at}"' in page


def test_words_that_are_not_numbers_may_be_left_out_of_each_list(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    filled = {"add": "vip", "nonce": "1", "ids": "1 2", "not-ids": "2 x", "dry_run": "on"}
    assert 'name="not-leave_out"' in web.post(FORM, filled).content.decode()
    page = web.post(FORM, filled | {"not-leave_out": "on"}, follow=True).content.decode()
    assert "1 word that is no ticket number was left out." in page
    assert sorted(outcomes(Job.objects.get())) == [1]


def test_a_combined_choice_fills_the_form_again(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    filled = {
        "add": "new-tag", "nonce": "1", "kind": "view", "view": VIEW, "and-tag": "refund", "and-ids": "7 8",
        "not-search": "tags:vip", "not-ids": "9", "having": "billing", "lacking": "x y",
        "status": ["open", "new"], "order": "last-changed", "dry_run": "on",
    }  # fmt: skip
    web.post(FORM, filled)
    first = Job.objects.get()
    again = sent_again(web, first, dry_run="on")
    assert asked(again) == asked(first)
    assert again.title == first.title


def test_a_choice_without_fields_on_the_page_becomes_the_earlier_jobs_tickets(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    web.post(FORM, {"add": "a", "nonce": "1", "view": VIEW, "and-view": OTHER, "dry_run": "on"})
    first = Job.objects.get()
    views = [{"kind": "view", "id": VIEW, "title": ""}] * 3
    Job.objects.update(source={"kind": "several", "of": views})
    first.refresh_from_db()
    again = sent_again(web, first, dry_run="on")
    assert again.title.endswith(f"the tickets of job {first.pk}")
    assert outcomes(again) == outcomes(first)


def test_a_tools_own_tickets_may_be_left_out_or_added_to(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    vips = [ref for ref in demo_zendesk.ticket_ids() if "vip" in demo_zendesk.ticket(ref).tags]
    form = "/tools/rename-tags/"
    filled = {
        "old": "vip",
        "new": "gold",
        "nonce": "1",
        "kind": "own",
        "not-ids": str(vips[0]),
        "dry_run": "on",
    }
    web.post(form, filled)
    job = Job.objects.get()
    assert set(outcomes(job)) == set(vips[1:])
    page = web.get(form, {"again": job.pk}).content.decode()
    assert 'data-chosen="own"' in page
    assert folds(page) == [False, True, False]


def test_many_tickets_need_a_preview_even_if_they_may_be_fewer(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    many = " ".join(map(str, range(1, 6_001)))
    more = " ".join(map(str, range(3_001, 9_002)))
    filled = {"add": "vip", "nonce": "1", "ids": many, "and-ids": more, "lacking": "x"}
    page = web.post(FORM, filled).content.decode()
    assert "These may be up to 12,001 tickets. Above 10,000 a preview comes first" in page
    assert Job.objects.count() == 0


def test_text_in_folded_parts_survives_the_end_of_the_session(
    client: Client, ana: User, demo_zendesk: sandbox.Sandbox
) -> None:
    filled: dict[str, object] = {
        "add": "vip", "nonce": "1", "ids": "1", "not-ids": "5 6", "status": ["open", "new"],
        "order": "newest",
    }  # fmt: skip
    page = sent_too_late(client, FORM, filled).content.decode()
    assert ("5 6</textarea>" in page, folds(page)) == (True, [False, True, True])
    assert re.findall(r'name="status" value="(\w+)"[^>]* checked', page) == ["new", "open"]
    assert re.search(r'value="newest" selected', page)
