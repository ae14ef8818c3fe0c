"""The request of a form while it is filled in, and the form filled in by an address."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from jobs.models import Job
from tests import factories
from zendesk import sandbox

pytestmark = pytest.mark.once

DRAFT = "/tools/bulk-tag/draft"
VIEW = str(sandbox.VIEW_UNSOLVED)
SENT = {"nonce": "n", "dry_run": "on"}


def words(page: bytes) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))).strip()


def test_a_draft_needs_the_permission_to_run_jobs(client: Client, db: None) -> None:
    assert client.post(DRAFT).status_code == 307  # the sign-in page
    client.force_login(factories.user("bob", "view_job"))
    assert client.post(DRAFT).status_code == 403


@pytest.mark.parametrize("slug", ["tag-rows", "nothing"])
def test_a_tool_without_chosen_tickets_has_no_draft(web: Client, slug: str) -> None:
    assert web.post(f"/tools/{slug}/draft").status_code == 404


def test_a_draft_says_rows_total_sentence_and_command(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    filled = {"view": VIEW, "and-ids": "1 2", "not-ids": "3", "add": "vip", "lacking": "trial"}
    assert "Total not counted yet" in words(web.post(DRAFT, SENT | filled).content)  # Zendesk begins to count
    said = words(web.post(DRAFT, SENT | filled).content)
    number = len(demo_zendesk.view_ticket_ids(sandbox.VIEW_UNSOLVED))
    assert f"Take tickets of view “All unsolved tickets” {number:,} Also 2 tickets given by number 2" in said
    assert "Leave out 1 ticket given by number 1 Only those that lack trial checked on each" in said
    assert f"Total at most {number + 2:,}" in said
    assert "Add vip to tickets of view “All unsolved tickets” and 2 tickets given by number, but not" in said
    assert f"tag_tickets --add vip --view {VIEW} --ids 1,2 --not-ids 3 --lacking trial --dry-run" in said
    assert not Job.objects.exists()


def test_numbers_are_asked_for_once_and_no_ticket_is_read(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    for add in ("v", "vi", "vip"):
        assert b"Total" in web.post(DRAFT, SENT | {"view": VIEW, "add": add}).content
    calls = {name: number for name, number in demo_zendesk.ledger.calls.items() if "token" not in name}
    assert calls == {"GET views": 1, "GET views/{view_id}/count": 2}  # the first said that Zendesk counts


def test_tickets_are_told_before_the_change_is(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    said = words(web.post(DRAFT, SENT | {"view": VIEW}).content)
    assert "Tickets of view “All unsolved tickets”" in said
    assert "manage.py" not in said


@pytest.mark.parametrize("filled", [{}, {"add": "vip"}, {"view": "x"}, {"view": VIEW, "tag": "y"}])
def test_an_unfinished_form_has_an_empty_draft(
    web: Client, demo_zendesk: sandbox.Sandbox, filled: dict[str, str]
) -> None:
    assert words(web.post(DRAFT, SENT | filled).content) == ""


def test_a_silent_zendesk_leaves_the_number_open(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    demo_zendesk.faults.add("GET /api/v2/search/count", "server_error_before", times=50)
    said = words(web.post(DRAFT, SENT | {"search": "status:open", "add": "vip"}).content)
    assert "Take tickets found by “status:open” not counted yet Total not counted yet" in said
    assert "--search status:open" in said


def test_an_address_fills_in_the_form(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    query = {
        "add": "vip", "search": "status:open", "and-tag": "gold", "not-ids": "7", "lacking": "trial",
        "status": ["open", "new"], "limit": "9", "order": "newest", "include_closed": "on", "nonce": "theirs",
    }  # fmt: skip
    form = web.get("/tools/bulk-tag/", query).context["forms"]
    source = form.source_form
    assert (form.panel, source["search"].value(), source.added["tag"].value()) == (
        "search", "status:open", "gold",
    )  # fmt: skip
    assert (source.left_out["ids"].value(), source.filter_form["lacking"].value()) == ("7", "trial")
    assert source.filter_form["status"].value() == ["open", "new"]
    options = form.options_form
    assert [options[name].value() for name in ("limit", "order", "include_closed")] == ["9", "newest", True]
    assert options["nonce"].value() != "theirs"
