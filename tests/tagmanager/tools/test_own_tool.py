"""Tools from outside: the examples of the manual, in a folder of their own, from form and command to undo."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.conf import settings

from jobs.models import Job
from tagmanager.account import connection
from tests.demo import Demo
from tests.processes import command, end_of
from zendesk.sandbox.account.fields import BY_ID, FIELD_PLAN

pytestmark = pytest.mark.once

Manage = Callable[..., subprocess.Popen[str]]

PLANS = BY_ID[FIELD_PLAN].tags

ON_THE_WEB = """
import json
from django.contrib.auth.models import User
from django.test import Client
from jobs.models import Job
from tagmanager.account import connection

web = Client(SERVER_NAME="127.0.0.1")
web.force_login(User.objects.create_superuser("olga", password="-"))
home = web.get("/").content.decode()
form = web.get("/tools/replace-prefix/").content.decode()
typed = {"tool-old": "two words", "tool-new": "x", "ids": "1", "nonce": "n"}
wrong = web.post("/tools/replace-prefix/", typed)
filled = {"tool-old": "pre_", "tool-new": "post_", "ids": %r, "dry_run": "on", "nonce": "n"}
web.post("/tools/replace-prefix/", filled)
preview = Job.objects.latest("pk")
web.post(f"/jobs/{preview.pk}/run", {"nonce": "r"})
print(json.dumps([
    "Replace the beginning of tags" in home,
    "Old beginning" in form,
    "Give one beginning, such as tmp_." in wrong.content.decode(),
    preview.planned,
    Job.objects.latest("pk").pk,
]))
"""


def priorities(refs: list[int]) -> dict[int, object]:
    with connection.connect() as zendesk:
        return {ticket.id: ticket.fields["priority"] for ticket in zendesk.tickets(refs)}


@pytest.mark.journey
@pytest.mark.slow
def test_the_example_runs_from_the_command_line_and_is_undone(
    process_demo: Demo, manage: Manage, outside: dict[str, str]
) -> None:
    refs = process_demo.open_tickets[:30]
    for ref in refs:
        process_demo.account.edit(ref, add=["pre_billing", "other"])
    before = {ref: process_demo.tags(ref) for ref in process_demo.account.ticket_ids()}
    fields = ("--field", "old=pre_", "--field", "new=post_")
    ran = end_of(manage("run_tool", "replace-prefix", "--tag", "pre_billing", *fields, "--yes", **outside))
    assert ran.code == 0, ran.err
    after = {ref: before[ref] - {"pre_billing"} | {"post_billing"} for ref in refs}
    assert {ref: process_demo.tags(ref) for ref in before} == before | after
    assert Job.objects.get().title == "Replace pre_… by post_… in the tags of tickets tagged pre_billing"
    assert end_of(manage("jobs", "undo", str(Job.objects.get().pk), "--yes", **outside)).code == 0
    assert {ref: process_demo.tags(ref) for ref in before} == before


@pytest.mark.slow
def test_the_example_goes_from_its_form_over_the_preview_to_the_real_run(
    process_demo: Demo, manage: Manage, outside: dict[str, str]
) -> None:
    refs = process_demo.open_tickets[:3]
    for ref in refs:
        process_demo.account.edit(ref, add=["pre_billing"])
    before = {ref: process_demo.tags(ref) for ref in refs}
    ran = end_of(manage("shell", "-c", ON_THE_WEB % " ".join(map(str, refs)), **outside))
    *told, planned, number = json.loads(ran.out.splitlines()[-1])
    assert (told, planned) == ([True, True, True], 3), ran.err
    assert end_of(manage("jobs", "watch", str(number), **outside)).code == 0
    assert {ref: process_demo.tags(ref) for ref in refs} == {
        ref: tags - {"pre_billing"} | {"post_billing"} for ref, tags in before.items()
    }


@pytest.mark.slow
def test_the_example_sets_a_field_by_a_dropdown_and_is_undone(
    process_demo: Demo, manage: Manage, outside: dict[str, str]
) -> None:
    plans = [tag for tag in PLANS if tag != "plan_team"]
    chosen, other = process_demo.open_tickets[:20], process_demo.open_tickets[20:25]
    for ref in (*chosen, *other):
        process_demo.account.edit(ref, remove=plans)
        process_demo.account.edit(ref, add=["plan_team" if ref in chosen else "plan_free"])
    before = priorities([*chosen, *other])
    fields = ("--field", f"field={FIELD_PLAN}", "--field", "option=plan_team", "--field", "priority=urgent")
    ids = ",".join(map(str, (*chosen, *other)))
    ran = end_of(manage("run_tool", "priority-by-option", "--ids", ids, *fields, "--yes", **outside))
    assert ran.code == 0, ran.err
    assert priorities([*chosen, *other]) == before | dict.fromkeys(chosen, "urgent")
    assert "other option 5" in ran.out
    assert end_of(manage("jobs", "undo", str(Job.objects.get().pk), "--yes", **outside)).code == 0
    assert priorities([*chosen, *other]) == before


def test_the_tests_of_the_manual_pass(bare_environment: dict[str, str], outside: dict[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", outside["PYTHONPATH"]],
        env=bare_environment | outside | {"DJANGO_SETTINGS_MODULE": "tagmanager.settings"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "13 passed" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope", "--ids", "1"), "There is no tool 'nope' here."),
        (
            ("bulk-tag", "--ids", "1", "--field", "x=1"),
            "--field x=1: give NAME=VALUE; the fields of this tool are add,",
        ),
        (("bulk-tag", "--field", "add=vip"), "Say which tickets: give --view,"),
        (("bulk-tag", "--ids", "1"), "Say at least one tag to add, to remove or to set."),
    ],
)
def test_what_is_wrong_is_reported(demo: Demo, arguments: tuple[str, ...], said: str) -> None:
    ran = command("run_tool", *arguments, "--yes")
    assert ran.code == 2
    assert ran.err.strip().startswith(said)


def test_a_field_given_twice_has_both_values(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    ran = command(
        "run_tool", "bulk-tag", "--ids", str(ref), "--field", "add=east", "--field", "add=west", "--yes"
    )
    assert ran.code == 0
    assert demo.tags(ref) >= {"east", "west"}
