"""What a dry run shows before anything is written, and the step from there to the real run."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import Settings

from jobs.models import Job, ListedRefs
from jobs.states import FollowUp, Outcome, Status
from tagmanager.account.tag_references import tag_references
from tagmanager.previews.estimate import Estimate, estimate
from tagmanager.previews.samples import Sample, Samples, samples_of
from tagmanager.previews.tag_changes import PairCount, pair_counts
from tagmanager.previews.warnings import warnings_of
from tests import factories
from tests.demo import params
from zendesk import sandbox

HTMX = {"HX-Request": "true"}


def previewed(web: Client, ids: list[int], **filled: str) -> Job:
    """A finished preview of a job on these tickets."""
    given = {"add": "vip", "ids": " ".join(map(str, ids)), "dry_run": "on", "nonce": "n"} | filled
    assert web.post("/tools/bulk-tag/", given).status_code == 302
    job = Job.objects.latest("pk")
    assert (job.dry_run, job.status) == (True, Status.SUCCEEDED)
    return job


def planned(number: int, **fields: object) -> Job:
    return factories.job(Status.SUCCEEDED, dry_run=True, planned=number, **fields)


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_samples_show_subjects_and_the_difference_in_tags(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    ref = next(r for r in demo_zendesk.ticket_ids() if demo_zendesk.ticket(r).status == "open")
    job = previewed(web, [ref])
    page = web.get(f"/tools/preview/{job.pk}/samples", headers=HTMX).content.decode()
    assert re.search(r"adds </span>vip", page)
    assert f"/agent/tickets/{ref}" in page
    assert "<html" not in page
    assert "subject" not in str(list(Job.objects.values())) + str(list(job.items.values()))
    whole = web.get(f"/tools/preview/{job.pk}/samples").content.decode()
    assert "<html" in whole


def test_samples_are_the_lowest_and_the_highest_ids(db: None) -> None:
    job = planned(50)
    for ref in range(1, 51):
        factories.item(job, ref, Outcome.PLANNED)
    found = samples_of(job)
    assert [row.ref for row in found.rows] == [*range(1, 11), *range(41, 51)]
    assert "No Zendesk account is set up." in found.problem
    assert found.rows[0] == Sample(1, "", kept=["old"], added=["vip"], removed=[])


def test_hostile_text_is_escaped_on_every_part(db: None) -> None:
    job = planned(1)
    evil = "<script>alert(1)</script>"
    sample = Sample(1, evil, kept=[evil], added=[evil], removed=[evil])
    samples = render_to_string("preview/_samples.html", {"samples": Samples([sample], evil), "job": job})
    count = render_to_string("tools/_count.html", {"problem": evil})
    stored = render_to_string("tools/_stored.html", {"problem": evil})
    assert "<script" not in samples + count + stored
    assert samples.count("&lt;script") == 5


def test_warnings_name_everything_in_the_account_that_refers_to_a_tag(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    first = {each.kind: each for each in reversed(tag_references()) if each.field_type in ("tagger", "")}
    assert set(first) == {
        *("field", "trigger", "automation", "view", "macro"),
        *("SLA policy", "queue", "workspace", "deletion schedule"),
    }
    named = sorted({min(each.tags) for each in first.values()})
    job = planned(1, params=params(add=named))
    page = words(web.get(f"/tools/preview/{job.pk}/warnings", headers=HTMX).content)
    content = web.get(f"/tools/preview/{job.pk}/warnings").content.decode()
    assert f"dropdown field “{first['field'].title}”: adding" in page
    for each in first.values():
        assert f"“{each.title}”" in page
        assert f'href="{each.address}"' in content
    rows = list(
        csv.DictReader(io.StringIO(web.get(f"/tools/preview/{job.pk}/named-in.csv").content.decode()))
    )
    assert {row["address"] for row in rows} >= {each.address for each in first.values()}
    assert [row["tags"] for row in rows if not set(row["tags"].split()) & set(named)] == []


def test_references_are_unavailable_while_zendesk_is(web: Client, settings: Settings) -> None:
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9"
    answer = web.get(f"/tools/preview/{planned(1).pk}/named-in.csv")
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain; charset=utf-8")
    assert answer.content.decode().startswith("No credentials for Zendesk are set up.")


def test_each_pair_is_counted_even_if_on_no_ticket(web: Client) -> None:
    pairs = {"old": "new", "older": "new", "gone": "", "nowhere": "new"}
    job = planned(3, tool="rename-tags", params={"pairs": pairs, "include_closed": False})
    for ref, removed in ((1, ["old"]), (2, ["old", "older"]), (3, ["gone"])):
        change = {"add": ["new"] if removed != ["gone"] else [], "remove": removed}
        factories.item(job, ref, Outcome.PLANNED, change=change)
    assert pair_counts(job) == [
        PairCount("old", "new", 2),
        PairCount("gone", "", 1),
        PairCount("older", "new", 1),
        PairCount("nowhere", "new", 0),
    ]
    page = words(web.get(f"/tools/preview/{job.pk}/pairs").content)
    assert "old → becomes new 2" in page
    assert "gone is taken off 1" in page


def test_a_tool_without_pairs_has_none_to_count(db: None) -> None:
    assert pair_counts(planned(1)) == []


def test_warnings_mention_closed_tickets_and_jobs_on_the_same_tickets(db: None) -> None:
    source = {"kind": "view", "id": 7, "title": "A view"}
    job = planned(1, skipped=2, source=source)
    for ref in (1, 2):
        factories.item(job, ref, Outcome.SKIPPED, reason="closed")
    other = factories.job(Status.RUNNING, source=source)
    factories.job(Status.RUNNING, source={"kind": "view", "id": 8, "title": "Another"})
    found = warnings_of(job)
    assert [warning.text[:40] for warning in found.all] == [
        "2 closed tickets are left out. Zendesk l",
        f"Job {other.pk} is at work on some of the same tickets"[:40],
    ]
    assert "No Zendesk account is set up." in found.problem


def test_warnings_count_closed_tickets_that_would_change_and_mention_a_missing_admin(
    db: None, demo_zendesk: sandbox.Sandbox
) -> None:
    job = factories.job(
        Status.SUCCEEDED, dry_run=True, planned=2_000, kinds={"closed": 1_800, "archived": 1_500}
    )
    closed = [warning.text for warning in warnings_of(job).all if "are closed" in warning.text]
    told = (
        "1,800 of the tickets that will change are closed, 1,500 of them archived for certain. One is tried "
        "first: where Zendesk refuses it, no other closed one is sent, and the job says what to allow."
    )
    assert closed == [told]
    demo_zendesk.configure(role="agent")
    cache.clear()
    closed = [warning.text for warning in warnings_of(job).all if "closed" in warning.text]
    assert closed[1] == (
        "Dana Demo, as whom Tag Manager is connected, has the role agent in Zendesk, and only admins can "
        "change closed tickets. Connect as an admin, or leave the closed ones out."
    )


def test_warnings_say_if_not_all_vanishing_tags_were_read(db: None) -> None:
    told = "Of the tags that would vanish only those of the first 1,000 tickets were looked at."
    made = {"planned": 1_001, "total": 1_001, "dry_run": True}
    replacing = factories.job(Status.SUCCEEDED, params=params(exact=["vip"]), **made)
    adding = factories.job(Status.SUCCEEDED, params=params(add=["vip"]), **made)
    few = factories.job(
        Status.SUCCEEDED, params=params(exact=["vip"]), planned=1_000, total=1_000, dry_run=True
    )
    said = [any(told in each.text for each in warnings_of(job).all) for job in (replacing, adding, few)]
    assert said == [True, False, False]


def test_warnings_mention_jobs_that_share_tickets_or_select_by_a_changing_tag(db: None) -> None:
    job = planned(3, params=params(add=["vip"], remove=["old"]))
    for ref in (5, 6, 7):
        factories.item(job, ref, Outcome.PLANNED)
    sharing, apart, queued = (factories.job(Status.RUNNING), factories.job(Status.RUNNING), factories.job())
    factories.item(sharing, 7, Outcome.PENDING)
    factories.item(apart, 8, Outcome.PENDING)
    ListedRefs.objects.create(job=queued, number=0, refs="1 6")
    by_tag = factories.job(Status.SELECTING, source={"kind": "tag", "tag": "old"})
    factories.job(Status.SELECTING, source={"kind": "tag", "tag": "other"})
    view = {"kind": "view", "id": 7, "title": "A"}
    several = {"kind": "several", "of": [view], "without": [{"kind": "tag", "tag": "old"}]}
    among_others = factories.job(Status.SELECTING, source=several)
    lacking = factories.job(Status.SELECTING, source=view, params={"only": {"lack": ["old"]}})
    factories.item(factories.job(Status.RUNNING, dry_run=True), 5, Outcome.PLANNED)
    assert [warning.text.split(":")[0][:45] for warning in warnings_of(job).all] == [
        f"Job {sharing.pk} is at work on some of the same tickets"[:45],
        f"Job {queued.pk} is at work on some of the same tickets"[:45],
        f"Job {by_tag.pk} has still to read its list, which hangs"[:45],
        f"Job {among_others.pk} has still to read its list, which hangs"[:45],
        f"Job {lacking.pk} has still to read its list, which hangs"[:45],
    ]


def test_typed_ids_without_overlap_cause_no_warning(db: None) -> None:
    job = planned(1)
    factories.job(Status.RUNNING)
    assert warnings_of(job).all == []


def test_an_unavailable_zendesk_is_reported_with_a_sentence(web: Client, settings: Settings) -> None:
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9"
    settings.ZENDESK_OAUTH_TOKEN = "secret-token"
    cache.clear()
    job = planned(1)
    factories.item(job, 1, Outcome.PLANNED)
    for part, sentence in (("samples", "could not be read."), ("warnings", "could not be looked up.")):
        page = words(web.get(f"/tools/preview/{job.pk}/{part}", headers=HTMX).content)
        assert sentence in page
        assert "127.0.0.1:9 cannot be reached" in page
        assert "secret-token" not in page


@pytest.mark.parametrize("part", ["samples", "warnings"])
def test_parts_of_a_preview_need_a_permission_and_a_preview(client: Client, db: None, part: str) -> None:
    job = planned(1)
    address = f"/tools/preview/{job.pk}/{part}"
    assert client.get(address)["Location"].startswith("/login/")
    client.force_login(factories.user("eve"))
    assert client.get(address).status_code == 403
    client.force_login(factories.user("bob", "view_job"))
    assert client.get(address).status_code == 200
    real = factories.job(Status.SUCCEEDED)
    assert client.get(f"/tools/preview/{real.pk}/{part}").status_code == 404


def test_the_preview_has_figures_and_a_button_with_the_permission(web: Client, ana: User) -> None:
    job = planned(1_000, unchanged=20, skipped=3)
    context = {"job": job, "perms": {"jobs": {"run_job": True}}, "left_out": {"groups": []}}
    page = words(render_to_string("preview/_preview.html", context).encode())
    assert "1,000 will change" in page
    assert "20 no change needed" in page
    assert "3 left out" in page
    assert "Change 1,000 tickets" in page
    assert "type their number" not in page
    context["perms"] = {"jobs": {"run_job": False}}
    assert "<form" not in render_to_string("preview/_preview.html", context)


def test_a_large_preview_runs_when_its_number_is_typed(web: Client) -> None:
    job = planned(10_001)
    address = f"/jobs/{job.pk}/run"
    for typed in ("", "10000", "ten thousand and one"):
        page = web.post(address, {"typed": typed, "nonce": "n"}, follow=True).content.decode()
        assert "Nothing was started yet" in page
        assert job.children.count() == 0
    web.post(address, {"typed": " 10,001 ", "nonce": "n"})
    assert [child.follow_up for child in job.children.all()] == [FollowUp.RUN]


def test_a_preview_of_the_limit_needs_no_number(web: Client) -> None:
    job = planned(10_000)
    web.post(f"/jobs/{job.pk}/run", {"nonce": "n"})
    assert job.children.count() == 1


def test_the_real_run_needs_the_permission(client: Client, db: None) -> None:
    client.force_login(factories.user("bob", "view_job"))
    job = planned(5)
    assert client.post(f"/jobs/{job.pk}/run").status_code == 403
    assert job.children.count() == 0


def test_the_estimate_follows_batches_and_the_share_of_calls(settings: Settings) -> None:
    settings.ZENDESK_MAX_JOBS, settings.ZENDESK_RATE_SHARE = 10, 0.5
    cache.clear()
    assert estimate(100) == Estimate(calls=6, seconds=10)
    large = estimate(100_000)
    assert large == Estimate(calls=2_400, seconds=1_440)


def test_a_preview_says_that_the_canary_would_not_pause(web: Client) -> None:
    said = "It was to be tried on 50 tickets first, but no more than 50 will change: it will go through"
    assert said in words(web.get(planned(50, canary=50).get_absolute_url()).content)
    assert "to be tried on" not in words(web.get(planned(51, canary=50).get_absolute_url()).content)


def test_a_guarded_preview_shows_the_condition_and_whether_a_trigger_has_it(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    guarded = {"add": ["brand-new"], "remove": [], "set": [], "guard": "quiet"}
    job = planned(1, params=guarded, guarded="until_end")
    page = html.unescape(web.get(job.get_absolute_url()).content.decode())
    assert "Ticket > Tags · Contains none of the following · quiet" in page
    assert "taken off by a job of its own when the real run has ended, with about as many calls again" in page
    told = "No active trigger names the guard tag quiet, so none leaves this change alone yet."
    assert [told in warning.text for warning in warnings_of(job).all].count(True) == 1
    conditions = (("current_tags", "not_includes", "quiet"),)
    demo_zendesk.configure(triggers=(sandbox.Rule("Mail the team", conditions, ()),))
    cache.clear()
    assert [told in warning.text for warning in warnings_of(job).all].count(True) == 0


def mailing(number: int, **fields: object) -> Job:
    """A preview of a macro that replies publicly."""
    given = {"macro": 7, "macro_title": "Reply", "add": [], "remove": [], "set": [], "fields": {}}
    reply = {"left_out": [], "public_reply": "Hello."}
    return planned(number, tool="apply-macro", params=given | reply, **fields)


def test_mail_to_customers_stands_above_all_else_and_asks_for_the_number(web: Client) -> None:
    page = html.unescape(web.get(mailing(3, skipped=2, canary=5).get_absolute_url()).content.decode())
    preview = page[page.index('id="preview"') :]
    order = [
        "This will e-mail 3 customers: the macro's public reply",
        "It was to be tried on 5 tickets first",
        "What else the change sets in motion",
        "Show me one that",
        "See some of the tickets",
        "To e-mail this many customers, type the number of tickets:",
        "Change 3 tickets</button>",
    ]
    assert [preview.count(part) for part in order] == [1] * len(order)
    assert sorted(order, key=preview.index) == order
    plain = web.get(planned(3).get_absolute_url()).content.decode()
    assert "E-mail to customers" not in plain
    assert 'name="typed"' not in plain


def narrowed(web: Client, address: str) -> list[int]:
    """The tickets that a link to the job's page shows."""
    return [item.ref for item in web.get(html.unescape(address)).context["items"].rows]


