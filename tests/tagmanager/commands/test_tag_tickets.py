"""`tag_tickets`: what it does, what it says, and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from jobs import actions
from jobs.models import Job
from tests import factories
from tests.demo import ANA, Demo, counts, outcomes
from tests.processes import await_that, command, end_of
from zendesk import sandbox as zd

pytestmark = pytest.mark.once

UNKNOWN = 99_999_999


class Terminal(StringIO):
    """Somebody sits there and types."""

    def isatty(self) -> bool:
        return True


def tag_tickets(*arguments: str) -> Any:
    return command("tag_tickets", *arguments)


def joined(refs: list[int]) -> str:
    return ",".join(map(str, refs))


def test_a_tag_is_added_to_the_tickets_of_a_view(demo: Demo) -> None:
    refs = demo.account.view_ticket_ids(zd.VIEW_UNSOLVED)
    ran = tag_tickets("--view", str(zd.VIEW_UNSOLVED), "--add", "brand-new", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.status, counts(job)) == (0, "succeeded", {"changed": len(refs)})
    assert job.title == "Add brand-new to tickets of view “All unsolved tickets”"
    assert {ref for ref in demo.account.ticket_ids() if "brand-new" in demo.tags(ref)} == set(refs) != set()


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (["--search", "status<solved"], "search"),
        (["--tag", "vip"], "tag"),
        (["--ids", "#{0}; {1}\n{2}"], "ids"),
    ],
)
def test_the_other_sources_serve_as_well(demo: Demo, source: list[str], kind: str) -> None:
    refs = demo.open_tickets[:3]
    source = [word.format(*refs) for word in source]
    ran = tag_tickets(*source, "--add", "brand-new", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.source["kind"], job.failed) == (0, kind, 0)
    assert job.changed == job.found - job.skipped > 0


def test_all_tickets_of_the_account_are_a_source_for_admins(demo: Demo) -> None:
    ran = tag_tickets("--all", "--add", "brand-new", "--limit", "5", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.title, job.source) == (0, "Add brand-new to all tickets", {"kind": "all"})
    assert job.found == 5
    demo.account.configure(role="agent")
    ran = tag_tickets("--all", "--add", "brand-new", "--yes")
    assert (ran.code, Job.objects.count()) == (1, 1)
    assert "to admins only. Connect as an admin. The connected user is an agent." in ran.err


def test_several_tags_may_stand_in_one_option_and_options_be_repeated(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    tag_tickets("--ids", str(ref), "--add", "a1 a2,a3", "--add", "A4", "--remove", "r1", "--yes")
    assert Job.objects.get().params == {
        "add": ["a1", "a2", "a3", "a4"],
        "remove": ["r1"],
        "set": [],
        "include_closed": False,
    }


def test_the_summary_adds_up_and_names_closed_unknown_and_repeated_tickets(demo: Demo) -> None:
    first, second = demo.open_tickets[:2]
    refs = [first, first, second, demo.closed_tickets[0], UNKNOWN]
    ran = tag_tickets("--ids", joined(refs), "--add", "brand-new", "--yes")
    assert ran.code == 0
    told = dict(re.findall(r"^  ([a-z]+) +([0-9]+)", ran.out, re.MULTILINE))
    assert told == {
        "changed": "2",
        "unchanged": "0",
        "skipped": "2",
        "failed": "0",
        "unverified": "0",
        "total": "4",
    }
    assert "closed 1; not found 1" in ran.out
    assert "1 number was given twice, and counts once." in ran.out
    assert f"manage.py jobs undo {Job.objects.get().pk}" in ran.out


def test_a_dry_run_needs_no_yes_and_writes_nothing(demo: Demo) -> None:
    ran = tag_tickets("--ids", joined(demo.open_tickets[:3]), "--add", "brand-new", "--dry-run")
    job = Job.objects.get()
    assert (ran.code, counts(job), demo.calls("PUT /api/v2/tickets/update_many")) == (0, {"planned": 3}, 0)
    assert f"manage.py jobs run {job.pk}" in ran.out


def test_json_is_one_object_on_standard_output_and_the_rest_goes_to_standard_error(demo: Demo) -> None:
    ran = tag_tickets("--ids", joined(demo.open_tickets[:3]), "--add", "x1", "--yes", "--output", "json")
    status = json.loads(ran.out)
    assert (status["status"], status["changed"], status["total"], ran.out.count("\n")) == (
        "succeeded",
        3,
        3,
        1,
    )
    assert "succeeded" in ran.err


def test_failed_tickets_are_reported_in_zendesks_words(demo: Demo) -> None:
    refs = demo.closed_tickets[:1] + demo.open_tickets[:2]
    ran = tag_tickets("--ids", joined(refs), "--add", "brand-new", "--include-closed", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.status, counts(job)) == (3, "partial", {"changed": 2, "failed": 1})
    assert "closed" in ran.out
    assert f"manage.py jobs retry {job.pk}" in ran.out


def test_closed_tickets_that_are_not_allowed_to_change_stop_the_job_after_all_others(demo: Demo) -> None:
    refs = demo.closed_tickets[:5] + demo.open_tickets[:2]
    ran = tag_tickets("--ids", joined(refs), "--add", "brand-new", "--include-closed", "--yes")
    job = Job.objects.get()
    assert (ran.code, counts(job)) == (1, {"changed": 2, "failed": 1, "remaining": 4})
    assert ran.err.strip().endswith(job.error)
    assert "“Allow admins to modify specific fields on a closed ticket”. 4 tickets were not sent" in job.error
    assert f"manage.py jobs resume {job.pk}" in ran.out


def test_a_guard_tag_is_taken_off_by_the_same_command(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    ran = tag_tickets("--ids", joined(refs), "--add", "brand-new", "--guard", "Bulk_Update", "--yes")
    job, after = Job.objects.order_by("pk")
    assert (ran.code, counts(job), counts(after), after.parent) == (0, {"changed": 3}, {"changed": 3}, job)
    assert [demo.tags(ref) & {"brand-new", "bulk_update"} for ref in refs] == [{"brand-new"}] * 3
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 2)
    assert "succeeded: Take the guard tag off: Add brand-new to 3 tickets" in ran.out


def test_a_guard_tag_stays_on_request_until_unguard_takes_it_off(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    given = ("--ids", str(ref), "--add", "brand-new", "--guard", "bulk_update")
    ran = tag_tickets(*given, "--guard-stays", "--yes", "--output", "json")
    job = Job.objects.get()
    assert (json.loads(ran.out)["id"], demo.tags(ref) >= {"brand-new", "bulk_update"}) == (job.pk, True)
    assert command("jobs", "unguard", str(job.pk), "--yes").code == 0
    assert "bulk_update" not in demo.tags(ref)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--guard", "vip"),
            "The change itself adds or removes vip, so that tag cannot guard it. Take another",
        ),
        (("--guard", "a b"), "--guard: Give one tag; these are 2: a, b."),
        (("--guard", "a#b"), "--guard: a#b would be stored as ab: Zendesk drops #."),
        (("--guard-stays",), "--guard-stays needs a tag."),
    ],
)
def test_a_guard_tag_that_cannot_be_one_is_refused_before_anything_is_made(
    demo: Demo, options: tuple[str, ...], said: str
) -> None:
    ran = tag_tickets("--ids", "1", "--add", "vip", "--yes", *options)
    assert (ran.code, said in ran.err, Job.objects.exists()) == (2, True, False)


def test_set_warns_loudly(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    ran = tag_tickets("--ids", str(ref), "--set", "only this", "--yes")
    assert (ran.code, demo.tags(ref)) == (0, {"only", "this"})
    assert "WARNING: --set replaces ALL tags" in ran.err


def test_a_limit_ends_the_list(demo: Demo) -> None:
    tag_tickets("--ids", joined(demo.open_tickets[:5]), "--add", "brand-new", "--limit", "2", "--yes")
    assert counts(Job.objects.get()) == {"changed": 2}


def test_the_person_named_is_recorded(demo: Demo) -> None:
    ana = factories.user("ana")
    ran = tag_tickets("--ids", str(demo.open_tickets[0]), "--add", "x1", "--yes", "--as", "ana")
    job = Job.objects.get()
    first = job.transitions.first()
    assert (ran.code, job.created_by, first.actor if first else "") == (0, ana, "ana")


def test_ids_come_from_a_file_or_from_standard_input(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = demo.open_tickets[:4]
    file = tmp_path / "export.csv"
    file.write_text("subject,id\n" + "".join(f'"a, b",{ref}\n' for ref in refs[:2]), "utf-8-sig")
    assert tag_tickets("--ids-file", str(file), "--add", "brand-new", "--yes").code == 0
    lines = "".join(f"{ref}\n" for ref in refs[2:]).encode()
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(lines)))
    assert tag_tickets("--ids-file", "-", "--add", "brand-new", "--yes").code == 0
    read, typed = Job.objects.order_by("pk")
    assert outcomes(read) | outcomes(typed) == dict.fromkeys(refs, "changed")
    assert read.title == "Add brand-new to 2 tickets of export.csv"


# Asking


def test_a_terminal_is_asked_with_the_number_before_anything_is_written(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    number = len(demo.account.view_ticket_ids(zd.VIEW_UNSOLVED))
    ran = tag_tickets("--view", str(zd.VIEW_UNSOLVED), "--add", "brand-new")
    assert (ran.code, Job.objects.count()) == (4, 0)
    assert f"Add brand-new to about {number:,} tickets of view “All unsolved tickets”? [y/N]" in ran.out
    assert ran.err == "Nothing was done.\n"


def test_a_yes_at_the_terminal_starts_it(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    ran = tag_tickets("--ids", str(demo.open_tickets[0]), "--add", "x1", "--output", "json")
    assert (ran.code, json.loads(ran.out)["changed"]) == (0, 1)
    assert "Add x1 to 1 ticket given by number? [y/N]" in ran.err


def test_without_a_terminal_yes_is_needed(demo: Demo) -> None:
    ran = tag_tickets("--ids", "1", "--add", "x1")
    assert (ran.code, ran.out, Job.objects.count()) == (2, "", 0)
    assert "Add --yes" in ran.err


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--ids", "1"], "Say at least one tag to add, to remove or to set."),
        (["--ids", "1", "--add", "p!"], "--add: p! would be stored as p: Zendesk drops !."),
        (["--ids", "1", "--add", "a", "--remove", "a"], "cannot be both added and removed"),
        (["--ids", "1", "--add", "a", "--set", "b"], "cannot be combined"),
        (["--ids", "1,x,y", "--add", "a"], "--ids: 2 are not ticket numbers: 'x' (line 1), 'y' (line 1)."),
        (["--ids", " , ", "--add", "a"], "No ticket number was given."),
        (["--ids", "0", "--add", "a"], "'0' is not a ticket number"),
        (["--ids-file", "/no/such/file", "--add", "a"], "/no/such/file cannot be read: No such file"),
        (["--view", "4711", "--add", "a"], "--view: There is no view 4711 in Zendesk"),
        (["--search", " ", "--add", "a"], "The search is empty."),
        (["--tag", "two tags", "--add", "a"], "--tag: Give one tag."),
        (["--tag", "p!", "--add", "a"], "--tag: p! would be stored as p"),
        (["--ids", "1", "--add", "a", "--as", "nobody"], "There is no user 'nobody' here."),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(demo: Demo, arguments: list[str], sentence: str) -> None:
    ran = tag_tickets(*arguments, "--yes")
    assert (ran.code, ran.out, Job.objects.count()) == (2, "", 0)
    assert sentence in ran.err


def test_a_file_with_an_unreadable_line_makes_no_job(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("1\n2\nthree\n")
    ran = tag_tickets("--ids-file", str(file), "--add", "a", "--yes")
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert "Line 3: 'three' is not a ticket number" in ran.err


def test_more_numbers_than_a_job_may_have_are_refused(demo: Demo, settings: Any) -> None:
    settings.JOB_TICKET_LIMIT = 2
    ran = tag_tickets("--ids", "1,2,3", "--add", "a", "--yes")
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert "More than 2 ticket numbers were given" in ran.err


def test_wrong_credentials_are_reported_before_a_job_is_made(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_SECRET = "wrong-secret"
    ran = tag_tickets("--ids", "1", "--add", "a", "--yes")
    assert (ran.code, ran.out, Job.objects.count()) == (1, "", 0)
    assert "OAuth client" in ran.err


def test_a_token_with_a_line_break_is_reported_without_showing_it(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_ID = ""
    settings.ZENDESK_OAUTH_TOKEN = "wrong-secret\n"
    ran = tag_tickets("--ids", "1", "--add", "a", "--yes")
    assert (ran.code, Job.objects.count()) == (1, 0)
    assert "Copy it again" in ran.err


def test_an_unreachable_address_is_reported_before_a_job_is_made(demo: Demo, settings: Any) -> None:
    with zd.serve(zd.Sandbox(zd.Options(tickets=1))) as gone:
        settings.ZENDESK_BASE_URL = gone.url
    ran = tag_tickets("--ids", "1", "--add", "a", "--yes")
    assert (ran.code, ran.out, Job.objects.count()) == (1, "", 0)
    assert "cannot be reached" in ran.err


def test_missing_settings_are_named(db: None, settings: Any) -> None:
    settings.ZENDESK_BASE_URL = settings.ZENDESK_SUBDOMAIN = ""
    ran = tag_tickets("--ids", "1", "--add", "a", "--yes")
    assert (ran.code, Job.objects.count()) == (1, 0)
    assert "ZENDESK_SUBDOMAIN" in ran.err


def test_credentials_that_stop_working_in_the_middle_stop_the_job_in_words(demo: Demo) -> None:
    demo.fault("unauthorized", on="GET /api/v2/tickets/show_many", times=9)
    ran = tag_tickets("--ids", str(demo.open_tickets[0]), "--add", "a", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.status) == (1, "errored")
    assert job.error in ran.err
    assert f"manage.py jobs resume {job.pk}" in ran.out


def test_a_fault_of_the_program_is_one_sentence_and_the_log_has_the_rest(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in the middle of it")

    monkeypatch.setattr("tagmanager.forms.submit.submit", broken)
    ran = tag_tickets("--ids", "1", "--add", "a", "--yes")
    log = Path(django_settings.VAR_DIR) / "commands.log"
    assert (ran.code, ran.err.count("\n"), Job.objects.count()) == (1, 1, 0)
    assert str(log) in ran.err
    assert "in the middle of it" in log.read_text()


def test_a_fault_whose_log_cannot_be_written_promises_no_details(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in the middle of it")

    monkeypatch.setattr("tagmanager.forms.submit.submit", broken)
    settings.VAR_DIR = tmp_path
    (tmp_path / "commands.log").mkdir()
    ran = tag_tickets("--ids", "1", "--add", "a", "--yes")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert f"There are no details, because {tmp_path}/commands.log cannot be written: Is a dir" in ran.err


def test_a_fault_inside_the_job_stops_the_job_and_is_reported(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("in the middle of it")

    monkeypatch.setattr("tagmanager.changes.ticket_work.TicketWork.plan", broken)
    ran = tag_tickets("--ids", str(demo.open_tickets[0]), "--add", "a", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.status) == (1, "errored")
    assert "fault of the program (ZeroDivisionError)" in ran.err


# As a process


@pytest.mark.slow
def test_the_command_line_knows_usage_errors_and_exit_codes(
    process_demo: Demo, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    usage = end_of(manage("tag_tickets", "--add", "a"))
    assert usage.code == 2
    assert "Say which tickets: give --view, --search" in usage.err
    both = end_of(manage("tag_tickets", "--ids", "1", "--view", "2", "--add", "a"))
    assert both.code == 2
    refused = end_of(manage("tag_tickets", "--ids", "1", "--add", "p!", "--yes"))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "--add: p! would be stored as p: Zendesk drops !.\n"


@pytest.mark.journey
@pytest.mark.slow
def test_a_database_that_was_never_set_up_is_reported_in_a_sentence(
    process_demo: Demo, manage: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    empty = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    ran = end_of(manage("tag_tickets", "--ids", "1", "--add", "a", "--yes", DATABASE_URL=empty))
    assert (ran.code, ran.out) == (1, "")
    assert "run manage.py migrate" in ran.err


@pytest.mark.journey
@pytest.mark.slow
def test_detached_jobs_are_only_queued(
    process_demo: Demo, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    ref = str(process_demo.open_tickets[0])
    ran = end_of(manage("tag_tickets", "--ids", ref, "--add", "a", "--yes", "--detach", "--output", "json"))
    job = Job.objects.get()
    assert (ran.code, json.loads(ran.out)["id"], job.status) == (0, job.pk, "queued")
    assert "No worker is running" in ran.err


@pytest.mark.slow
@pytest.mark.parametrize("act", [actions.cancel, actions.pause])
def test_a_command_whose_job_is_stopped_elsewhere_ends_in_its_own_words_alone(
    process_demo: Demo,
    manage: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    act: Callable[..., object],
) -> None:
    """Python may close a reading that is still open then, and report that on standard error."""
    process_demo.account.configure(latency=0.2)  # so that the list is still read when somebody stops it
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("".join(f"{ref}\n" for ref in process_demo.open_tickets))
    ran = manage("tag_tickets", "--ids-file", str(numbers), "--add", "brand-new", "--yes")
    job = await_that(
        lambda: Job.objects.filter(status__in=["selecting", "running"], found__gt=0).first(), "it reads"
    )
    assert job is not None
    act(job=job, by=ANA)
    await_that(lambda: Job.objects.filter(pk=job.pk, status__in=["cancelled", "paused"]).exists(), "it stops")
    if act is actions.pause:  # the command waits until somebody decides
        actions.cancel(job=job, by=ANA)
    end = end_of(ran)
    assert (end.code, end.err) == (4, "")
