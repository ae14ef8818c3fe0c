"""The page of the macro tool: what it offers, what it refuses, and what its preview shows."""

from __future__ import annotations

import html

from django.test import Client

from jobs.models import Job
from zendesk import sandbox

FORM = "/tools/apply-macro/"
FILLED = {"nonce": "a-nonce-of-this-test", "dry_run": "on"}


def test_the_active_macros_are_offered_by_their_names(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    page = web.get(FORM).content.decode()
    assert f'<option value="{sandbox.MACRO_ESCALATE}">Escalate to the specialists</option>' in page
    assert f'value="{sandbox.MACRO_INACTIVE}"' not in page
    assert "<img src=x" not in page


def test_a_macro_with_a_comment_is_refused_until_that_is_left_out(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    refs = " ".join(map(str, demo_zendesk.ticket_ids()[:5]))
    filled = FILLED | {"macro": str(sandbox.MACRO_NOTE), "ids": refs}
    page = html.unescape(web.post(FORM, filled).content.decode())
    assert "Not all of the macro “Note: checked by the night shift” can be applied" in page
    assert not Job.objects.exists()
    page = html.unescape(web.post(FORM, filled | {"without": "on"}, follow=True).content.decode())
    assert "Of the macro this is left out: its comment." in page
    assert Job.objects.get().params == {
        "macro": sandbox.MACRO_NOTE,
        "macro_title": "Note: checked by the night shift",
        "add": ["night_shift"],
        "remove": [],
        "set": [],
        "fields": {},
        "left_out": ["its comment"],
        "include_closed": False,
    }


def test_the_preview_shows_each_field_as_it_is_and_as_it_would_be(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    ref = next(ref for ref in demo_zendesk.ticket_ids() if demo_zendesk.ticket(ref).status == "open")
    web.post(FORM, FILLED | {"macro": str(sandbox.MACRO_CLOSE_SPAM), "ids": str(ref)})
    job = Job.objects.get()
    page = web.get(f"/tools/preview/{job.pk}/samples").content.decode()
    assert "status: open → solved" in page
    page = web.get(f"{job.get_absolute_url()}?outcome=planned").content.decode()
    assert "status: open → solved" in page


def test_the_form_is_filled_again_from_an_earlier_job(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    ref = demo_zendesk.ticket_ids()[0]
    web.post(FORM, FILLED | {"macro": str(sandbox.MACRO_NOTE), "ids": str(ref), "without": "on"})
    page = web.get(f"{FORM}?again={Job.objects.get().pk}").content.decode()
    assert f'<option value="{sandbox.MACRO_NOTE}" selected>' in page
    assert "checked" in page
