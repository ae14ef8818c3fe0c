""" "Run again": the form filled from an earlier job, sent as it is, asks for the same once more."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from jobs.states import FollowUp, Outcome, Status
from tests import factories
from tests.demo import params
from zendesk import sandbox

pytestmark = pytest.mark.once

FORM = "/tools/bulk-tag/"


class Sent(HTMLParser):
    """What a browser sends of the tool's form when nothing in it is touched."""

    def __init__(self, page: str, *, scripted: bool) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self.inside, self.area, self.choice = False, "", ""
        self.feed(page)
        if scripted:  # the script shows one way to say which tickets, and names it
            chosen = re.search(r'data-chosen="(\w*)"', page)
            self.fields["kind"] = [(chosen[1] if chosen else "") or "view"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.inside = given.get("id") == "tool-form"
        if not self.inside or tag not in ("input", "select", "textarea", "option"):
            return
        if tag == "option" and self.choice and "selected" in given:
            self._add(self.choice, given["value"])
        if tag == "select":
            self.choice = name
        if tag == "textarea":
            self.area = name
            self._add(name, "")
        if tag == "input":
            kind = given.get("type", "text")
            ticked = kind in ("checkbox", "radio")
            if (ticked and "checked" in given) or (not ticked and kind not in ("submit", "file")):
                self._add(name, given.get("value", "on" if ticked else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("form", "select", "textarea"):
            self.inside = self.inside and tag != "form"
            self.choice = self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] = [data.lstrip("\n")]

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def sent_again(web: Client, job: Job, *, scripted: bool = True, **changed: str) -> Job:
    """The job that the form makes, filled from the earlier one."""
    page = web.get(FORM, {"again": job.pk}).content.decode()
    assert f'Filled in from <a href="{job.get_absolute_url()}">job {job.pk}</a>' in page
    before = Job.objects.count()
    answer = web.post(FORM, Sent(page, scripted=scripted).fields | changed)
    assert (answer.status_code, Job.objects.count()) == (302, before + 1)
    return Job.objects.latest("pk")


def asked(job: Job) -> dict[str, Any]:
    """All that a person says of a job."""
    refs = " ".join(job.listed.order_by("number").values_list("refs", flat=True))
    return {
        "params": job.tool_params, "options": job.chosen_options, "source": job.source,
        "limit": job.limit, "canary": job.canary, "refs": refs,
        "title": job.title, "dry_run": job.dry_run,
    }  # fmt: skip


@pytest.fixture
def earlier(web: Client, demo_zendesk: sandbox.Sandbox, settings: Any) -> Job:
    """A job with failed and skipped tickets; everything later waits for a worker."""
    settings.SYNC_TICKET_LIMIT = 0
    job = factories.job(Status.PARTIAL, changed=1, failed=1, skipped=1)
    for ref, outcome in enumerate((Outcome.CHANGED, Outcome.FAILED, Outcome.SKIPPED), 1):
        factories.item(job, ref, outcome)
    return job


@pytest.mark.parametrize("scripted", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        {"view": str(sandbox.VIEW_UNSOLVED)},
        {"view": str(sandbox.VIEW_HOSTILE)},
        {"search": "status:open \"a & b\" <c> 'd'"},
        {"tag": "refund"},
        {"ids": "#7, 3\n9 7"},
        {"job": "", "outcomes": ["failed", "skipped"]},
    ],
)
@pytest.mark.parametrize(
    "rest",
    [
        {"add": "VIP gold", "remove": "größe old"},
        {"set": "only_this", "include_closed": "on", "limit": "12", "canary": "1"},
        {"add": "vip", "dry_run": "on", "limit": "1"},
    ],
)
def test_the_form_sent_again_asks_for_the_same(
    web: Client, earlier: Job, source: dict[str, Any], rest: dict[str, Any], scripted: bool
) -> None:
    filled = rest | source | {"nonce": "first"}
    if "job" in source:
        filled["job"] = str(earlier.pk)
    for _ in range(3):  # as the page does, until Zendesk has counted
        web.get("/tools/parts/view-count", {"view": source.get("view", "")})
    web.post(FORM, filled)
    first = Job.objects.latest("pk")
    assert first.pk != earlier.pk
    pressed = {"dry_run": "on"} if first.dry_run else {}
    again = sent_again(web, first, scripted=scripted, **pressed)
    assert asked(again) == asked(first)


def test_one_thing_changed_is_the_only_difference(web: Client, earlier: Job) -> None:
    web.post(FORM, {"add": "vip", "ids": "1 2", "limit": "5", "nonce": "n"})
    first = Job.objects.latest("pk")
    again = sent_again(web, first, add="gold")
    assert asked(again) == asked(first) | {
        "params": params(add=["gold"]),
        "title": first.title.replace("vip", "gold"),
    }


def test_running_a_real_run_again_repeats_the_request_of_its_preview(web: Client, earlier: Job) -> None:
    web.post(FORM, {"add": "vip", "search": "status:open", "nonce": "n", "dry_run": "on"})
    preview = Job.objects.latest("pk")
    run = factories.job(
        Status.SUCCEEDED, parent=preview, follow_up=FollowUp.RUN, params=preview.params,
        source={"kind": "items", "job": preview.pk, "outcomes": ["planned"]},
    )  # fmt: skip
    page = web.get(run.get_absolute_url()).content.decode()
    assert f'href="{FORM}?again={run.pk}"' in page
    again = sent_again(web, run)
    assert again.source == preview.source == {"kind": "search", "query": "status:open"}


@pytest.mark.parametrize("kind", [FollowUp.RETRY, FollowUp.REST, FollowUp.UNDO])
def test_a_follow_up_has_its_own_buttons_instead(web: Client, earlier: Job, kind: FollowUp) -> None:
    job = factories.job(Status.SUCCEEDED, parent=earlier, follow_up=kind)
    assert "again=" not in web.get(job.get_absolute_url()).content.decode()


def test_one_group_of_failures_never_grows_into_all_of_them(web: Client, earlier: Job) -> None:
    """The form cannot name a cause, so it does not name the tickets either."""
    source = {"kind": "items", "job": earlier.pk, "outcomes": ["failed"], "reason": "locked"}
    job = factories.job(Status.SUCCEEDED, source=source, params=params(add=["vip"]))
    page = web.get(FORM, {"again": job.pk}).content.decode()
    sent = Sent(page, scripted=True).fields
    assert (sent["add"], sent["job"]) == (["vip"], [""])
    assert web.post(FORM, sent).status_code == 200
    assert Job.objects.count() == 2