def test_the_summary_says_in_one_vocabulary_what_becomes_of_the_tickets(web: Client) -> None:
    job = planned(4, unchanged=2, skipped=3)
    page = web.get(job.get_absolute_url()).content.decode()
    summary = page[page.index('class="verdicts') : page.index("Show me one that")]
    assert re.findall(r"<b>(\d+)</b> ([a-z ]+)<", summary) == [
        ("4", "will change"),
        ("2", "no change needed"),
        ("3", "left out"),
    ]
    assert [page.count(f'id="count-{outcome}"') for outcome in ("planned", "unchanged", "skipped")] == [1] * 3
    assert "would be changed" not in page
    assert "skipped</" not in page


def test_each_outcome_and_reason_of_a_preview_leads_to_a_ticket(web: Client) -> None:
    job = planned(1, unchanged=1, skipped=3)
    factories.item(job, 1, Outcome.PLANNED)
    factories.item(job, 2, Outcome.UNCHANGED)
    factories.item(job, 3, Outcome.SKIPPED, reason="closed", detail="It is closed.")
    factories.item(job, 4, Outcome.SKIPPED, reason="a&b", detail="It is odd.")
    factories.item(job, 5, Outcome.SKIPPED, detail="Nobody knows.")
    page = web.get(job.get_absolute_url()).content.decode()
    shown = page[
        page.index("Show me one that") : page.index('id="samples') if 'id="samples' in page else None
    ]
    links = re.findall(r'class="badge-fact" href="([^"#]+)#tickets">([^<]+)</a>', shown)
    assert {label: narrowed(web, address) for address, label in links} == {
        "will change": [1],
        "needs no change": [2],
        "is left out": [3, 4, 5],
    }
    reasons = re.findall(r'id="cause-\d+" href="([^"#]+reason=[^"#]+)#tickets"', page)
    assert sorted(narrowed(web, address) for address in reasons) == [[3], [4]]
    assert "Nobody knows." in page


