"""A tool's form: from what a person fills in to a job."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.actors import COMMAND_LINE
from jobs.models import Job
from jobs.retention import pruning
from jobs.states import Status
from tagmanager.intake import source_size
from tests import factories
from zendesk import sandbox

FORM = "/tools/bulk-tag/"
FILLED = {"add": "VIP gold", "nonce": "a-nonce-of-this-test"}


def errors(page: bytes) -> str:
    return re.sub(r"\s+", " ", page.decode())


def numbers(account: sandbox.Sandbox, count: int) -> list[int]:
    return account.ticket_ids()[:count]


def test_the_form_offers_the_views_of_zendesk(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    page = web.get(FORM).content.decode()
    assert f'<option value="{sandbox.VIEW_UNSOLVED}">' in page
    assert f'<option value="{sandbox.VIEW_INACTIVE}">' not in page
    assert "<script>alert" not in page


def test_a_small_job_is_done_when_its_page_is_shown(
    web: Client, ana: User, demo_zendesk: sandbox.Sandbox
) -> None:
    ids = numbers(demo_zendesk, 5)
    response = web.post(
        FORM, FILLED | {"ids": f"#{ids[0]}, {ids[1]}\n{ids[2]};{ids[3]} {ids[4]}"}, follow=True
    )
    job = Job.objects.get()
    assert response.redirect_chain == [(job.get_absolute_url(), 302)]
    assert (job.title, job.params, job.source, job.total, job.created_by, job.dry_run) == (
        "Add gold, vip to 5 tickets given by number",
        {"add": ["gold", "vip"], "remove": [], "set": [], "include_closed": False},
        {"kind": "ids", "name": "", "number": 5, "doubles": 0},
        5,
        ana,
        False,
    )
    assert job.is_ended
    assert job.changed + job.unchanged + job.skipped == 5


def test_a_dry_run_writes_nothing(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    def tags() -> list[frozenset[str]]:
        return [frozenset(demo_zendesk.ticket(ref).tags) for ref in demo_zendesk.ticket_ids()]

    before = tags()
    web.post(FORM, FILLED | {"tag": "nobody", "view": "", "dry_run": "on"})
    web.post(FORM, {"add": "x", "nonce": "2", "view": sandbox.VIEW_UNSOLVED, "dry_run": "on", "limit": "7"})
    job = Job.objects.latest("pk")
    assert (job.dry_run, job.limit, job.total, job.planned, job.calls_write) == (True, 7, 7, 7, 0)
    assert job.status == Status.SUCCEEDED
    assert tags() == before


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"search": "status:open"}, {"kind": "search", "query": "status:open"}),
        ({"tag": "Refund"}, {"kind": "tag", "tag": "refund"}),
        ({"view": str(sandbox.VIEW_EMPTY)}, {"kind": "view", "id": sandbox.VIEW_EMPTY}),
        ({"all_tickets": "on"}, {"kind": "all"}),
        (
            {"ids_file": SimpleUploadedFile("my ids.csv", b"\xef\xbb\xbfid,x\r\n1,a\r\n2,b\r\n")},
            {"kind": "ids", "name": "my ids.csv"},
        ),
    ],
)
def test_every_way_to_say_which_tickets_is_stored(
    web: Client, demo_zendesk: sandbox.Sandbox, given: dict[str, Any], source: dict[str, Any]
) -> None:
    assert web.post(FORM, FILLED | given | {"dry_run": "on"}).status_code == 302
    stored = Job.objects.get().source
    assert {key: stored[key] for key in source} == source


def test_all_tickets_of_the_account_need_a_preview_and_an_admin(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    page = errors(web.post(FORM, FILLED | {"all_tickets": "on"}).content)
    assert "How many tickets these are is not known yet, so a preview comes first." in page
    cache.clear()
    demo_zendesk.configure(role="agent")
    page = errors(web.post(FORM, FILLED | {"all_tickets": "on", "dry_run": "on"}).content)
    assert "to admins only. Connect as an admin. The connected user, " in page
    assert Job.objects.count() == 0


def test_a_double_click_makes_one_job(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    page = web.get(FORM).content.decode()
    nonce = re.search(r'name="nonce" value="([^"]{20,})"', page)
    assert nonce
    filled = {"add": "vip", "ids": "1", "nonce": nonce[1]}
    first = web.post(FORM, filled)
    second = web.post(FORM, filled, follow=True)
    assert second.redirect_chain == [(first["Location"], 302)]
    assert "This form had been sent before" in second.content.decode()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"add": "vip"}, "Say which tickets: choose a view,"),
        ({"add": "vip", "ids": "1", "tag": "x"}, "there are 2: a tag, ticket numbers."),
        ({"ids": "1"}, "Say at least one tag to add, to remove or to set."),
        ({"add": "vip", "ids": "12x"}, "is not a ticket number."),
        ({"add": "vip", "ids": "1", "canary": "20000"}, "Give a whole number from 1 to 10,000, or leave"),
        ({"add": "vip", "view": "12x"}, "The number of a view is a whole number"),
        ({"add": "vip", "job": "12x"}, "The number of a job is a whole number"),
        ({"add": "vip", "tag": "one two"}, "Give one tag."),
        ({"add": "vip", "view": "4711"}, "There is no view 4711 in Zendesk, or the connected"),
        ({"add": "vip", "ids": "1", "limit": "0"}, "Give a whole number from 1 on, or leave this empty."),
        ({"add": "vip", "ids": "1", "limit": "2", "canary": "2"}, "The job ends after 2 tickets, so 2"),
        ({"add": "vip", "ids": "1 2", "canary": "2"}, "There are 2 tickets, so it cannot be tried on 2"),
        ({"add": "vip", "ids": "1", "canary": "5"}, "There is one ticket, so it cannot be tried on 5 first."),
        ({"add": "vip", "search": "created:yesterdayish"}, "Zendesk cannot search for this."),
        ({"add": "vip", "ids": "1", "limit": "9999999"}, "No job may have more than 2,000,000 tickets here."),
        ({"add": "a!b", "ids": "1"}, "a!b would be stored as ab"),
        ({"add": "vip", "ids": "1", "and-view": "4711"}, "There is no view 4711 in Zendesk, or the"),
        ({"add": "vip", "ids": "1", "not-ids": "7 x"}, "Something under “Leave some out” has to be"),
        ({"add": "vip", "ids": "1", "having": "a!b"}, "Something under “Only some of them” has"),
        ({"add": "vip", "ids": "1", "lacking": "tag", "having": "tag"}, "No ticket can both have tag and"),
        ({"add": "vip", "ids": "1", "order": "sideways"}, "Choose one of the orders that are offered."),
    ],
)  # fmt: skip
def test_a_form_with_an_error_shows_it_and_starts_nothing(
    web: Client, demo_zendesk: sandbox.Sandbox, filled: dict[str, str], sentence: str
) -> None:
    response = web.post(FORM, filled | {"nonce": "kept-nonce"})
    assert response.status_code == 200
    page = errors(response.content)
    assert sentence in page
    assert "Nothing was started yet" in page
    assert 'name="nonce" value="kept-nonce"' in page
    for name, value in filled.items():
        assert value in page or name == "order"
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"id\n1\nx\n", "Line 3: &#x27;x&#x27; is not a ticket number."),
        (b"\x00\x01\x02", "The file holds bytes that are not text."),
        (b"\n", "The file is empty."),
        (b"", "The file is empty. Give ticket numbers, one a line"),
        (b"mail,x\n1,2\n", "No column is known; line 1 has mail, x."),
    ],
)
def test_a_broken_file_is_refused_in_words(
    web: Client, demo_zendesk: sandbox.Sandbox, content: bytes, sentence: str
) -> None:
    response = web.post(FORM, FILLED | {"ids_file": SimpleUploadedFile("ids.csv", content)})
    page = errors(response.content)
    assert sentence in page
    assert ("The file has to be chosen again" in page) == (not content)
    assert ("ids.csv is kept: it need not be chosen again." in page) == bool(content)


def test_words_that_are_not_ticket_numbers_are_named_and_can_be_left_out(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    ids = numbers(demo_zendesk, 3)
    filled = FILLED | {"ids": f"{ids[0]} abc\n{ids[1]} {ids[0]}\n12x {ids[2]}"}
    page = errors(web.post(FORM, filled).content).replace("&#x27;", "'")
    assert "2 are not ticket numbers: 'abc' (line 1), '12x' (line 3)." in page
    assert 'name="leave_out"' in page
    page = errors(web.post(FORM, filled | {"leave_out": "on"}, follow=True).content)
    assert "2 words that are no ticket numbers were left out." in page
    assert "1 number was given twice, and counts once." in page
    job = Job.objects.get()
    assert (job.title, sorted(job.items.values_list("ref", flat=True))) == (
        "Add gold, vip to 3 tickets given by number",
        sorted(ids),
    )


def test_leaving_words_out_is_offered_only_where_some_are_wrong(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    assert 'name="leave_out"' not in errors(web.get(FORM).content)
    page = errors(web.post(FORM, FILLED | {"ids": "one two", "leave_out": "on"}).content)
    assert "None of this is a ticket number." in page
    broken = SimpleUploadedFile("ids.csv", b"id\n1\nx\n")
    assert 'name="leave_out"' in errors(web.post(FORM, FILLED | {"ids_file": broken}).content)
    assert Job.objects.count() == 0


def test_a_job_that_needs_a_typed_number_needs_a_preview(
    web: Client, demo_zendesk: sandbox.Sandbox, settings: Any
) -> None:
    settings.SYNC_TICKET_LIMIT = 0
    many = " ".join(map(str, range(1, 10_002)))
    page = errors(web.post(FORM, FILLED | {"ids": many}).content)
    assert "These are about 10,001 tickets. Above 10,000 a preview comes first" in page
    assert Job.objects.count() == 0
    demo_zendesk.faults.add("GET /api/v2/search/count", "server_error_before", times=50)
    page = errors(web.post(FORM, FILLED | {"tag": "refund"}).content)
    assert "How many tickets these are is not known yet, so a preview comes first." in page
    assert Job.objects.count() == 0
    web.post(FORM, FILLED | {"ids": many, "limit": "10000", "nonce": "2"})
    web.post(FORM, FILLED | {"ids": many, "dry_run": "on", "nonce": "3"})
    assert list(Job.objects.order_by("pk").values_list("limit", "dry_run")) == [(10_000, False), (None, True)]


def test_a_title_tells_how_many_of_the_numbers_are_taken(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    web.post(FORM, FILLED | {"ids": "1 2 3", "limit": "2", "dry_run": "on"})
    assert Job.objects.get().title == "Add gold, vip to the first 2 of 3 tickets given by number"


def test_without_a_connection_the_field_says_what_to_set(web: Client) -> None:
    page = errors(web.get(FORM).content)
    assert "type the number of one. No Zendesk account is set up." in page.replace("&#x27;", "'")
    response = web.post(FORM, FILLED | {"ids": "1"})
    assert re.search(r'id="error_1_id_ids"[^>]*>.*?No Zendesk account is set up\.', errors(response.content))
    assert Job.objects.count() == 0


def test_an_unreachable_zendesk_is_an_error_at_the_view(web: Client, settings: Settings) -> None:
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9"
    settings.ZENDESK_OAUTH_TOKEN = "token"
    response = web.post(FORM, FILLED | {"view": "1"})
    assert "127.0.0.1:9 cannot be reached" in errors(response.content)
    assert Job.objects.count() == 0


def test_a_list_longer_than_expected_continues_in_the_background(
    web: Client, settings: Settings, demo_zendesk: sandbox.Sandbox
) -> None:
    settings.SYNC_TICKET_LIMIT = 10
    web.post(FORM, FILLED | {"ids": " ".join(map(str, numbers(demo_zendesk, 250)))})
    job = Job.objects.get()
    assert (job.is_active, job.lease_token, job.changed) == (True, "", 0)
    assert job.woken_at is not None


def test_an_unknown_tool_is_not_found(web: Client) -> None:
    assert web.get("/tools/nonsense/").status_code == 404


def test_a_fault_of_the_program_is_shown_on_the_page_of_the_job(
    web: Client, demo_zendesk: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("tagmanager.changes.ticket_work.TicketWork.plan", broken)
    page = web.post(FORM, FILLED | {"ids": "1"}, follow=True).content.decode()
    assert "Stopped by a fault of the program (RuntimeError)" in page


def test_the_home_page_names_the_account_or_the_missing_settings(web: Client, settings: Settings) -> None:
    assert "Zendesk is not connected." in web.get("/").content.decode()
    settings.ZENDESK_SUBDOMAIN = "acme"
    settings.ZENDESK_OAUTH_TOKEN = "secret-token"
    page = web.get("/").content.decode()
    assert "The account is https://acme.zendesk.com." in page
    assert "secret-token" not in page


def test_error_pages_look_like_the_other_pages(web: Client, client: Client) -> None:
    page = web.get("/nonsense").content.decode()
    assert "There is nothing here" in page
    assert "Sign out" in page
    factories.job()


def test_an_earlier_job_deleted_during_the_request_is_an_error(
    web: Client, demo_zendesk: sandbox.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = factories.job("partial", failed=1)
    look = source_size.why_not_tried

    def late(*asked: Any) -> str:
        """Somebody deletes it between the look at its number and the making of the job."""
        now = timezone.now()
        assert pruning.mark_family(earlier.pk, before=now, by=COMMAND_LINE, at=now)
        return look(*asked)

    monkeypatch.setattr(source_size, "why_not_tried", late)
    page = web.post(FORM, FILLED | {"job": str(earlier.pk), "outcomes": "failed", "dry_run": "on"})
    assert f"Job {earlier.pk} is not there any more: it was deleted" in page.content.decode()
    assert Job.objects.count() == 0
