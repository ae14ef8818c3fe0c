"""Names outlive accounts: whoever did something keeps their name, and no namesake takes it over."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from jobs import actions, transitions
from jobs.actors import COMMAND_LINE, person, this_worker
from jobs.models import Job, Transition
from jobs.presentation.job_page import JobPage
from jobs.reports.progress import status_of
from jobs.states import Guarded, Status
from tests import factories

SOURCE = {"kind": "view", "view": 1}


@pytest.fixture
def vera(db: None) -> User:
    return factories.user("vera", "view_job")


@pytest.fixture
def by_ana(ana: User) -> Job:
    """A job that Ana asked for, and paused."""
    made = actions.submit(tool="bulk-tag", title="Add vip", params={}, source=SOURCE, by=person(ana)).job
    actions.pause(job=made, by=person(ana))
    return made


def asker(job: Job) -> tuple[str, Any, Any]:
    """As people read it, as JSON has it, and the account that it belongs to."""
    job = Job.objects.get(pk=job.pk)
    status = status_of(job)
    return job.asked_by, (status["created_by"], status["created_by_deleted"]), job.created_by_id


def text(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def listed(output: str = "text") -> str:
    written = StringIO()
    call_command("jobs", "list", "--output", output, stdout=written)
    return written.getvalue()


def test_the_name_of_a_deleted_person_stays_wherever_it_was_said(
    client: Client, by_ana: Job, ana: User, vera: User
) -> None:
    assert asker(by_ana) == ("ana", ("ana", False), ana.pk)
    ana.delete()
    assert asker(by_ana) == ("ana (deleted)", ("ana", True), None)
    vera.is_staff = vera.is_superuser = True
    vera.save()
    client.force_login(vera)
    page = text(client, f"/jobs/{by_ana.pk}/")
    assert "Asked for by ana (deleted)," in page
    assert "Paused by ana (deleted)." in page
    assert "ana (deleted)</td>" in text(client, "/jobs/")
    assert "ana (deleted)</td>" in text(client, "/admin/jobs/job/")
    assert "ana (deleted)</td>" in text(client, "/admin/jobs/transition/?who=people")
    assert "command line" not in page
    assert client.get(f"/jobs/{by_ana.pk}/status").json()["created_by"] == "ana"
    assert json.loads(listed("json"))[0]["created_by"] == "ana"
    assert "  ana (deleted) Add vip" in listed()


def test_deleting_people_from_the_list_of_the_admin_keeps_their_names_too(
    client: Client, by_ana: Job, ana: User
) -> None:
    client.force_login(User.objects.create_superuser("root", password=factories.PASSWORD))
    told = client.post(
        "/admin/auth/user/", {"action": "delete_selected", "_selected_action": [ana.pk], "post": "yes"}
    )
    assert (told.status_code, User.objects.filter(pk=ana.pk).exists()) == (302, False)
    assert asker(by_ana) == ("ana (deleted)", ("ana", True), None)


def test_a_job_of_the_command_line_is_nobodys_and_says_so(web: Client) -> None:
    made = actions.submit(tool="bulk-tag", title="Add", params={}, source=SOURCE, by=COMMAND_LINE).job
    assert asker(made) == ("command line", (None, False), None)
    assert "Asked for by the command line," in text(web, f"/jobs/{made.pk}/")


def test_a_new_account_with_the_name_of_a_deleted_one_gets_neither_its_jobs_nor_its_deeds(
    by_ana: Job, ana: User
) -> None:
    ana.delete()
    namesake = factories.runner("ana")
    own = actions.submit(tool="bulk-tag", title="Own", params={}, source=SOURCE, by=person(namesake)).job
    assert asker(by_ana) == ("ana (deleted)", ("ana", True), None)
    assert asker(own) == ("ana", ("ana", False), namesake.pk)
    assert list(namesake.jobs.all()) == [own]
    assert [step.who for step in by_ana.transitions.all()] == ["ana (deleted)"] * 2


def test_a_person_who_was_renamed_is_called_by_the_name_of_today_also_after_a_namesake_came(
    by_ana: Job, ana: User
) -> None:
    User.objects.filter(pk=ana.pk).update(username="anna")
    factories.runner("ana")
    assert asker(by_ana)[0] == "anna"
    assert [step.who for step in by_ana.transitions.all()] == ["anna"] * 2
    User.objects.get(pk=ana.pk).delete()
    assert asker(by_ana) == ("anna (deleted)", ("anna", True), None)
    assert [step.who for step in by_ana.transitions.all()] == ["anna (deleted)"] * 2


def test_names_are_kept_of_rows_that_a_program_of_an_earlier_release_wrote(ana: User) -> None:
    old = factories.job(Status.PAUSED, created_by=ana)
    Transition.objects.create(job=old, to_status="paused", actor="ana", user=ana)
    Transition.objects.create(job=old, to_status="queued", actor="worker host:1", user=ana)
    assert old.asked_by == "ana"
    ana.delete()
    assert asker(old) == ("ana (deleted)", ("ana", True), None)
    assert [step.who for step in old.transitions.all()] == [
        "worker test:1",
        "ana (deleted)",
        "worker host:1",
    ]


def test_the_filters_find_a_person_with_and_without_account_and_the_command_line_apart(
    web: Client, by_ana: Job, ana: User
) -> None:
    ben = factories.runner("ben")
    of_ben = factories.job(created_by=ben, title="Of Ben")
    of_nobody = factories.job(title="Of nobody")
    ben.delete()
    new_ben = factories.runner("ben")
    of_new_ben = factories.job(created_by=new_ben, created_by_name="ben", title="Of the new Ben")

    def found(by: str) -> set[int]:
        page = web.get("/jobs/", {"by": by})
        return {
            job.pk
            for job in (by_ana, of_ben, of_nobody, of_new_ben)
            if f'/jobs/{job.pk}/"' in page.content.decode()
        }

    assert found("ana") == {by_ana.pk}
    assert found("ben (deleted)") == {of_ben.pk}
    assert found("ben") == {of_ben.pk, of_new_ben.pk}
    assert found("-") == {of_nobody.pk}
    offered = web.get("/jobs/").content.decode()
    assert '<option value="ben">ben</option>' in offered
    assert '<option value="ben (deleted)">ben (deleted)</option>' in offered


def test_a_pause_by_somebody_deleted_is_not_taken_for_the_jobs_own_question(ana: User) -> None:
    job = factories.job(Status.RUNNING, total=10)
    transitions.move(job, Status.PAUSED, by=person(ana), why="Look at it.")
    ana.delete()
    assert JobPage(Job.objects.get(pk=job.pk)).question == ""


@pytest.mark.parametrize("is_deleted", [False, True])
def test_the_end_of_a_guarded_job_makes_a_job_of_the_same_person_also_when_their_account_went_meanwhile(
    ana: User, *, is_deleted: bool
) -> None:
    number = ana.pk
    job = factories.job(
        Status.RUNNING, changed=1, guarded=Guarded.UNTIL_END, created_by=ana, created_by_name="ana"
    )
    held = Job.objects.select_related("created_by").get(pk=job.pk)  # as a worker has it in memory for hours
    if is_deleted:
        ana.delete()
    assert transitions.move(held, Status.SUCCEEDED, by=this_worker())
    child = job.children.get()
    assert (child.created_by_id, child.created_by_name) == (None if is_deleted else number, "ana")
    step = child.transitions.get()
    assert (step.who, step.is_persons) == (this_worker().name, False)
