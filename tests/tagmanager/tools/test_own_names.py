"""A tool from outside may name its fields and parameters as it likes; what it cannot do is said in time."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from jobs import actions
from jobs.actors import COMMAND_LINE
from jobs.engine import execution
from jobs.engine.readings import SNAPSHOT_MAX_AGE
from jobs.models import Job
from jobs.presentation.job_summary import request_summary
from jobs.states import FollowUp
from tagmanager import tools as installed
from tagmanager.account import connection
from tagmanager.forms.job_form import OptionsForm, SourceForm
from tagmanager.forms.submit import submit
from tagmanager.intake import sources
from tagmanager.tools.base import ToolForm
from tests.demo import Demo, counts, follow, run
from tests.processes import command
from tests.tagmanager.forms.test_prefill import Sent
from tests.tagmanager.views.test_people import sent_too_late
from zendesk.sandbox.account.fields import FIELD_FEATURES, FIELD_FOLLOW_UP, FIELD_PLAN

OWN = "tests.tagmanager.tools.own_tools"
PARAMS = {
    "only": "the weather", "guard": "dog", "include_closed": "no", "field_names": "none", "status": "fine",
    "tag": "own_tag",
}  # fmt: skip
ON_PAGE = {f"tool-{name}": value for name, value in PARAMS.items()}
FORM = "/tools/same-names/"


@pytest.fixture(autouse=True)
def own_tools(settings: Any) -> Iterator[None]:
    """The tools of `own_tools` that can be loaded, beside those of this project."""
    names = ("SameNames", "Reusing", "AnyField", "Unread", "NoJson", "Escalate")
    settings.TOOLS = [*settings.TOOLS, *(f"{OWN}.{name}" for name in names)]
    installed.tools.cache_clear()
    yield
    installed.tools.cache_clear()


def latest() -> Job:
    return Job.objects.latest("pk")


def names_of_the_page() -> set[str]:
    """What the page's own fields are called, whatever the tool is."""
    source = SourceForm()
    forms = (source, *source.parts, OptionsForm())
    return {"csrfmiddlewaretoken"} | {form.add_prefix(name) for form in forms for name in form.fields}


def priorities(refs: list[int]) -> dict[int, object]:
    with connection.connect() as zendesk:
        found = {ticket.id: ticket.fields["priority"] for ticket in zendesk.tickets(refs)}
    return {ref: found[ref] for ref in refs}


@pytest.mark.django_db
def test_no_field_of_a_tool_is_called_as_a_field_of_the_page() -> None:
    page = names_of_the_page()
    assert page >= {"tag", "status", "guard", "job", "search", "ids", "view", "limit"}
    for tool in installed.tools().values():
        assert not page & set(tool.form_class.names_on_page().values()), tool.slug


def test_the_names_on_the_page_are_those_that_its_fields_have_there() -> None:
    for tool in installed.tools().values():
        form: ToolForm = tool.form_class.__new__(tool.form_class)
        names = {name: form.add_prefix(name) for name in tool.form_class.base_fields}
        assert tool.form_class.names_on_page() == names


def test_from_form_over_preview_and_real_run_to_undo_and_again(web: Client, demo: Demo) -> None:
    refs, closed = demo.open_tickets[:3], demo.closed_tickets[0]
    before = {ref: demo.tags(ref) for ref in (*refs, closed)}
    page = web.get(FORM).content.decode()
    names = Counter(name for name in Sent(page, scripted=True).fields)
    assert set(ON_PAGE) <= set(names)
    ids = " ".join(map(str, (*refs, closed)))
    asked = ON_PAGE | {"ids": ids, "guard": "quiet", "lacking": "own_tag", "nonce": "n"}
    web.post(FORM, asked | {"dry_run": "on"})
    preview = latest()
    assert (preview.tool_params, counts(preview)) == (PARAMS, {"planned": 3, "skipped": 1})
    assert preview.chosen_options == {
        "include_closed": False, "only": {"lack": ["own_tag"]}, "guard": "quiet",
    }  # fmt: skip
    real = follow(preview, FollowUp.RUN)
    assert (real.tool_params, real.chosen_options, counts(real)) == (
        PARAMS,
        preview.chosen_options,
        {"changed": 3},
    )
    assert {ref: demo.tags(ref) - before[ref] for ref in refs} == {ref: {"own_tag", "quiet"} for ref in refs}
    follow(real, FollowUp.UNDO)
    assert {ref: demo.tags(ref) - {"quiet"} for ref in before} == before
    again = web.get(FORM, {"again": preview.pk}).content.decode()
    kept = Sent(again, scripted=True).fields
    assert {name: kept[name] for name in (*ON_PAGE, "guard", "lacking")} == {
        name: [value] for name, value in (ON_PAGE | {"guard": "quiet", "lacking": "own_tag"}).items()
    }
    web.post(FORM, kept)
    assert (latest().tool_params, latest().chosen_options) == (PARAMS, preview.chosen_options)


