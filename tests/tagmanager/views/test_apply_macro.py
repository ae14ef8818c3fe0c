"""The page of the macro tool: what it offers, what it refuses, and what its preview shows."""

from __future__ import annotations

import html
import json

import pytest
from django.test import Client

from jobs.models import Job
from zendesk import sandbox
from zendesk.sandbox.account import people
from zendesk.sandbox.tickets import rendering

FORM = "/tools/apply-macro/"
FILLED = {"nonce": "a-nonce-of-this-test", "dry_run": "on"}


def test_the_active_macros_are_offered_by_their_names(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    page = web.get(FORM).content.decode()
    assert f'<option value="{sandbox.MACRO_ESCALATE}">Escalate to the specialists</option>' in page
    assert f'value="{sandbox.MACRO_INACTIVE}"' not in page
    assert "<img src=x" not in page


def test_the_comment_is_posted_unless_skipped(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    refs = " ".join(map(str, demo_zendesk.ticket_ids()[:5]))
    filled = FILLED | {"macro": str(sandbox.MACRO_NOTE), "ids": refs}
    web.post(FORM, filled)
    note = Job.objects.latest("pk")
    assert note.title == "Apply the macro “Note: checked by the night shift” to 5 tickets given by number"
    assert note.params["internal_note"] == "Checked by the night shift."
    page = html.unescape(web.post(FORM, filled | {"extent": "fields"}, follow=True).content.decode())
    assert "Of the macro this is left out: its comment." in page
    assert Job.objects.latest("pk").params == {
        "macro": sandbox.MACRO_NOTE,
        "macro_title": "Note: checked by the night shift",
        "add": ["night_shift"],
        "remove": [],
        "set": [],
        "fields": {},
        "left_out": ["its comment"],
        "include_closed": False,
    }


def test_a_public_reply_needs_a_preview_with_the_text_and_a_typed_number(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    refs = [ref for ref in demo_zendesk.ticket_ids() if demo_zendesk.ticket(ref).status == "open"][:3]
    filled = FILLED | {"macro": str(sandbox.MACRO_NOT_RESPONDING), "ids": " ".join(map(str, refs))}
    without_preview = {name: value for name, value in filled.items() if name != "dry_run"}
    page = html.unescape(web.post(FORM, without_preview).content.decode())
    assert "This replies publicly" in page
    assert not Job.objects.exists()

    page = html.unescape(web.post(FORM, filled, follow=True).content.decode())
    assert "This will e-mail 3 customers" in page
    job = Job.objects.get()
    samples = html.unescape(web.get(f"/tools/preview/{job.pk}/samples").content.decode())
    assert len(refs) == 3
    for ref in refs:
        name = people.name(json.loads(rendered(demo_zendesk, ref))["requester_id"])
        assert f"Hello {name}. Dana Demo has news on #{ref}." in samples
    run = f"/jobs/{job.pk}/run"
    assert "Type the number of tickets, 3, to confirm" in web.post(run).content.decode()
    assert web.post(run, {"typed": "4"}).status_code == 422
    assert demo_zendesk.ledger.public_comments == {}
    page = html.unescape(web.post(run, {"typed": "3"}, follow=True).content.decode())
    assert "public reply" in page
    assert dict(demo_zendesk.ledger.public_comments) == dict.fromkeys(refs, 1)

    done = Job.objects.latest("pk")
    page = html.unescape(web.get(f"/jobs/{done.pk}/undo").content.decode())
    assert "The public replies that were posted stay" in page
    assert "This will e-mail" not in page
    page = html.unescape(web.post(f"/jobs/{done.pk}/undo", follow=True).content.decode())
    assert "What stays" in page
    assert "The public reply and the mail that it sent stay." in page


def test_a_comment_that_is_the_same_on_all_tickets_is_shown_once(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    refs = " ".join(map(str, demo_zendesk.ticket_ids()[:5]))
    web.post(FORM, FILLED | {"macro": str(sandbox.MACRO_NOTE), "ids": refs})
    page = web.get(f"/tools/preview/{Job.objects.get().pk}/samples").content.decode()
    assert page.count("Checked by the night shift.") == 1
    assert "as an internal note" in page


def rendered(demo_zendesk: sandbox.Sandbox, ref: int) -> str:
    slot = demo_zendesk.store.slot(ref)
    assert slot is not None
    return rendering.ticket(demo_zendesk.store, slot, "")


def test_the_preview_shows_each_field_before_and_after(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    ref = next(ref for ref in demo_zendesk.ticket_ids() if demo_zendesk.ticket(ref).status == "open")
    web.post(FORM, FILLED | {"macro": str(sandbox.MACRO_CLOSE_SPAM), "ids": str(ref)})
    job = Job.objects.get()
    page = web.get(f"/tools/preview/{job.pk}/samples").content.decode()
    assert "status: <del>open</del> → <ins>solved</ins>" in page
    page = web.get(f"{job.get_absolute_url()}?outcome=planned").content.decode()
    assert "status: <del>open</del> → <ins>solved</ins>" in page


def test_groups_are_shown_by_name(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    billing = next(number for number, name in people.GROUPS.items() if name == "Billing")
    store, open_ones = demo_zendesk.store, demo_zendesk.view_ticket_ids(sandbox.VIEW_UNSOLVED)
    ref = next(ref for ref in open_ones if rendering.group_id(store, store.slot(ref) or 0) == billing)
    web.post(FORM, FILLED | {"macro": str(sandbox.MACRO_ESCALATE), "ids": str(ref)})
    job = Job.objects.get()
    assert demo_zendesk.ledger.calls["GET groups"] == 1
    assert demo_zendesk.ledger.calls["GET ticket_fields"] == 1  # a tag that it adds may be an option
    page = web.get(f"/tools/preview/{job.pk}/samples").content.decode()
    assert "group: <del>Billing</del> → <ins>Escalations</ins>" in page
    page = html.unescape(web.get(job.get_absolute_url()).content.decode())
    assert "group: <del>Billing</del> → <ins>Escalations</ins>" in page
    assert "group: Escalations" in page
    assert "priority: high" in page
    assert str(billing) not in page
    assert demo_zendesk.ledger.calls["GET groups"] == 1


@pytest.mark.parametrize(
    ("macro", "extent"),
    [
        (sandbox.MACRO_NOTE, "all"),
        (sandbox.MACRO_NOTE, "fields"),
        (sandbox.MACRO_SOLVE_FIXED, "possible"),
        (sandbox.MACRO_SOLVE_FIXED, "fields"),
    ],
)
def test_the_form_is_filled_again_from_an_earlier_job(
    web: Client, demo_zendesk: sandbox.Sandbox, macro: int, extent: str
) -> None:
    ref = demo_zendesk.ticket_ids()[0]
    web.post(FORM, FILLED | {"macro": str(macro), "ids": str(ref), "extent": extent})
    page = web.get(f"{FORM}?again={Job.objects.get().pk}").content.decode()
    assert f'<option value="{macro}" selected>' in page
    assert f'<option value="{extent}" selected>' in page
