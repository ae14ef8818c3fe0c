"""A tool's form while it is filled in: counts, suggestions, earlier jobs, the way back."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from jobs.models import Job, ListedRefs
from jobs.states import Outcome, Status
from tests import factories
from zendesk import sandbox

pytestmark = pytest.mark.once

FORM = "/tools/bulk-tag/"
PARTS = ("tags?q=vi", "stored?add=vip", "view-count?view=1", "search-count?search=x")


@pytest.mark.parametrize("part", PARTS)
def test_parts_need_the_permission_to_run_jobs(client: Client, db: None, part: str) -> None:
    assert client.get(f"/tools/parts/{part}").status_code in (302, 401)
    client.force_login(factories.user("bob", "view_job"))
    assert client.get(f"/tools/parts/{part}").status_code == 403


def test_a_form_that_a_person_may_not_send_says_whom_to_ask(client: Client, db: None) -> None:
    client.force_login(factories.user("bob", "view_job"))
    response = client.get(FORM)
    assert response.status_code == 403
    assert "Ask an administrator of Tag Manager" in response.content.decode()
    assert 'id="tool-form"' not in response.content.decode()


def test_tags_are_suggested_and_asked_for_once(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    known = next(tag for ref in demo_zendesk.ticket_ids() for tag in demo_zendesk.ticket(ref).tags)
    first = web.get("/tools/parts/tags", {"q": known[:2].upper()}).json()
    assert known in first["tags"] or len(first["tags"]) == 12
    assert [tag for tag in first["tags"] if not tag.startswith(known[:2])] == []
    assert demo_zendesk.ledger.calls["GET autocomplete/tags"] == 1
    assert web.get("/tools/parts/tags", {"q": known[:2]}).json() == first
    assert demo_zendesk.ledger.calls["GET autocomplete/tags"] == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("VIP, gold", "gold"),
        ("a!b", "a!b would be stored as ab: Zendesk drops !."),
        ("<b>", "&lt;b&gt; would be stored as b"),
        ("", ""),
    ],
)
def test_the_form_shows_tags_as_zendesk_would_store_them(web: Client, typed: str, said: str) -> None:
    page = web.get("/tools/parts/stored", {"add": typed}).content.decode()
    assert said in page
    assert "<b>" not in page
    assert bool(page.strip()) == bool(typed)


def test_a_view_and_a_search_are_counted(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    view = web.get("/tools/parts/view-count", {"view": sandbox.VIEW_UNSOLVED}).content.decode()
    assert re.search(r"[\d,]+ tickets|still counting", view)
    found = web.get("/tools/parts/search-count", {"search": "status:open"}).content.decode()
    assert re.fullmatch(r"[\d,]+ tickets\s*", found)
    assert web.get("/tools/parts/view-count", {"view": "x"}).content.decode().strip() == ""
    assert web.get("/tools/parts/search-count", {"search": " "}).content.decode().strip() == ""


def test_counts_say_why_there_are_none(web: Client, settings: Settings) -> None:
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9"
    settings.ZENDESK_OAUTH_TOKEN = "secret-token"
    cache.clear()
    for part in ("view-count?view=1", "search-count?search=x"):
        page = web.get(f"/tools/parts/{part}").content.decode()
        assert "127.0.0.1:9 cannot be reached" in page
        assert "secret-token" not in page
    assert web.get("/tools/parts/tags?q=vi").json()["tags"] == []


def test_only_the_panel_that_is_shown_counts(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    filled = {
        "add": "vip",
        "nonce": "n",
        "ids": "12x",
        "tag": "one two",
        "search": "status:open",
        "kind": "search",
    }
    assert web.post(FORM, filled | {"dry_run": "on"}).status_code == 302
    assert Job.objects.get().source == {"kind": "search", "query": "status:open"}
    page = web.post(FORM, filled | {"search": ""}).content.decode()
    assert "Say which tickets" in page
    assert 'data-chosen="search"' in page


def test_tickets_of_an_earlier_job_are_a_source(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    refs = demo_zendesk.ticket_ids()[:3]
    earlier = factories.job(Status.PARTIAL, failed=2, changed=1)
    for ref, outcome in zip(refs, ("failed", "failed", "changed"), strict=True):
        factories.item(earlier, ref, outcome)
    filled = {"add": "again", "nonce": "n", "job": str(earlier.pk), "dry_run": "on"}
    web.post(FORM, filled | {"outcomes": ["failed"]})
    made = Job.objects.latest("pk")
    assert made.source == {"kind": "items", "job": earlier.pk, "outcomes": ["failed"]}
    assert made.title == f"Add again to the failed tickets of job {earlier.pk}"
    assert sorted(made.items.values_list("ref", flat=True)) == refs[:2]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"job": "999"}, "There is no job 999 here."),
        ({"outcomes": []}, "Tick which of its tickets"),
        ({"outcomes": ["skipped"]}, "has no ticket that is skipped."),
        ({"outcomes": ["nonsense"]}, "Tick one of the choices that are offered."),
    ],
)
def test_an_earlier_job_without_such_tickets_is_refused(
    web: Client, demo_zendesk: sandbox.Sandbox, given: dict[str, Any], sentence: str
) -> None:
    earlier = factories.job(Status.SUCCEEDED, changed=1)
    filled = {"add": "x", "nonce": "n", "job": str(earlier.pk), "outcomes": ["changed"]} | given
    assert sentence in web.post(FORM, filled).content.decode()
    assert Job.objects.count() == 1


def test_an_earlier_job_that_has_not_ended_is_refused(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    earlier = factories.job(Status.RUNNING, failed=1, total=5)
    page = web.post(FORM, {"add": "x", "nonce": "n", "job": str(earlier.pk), "outcomes": ["failed"]})
    assert "has not ended yet" in page.content.decode()


def test_the_number_of_tickets_to_try_first_is_stored(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    ids = " ".join(map(str, demo_zendesk.ticket_ids()[:3]))
    web.post(FORM, {"add": "x", "nonce": "n", "ids": ids, "dry_run": "on", "canary": "2"})
    assert Job.objects.get().canary == 2


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            {"kind": "view", "id": 4711, "title": "A view"},
            r'(value="4711" selected|name="view" value="4711")',
        ),
        ({"kind": "search", "query": 'a "b" <c>'}, r'name="search" value="a &quot;b&quot; &lt;c&gt;"'),
        ({"kind": "tag", "tag": "gold"}, r'name="tag" value="gold"'),
        ({"kind": "items", "job": 7, "outcomes": ["skipped"]}, r'name="job" value="7"'),
    ],
)
def test_run_again_fills_the_form_from_an_earlier_job(
    web: Client, source: dict[str, Any], shown: str
) -> None:
    stored = {"add": ["gold", "vip"], "remove": [], "set": [], "include_closed": True}
    job = factories.job(Status.SUCCEEDED, source=source, params=stored, limit=12, canary=3)
    page = web.get(f"{FORM}?again={job.pk}").content.decode()
    assert 'name="add" value="gold vip"' in page
    assert re.search(shown, page)
    assert re.search(r'name="limit" value="12"', page)
    assert re.search(r'name="canary" value="3"', page)
    assert re.search(r'name="include_closed"[^>]* checked', page)
    assert Job.objects.count() == 1


def test_run_again_fills_in_ticket_numbers_up_to_a_limit(web: Client) -> None:
    few, many = factories.job(Status.SUCCEEDED), factories.job(Status.SUCCEEDED)
    ListedRefs.objects.create(job=few, number=0, refs="1 2 3")
    for number in range(2):
        ListedRefs.objects.create(job=many, number=number, refs=" ".join(map(str, range(1, 4_000))))
    assert ">\n1 2 3</textarea>" in web.get(f"{FORM}?again={few.pk}").content.decode()
    page = web.get(f"{FORM}?again={many.pk}").content.decode()
    assert f'name="job" value="{many.pk}"' in page
    assert len(re.findall(r'name="outcomes"[^>]* checked', page)) == len(Outcome)


@pytest.mark.parametrize("number", ["x", "999", "-1", "9" * 30, "²"])
def test_run_again_of_nothing_is_an_empty_form(web: Client, number: str) -> None:
    response = web.get(FORM, {"again": number})
    assert response.status_code == 200
    assert "Filled in from" not in response.content.decode()


def test_a_form_that_was_changed_after_back_makes_another_job(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    filled = {"add": "vip", "ids": "1", "nonce": "the-same", "dry_run": "on"}
    web.post(FORM, filled)
    web.post(FORM, filled)
    web.post(FORM, filled | {"add": "gold"})
    assert Job.objects.count() == 2


def test_an_error_is_tied_to_its_field(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    page = web.post(FORM, {"add": "a!b", "ids": "1", "nonce": "n"}).content.decode()
    box = re.search(r'<input[^>]*name="add"[^>]*>', page)
    assert box
    assert 'aria-invalid="true"' in box[0]
    described = re.search(r'aria-describedby="([^"]+)"', box[0])
    assert described
    names = described[1].split()
    assert names
    for name in names:
        assert f'id="{name}"' in page
    assert 'value="a!b"' in box[0]
    assert "error" in described[1]


def test_the_condition_for_triggers_names_the_guard_tag_as_it_is_typed(web: Client) -> None:
    said = html.unescape(web.get("/tools/parts/guard", {"guard": "Quiet"}).content.decode())
    assert "Ticket > Tags · Contains none of the following · quiet<" in said
    assert '{"field": "current_tags", "operator": "not_includes", "value": "quiet"}' in said
    for typed in ("", "two tags", "a#b"):
        assert "· bulk_update<" in web.get("/tools/parts/guard", {"guard": typed}).content.decode()
    assert "· bulk_update<" in web.get(FORM).content.decode()


def test_ticking_closed_tickets_warns_users_who_are_not_admins(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    def told() -> str:
        return web.get("/tools/parts/closed", {"include_closed": "on"}).content.decode()

    assert "only admins" not in told()
    demo_zendesk.configure(role="agent")
    cache.clear()
    assert "Dana Demo, as whom Tag Manager is connected, has the role agent in Zendesk, and only" in told()
    assert web.get("/tools/parts/closed").content.strip() == b""


def test_a_guarded_request_makes_a_guarded_job_and_comes_back_into_the_form(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    refs = [ref for ref in demo_zendesk.ticket_ids() if demo_zendesk.ticket(ref).status == "open"][:2]
    asked = {"add": "brand-new", "ids": " ".join(map(str, refs)), "nonce": "n", "guard": "Quiet"}
    web.post(FORM, asked)
    job, after = Job.objects.order_by("pk")
    assert (job.params["guard"], job.guarded, job.changed) == ("quiet", "until_end", 2)
    assert (after.follow_up, after.parent, after.status, after.changed) == ("unguard", job, "succeeded", 2)
    page = web.get(job.get_absolute_url()).content.decode()
    assert f'Guard tag removed by <a class="number" href="{after.get_absolute_url()}">#2</a>' in page
    assert "Take the guard tag off: Add brand-new" in page
    assert "<dt>Guard tag</dt><dd>quiet</dd>" in page
    assert "do-unguard" not in page
    after_page = web.get(after.get_absolute_url()).content.decode()
    assert f'Takes the guard tag off after <a href="{job.get_absolute_url()}">' in after_page
    assert 'name="guard" value="quiet"' in web.get(f"{FORM}?again={job.pk}").content.decode()

    web.post(FORM, asked | {"add": "another-one", "guard_stays": "on", "nonce": "m"})
    job = Job.objects.latest("pk")
    assert (job.guarded, job.children.exists()) == ("stays", False)
    assert 'id="do-unguard"' in web.get(job.get_absolute_url()).content.decode()
    assert "takes the guard tag “quiet” off 2 tickets" in web.get(f"/jobs/{job.pk}/unguard").content.decode()


@pytest.mark.parametrize(
    ("guard", "problem"),
    [
        ({"guard": "vip"}, "The change itself adds or removes vip, so that tag cannot guard it."),
        ({"guard": "a b"}, "Give one tag; these are 2: a, b."),
        ({"guard_stays": "on"}, "Say which tag is to be left on, or take out the tick below."),
    ],
)
def test_a_guard_tag_that_cannot_be_one_makes_no_job(
    web: Client, demo_zendesk: sandbox.Sandbox, guard: dict[str, str], problem: str
) -> None:
    page = web.post(FORM, {"add": "vip", "ids": "1", "nonce": "n"} | guard).content.decode()
    assert problem in html.unescape(page)
    assert not Job.objects.exists()