def test_its_page_shows_its_own_parameters_and_the_options_apart(demo: Demo) -> None:
    made = actions.submit(
        tool="same-names",
        title="A job",
        params=PARAMS,
        options={"include_closed": True, "only": {"lack": ["vip"]}, "guard": "quiet"},
        source={"kind": "ids", "name": ""},
        by=COMMAND_LINE,
    ).job
    assert request_summary(made)[1:10] == [
        ("Status", "fine"),
        ("Tag", "own_tag"),
        ("Only", "the weather"),
        ("Guard", "dog"),
        ("Include closed", "no"),
        ("Field names", "none"),
        ("Closed tickets", "Included"),
        ("Only tickets that", "lack vip"),
        ("Guard tag", "quiet"),
    ]


def test_on_the_command_line_its_fields_keep_their_names(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    fields = [part for name, value in PARAMS.items() for part in ("--field", f"{name}={value}")]
    ran = command("run_tool", "same-names", "--ids", str(ref), *fields, "--guard", "quiet", "--yes")
    assert ran.code == 0, ran.err
    job = Job.objects.get(tool="same-names", follow_up=FollowUp.NONE)
    assert (job.tool_params, job.chosen_options) == (PARAMS, {"include_closed": False, "guard": "quiet"})
    assert demo.tags(ref) >= {"own_tag"}


def test_an_address_names_fields_as_the_page_does(web: Client, demo: Demo) -> None:
    page = web.get(FORM, {"tool-tag": "from_a_link", "tag": "not_this"}).content.decode()
    assert Sent(page, scripted=True).fields["tool-tag"] == ["from_a_link"]
    page = web.get("/tools/bulk-tag/", {"add": "from_a_link"}).content.decode()
    assert Sent(page, scripted=True).fields["add"] == ["from_a_link"]


def test_a_form_of_this_project_can_be_extended_with_the_prefix(web: Client, demo: Demo) -> None:
    ref = demo.open_tickets[0]
    filled = {"tool-add": "brand-new", "tool-status": "x", "ids": str(ref), "nonce": "n"}
    assert web.post("/tools/reusing/", filled).status_code == 302
    assert "brand-new" in demo.tags(ref)


def test_a_form_that_comes_back_after_signing_in_is_filled_as_it_was_sent(
    client: Client, ana: User, demo: Demo
) -> None:
    back = sent_too_late(client, FORM, {**ON_PAGE, "ids": "1", "guard": "quiet", "nonce": "n"})
    kept = Sent(back.content.decode(), scripted=True).fields
    assert {name: kept[name] for name in (*ON_PAGE, "guard")} == {
        name: [value] for name, value in (ON_PAGE | {"guard": "quiet"}).items()
    }


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SameNamesPlain", "has form fields without the prefix “tool”.*: only, guard, include_closed"),
        ("Extended", "has form fields without the prefix “tool”.*: status. Leave"),
        ("Subject", "sets fields that cannot be set: subject. Those that can be set are status, type"),
    ],
)
def test_what_cannot_work_is_refused_at_start(name: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        installed.load([f"{OWN}.{name}"])


@pytest.mark.parametrize(
    ("slug", "fields", "sentence"),
    [
        ("any-field", {"field": "subject", "value": "x"}, "sets fields that cannot be set: subject."),
        ("no-json", {"day": "2026-01-31"}, "parameters that cannot be stored as JSON"),
        (
            "escalate",
            {"number": str(FIELD_FEATURES)},
            f"reads custom fields that are not dropdowns or checkboxes of this account: {FIELD_FEATURES}.",
        ),
    ],
)
def test_what_shows_only_in_the_parameters_is_said_by_form_and_command(
    web: Client, demo: Demo, slug: str, fields: dict[str, str], sentence: str
) -> None:
    ref = str(demo.open_tickets[0])
    sent = {f"tool-{name}": value for name, value in fields.items()} | {"ids": ref, "nonce": "n"}
    assert sentence in html.unescape(web.post(f"/tools/{slug}/", sent).content.decode())
    given = [part for name, value in fields.items() for part in ("--field", f"{name}={value}")]
    ran = command("run_tool", slug, "--ids", ref, *given, "--yes")
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert sentence in ran.err


def test_without_zendesk_the_form_says_that_it_cannot_look_at_the_fields(
    web: Client, demo: Demo, settings: Any
) -> None:
    settings.ZENDESK_BASE_URL = ""
    sent = {"tool-number": str(FIELD_PLAN), "ids": "1", "nonce": "n"}
    assert web.post("/tools/escalate/", sent).status_code == 200
    assert Job.objects.count() == 0


def test_a_field_that_was_not_read_is_not_set(web: Client, demo: Demo) -> None:
    ref = demo.open_tickets[0]
    sent = {"tool-field": "priority", "tool-value": "high", "ids": str(ref), "nonce": "n"}
    web.post("/tools/unread/", sent)
    item = latest().items.get()
    assert (item.outcome, item.reason) == ("skipped", "field_not_read")
    assert item.detail == "The tool sets priority, and does not name that in fields_of."
    assert demo.account.ledger.updates[ref] == 0


def test_dropdowns_and_checkboxes_are_read_with_the_ticket_and_again_before_the_real_run(
    web: Client, demo: Demo
) -> None:
    plans = ["plan_free", "plan_team", "plan_enterprise"]
    refs = demo.open_tickets[:4]
    for ref, tags in zip(
        refs, (["plan_enterprise"], ["plan_free"], ["plan_free", "follow_up_needed"], []), strict=True
    ):
        demo.account.edit(ref, remove=[*plans, "follow_up_needed"])
        demo.account.edit(ref, add=tags)
    sent = {"tool-number": str(FIELD_PLAN), "ids": " ".join(map(str, refs)), "dry_run": "on", "nonce": "n"}
    web.post("/tools/escalate/", sent)
    preview = latest()
    read = {item.ref: item.before["custom"] for item in preview.items.all() if item.before}
    plan, follow_up = str(FIELD_PLAN), str(FIELD_FOLLOW_UP)
    assert read == {
        refs[0]: {plan: "plan_enterprise", follow_up: False},
        refs[1]: {plan: "plan_free", follow_up: False},
        refs[2]: {plan: "plan_free", follow_up: True},
        refs[3]: {plan: None, follow_up: False},
    }
    demo.account.edit(refs[1], remove=["plan_free"])
    demo.account.edit(refs[1], add=["plan_enterprise"])
    follow(preview, FollowUp.RUN)
    assert list(priorities(refs).values()) == ["urgent", "urgent", "urgent", "low"]


def test_what_a_tool_decides_by_is_read_again_where_the_reading_has_grown_old(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    for ref in refs:
        demo.account.edit(ref, remove=["plan_enterprise", "follow_up_needed"])
    tool = installed.tool("escalate")
    form = tool.form_class({"number": FIELD_PLAN}, prefix="")
    assert form.is_valid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_send_all", lambda lease, *_: lease.release())
        job = run(submit(tool, form, sources.ids(refs), by=COMMAND_LINE, here=True))
    assert (job.status, job.remaining) == ("running", 3)
    assert job.batches.update(read_at=timezone.now() - 2 * SNAPSHOT_MAX_AGE)
    demo.account.edit(refs[0], add=["plan_enterprise"])
    job = run(job)
    assert (job.status, priorities(refs)) == (
        "succeeded",
        dict(zip(refs, ("urgent", "low", "low"), strict=True)),
    )
    before = job.items.get(ref=refs[0]).before
    assert before
    assert before["custom"] == {str(FIELD_PLAN): "plan_enterprise", str(FIELD_FOLLOW_UP): False}


def test_a_text_box_of_pairs_shows_how_it_is_read_under_any_name(web: Client, demo: Demo) -> None:
    for name in ("pairs", "tool-pairs"):
        assert "churn → risk" in web.get("/tools/parts/pairs", {name: "churn,risk"}).content.decode()