def test_warnings_lead_to_a_ticket_that_they_are_about(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    trigger = next(each for each in tag_references() if each.kind == "trigger")
    tag = min(trigger.tags)
    job = planned(2, skipped=1, params=params(add=[tag]), kinds={"closed": 1})
    state = {"tags": [], "updated_at": ""}
    factories.item(
        job, 1, Outcome.PLANNED, before={**state, "status": "open"}, change={"add": [], "remove": []}
    )
    factories.item(job, 2, Outcome.PLANNED, before={**state, "status": "closed"}, change={"add": [tag]})
    factories.item(job, 3, Outcome.SKIPPED, reason="closed")
    found = {warning.text: warning.query for warning in warnings_of(job).all if warning.query}
    for words_of_it, refs in (
        ("are left out" if job.skipped > 1 else "is left out", [3]),
        ("of the tickets that will change is closed", [2]),
        (f"The trigger “{trigger.title}” names", [2]),
    ):
        query = next(query for text, query in found.items() if words_of_it in text)
        assert narrowed(web, f"{job.get_absolute_url()}?{query}") == refs
    page = web.get(f"/tools/preview/{job.pk}/warnings", headers=HTMX).content.decode()
    assert page.count(">Show me one<") == len(found)


def test_samples_are_grouped_by_the_kind_of_change(web: Client) -> None:
    job = planned(3)
    state = {"tags": ["old"], "status": "open", "updated_at": "", "fields": {"status": "open"}}
    both = {"add": ["vip"], "remove": ["old"]}
    for ref, change in (
        (1, {"add": ["vip"]}),
        (2, both),
        (3, {"add": ["vip"]}),
        (4, {"comment": "internal"}),
    ):
        factories.item(job, ref, Outcome.PLANNED, before=state, change=change)
    factories.item(job, 5, Outcome.PLANNED, before=state, change=both | {"fields": {"status": "solved"}})
    kinds = {kind: [row.ref for row in rows] for kind, rows in samples_of(job).kinds.items()}
    assert kinds == {
        "Tags added": [1, 3],
        "Tags added and removed": [2],
        "Comment only": [4],
        "Status: open → solved, tags added and removed": [5],
    }
    page = words(web.get(f"/tools/preview/{job.pk}/samples", headers=HTMX).content)
    assert "Tags added 2 of these samples" in page


def test_a_preview_has_one_button_that_runs_it(web: Client) -> None:
    page = web.get(planned(5).get_absolute_url()).content.decode()
    main = page[page.index("<main") : page.index("</main>")]
    assert main.count("btn-primary") == 1
    assert "Change 5 tickets</button>" in main
    assert 'id="do-run"' not in page


def test_many_warnings_are_folded(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    named = sorted({min(each.tags) for each in tag_references()})
    job = planned(1, params=params(add=named))
    found = warnings_of(job)
    assert len(found.first) == 4
    assert found.first + found.others == found.all
    page = words(web.get(f"/tools/preview/{job.pk}/warnings", headers=HTMX).content)
    assert f"{len(found.others)} more" in page
