"""The admin: everything can be seen, nothing can be edited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

from jobs.models import Batch, Item, Job, Transition
from jobs.states import Outcome, Status
from tests import factories

OURS = [Job, Batch, Item, Transition]
QUEUE = [Failure, OrmQ, Schedule, Success]


@pytest.fixture
def root(client: Client, db: None) -> Client:
    """A superuser, who may do everything that can be done."""
    client.force_login(User.objects.create_superuser("root", password=factories.PASSWORD))
    return client


@pytest.fixture
def job(db: None) -> Job:
    job = factories.job(Status.RUNNING, changed=1, failed=1, total=3, title="Add <b>vip</b>")
    batch = factories.batch(job)
    factories.item(job, 4711, batch=batch)
    factories.item(job, 4712, Outcome.FAILED, detail="<script>alert(1)</script>")
    now = timezone.now()
    for model, success in ((Success, True), (Failure, False)):
        model.objects.create(
            id=f"id-{success}", name=f"t-{success}", func="jobs.tasks.work_on", started=now,
            stopped=now + timedelta(seconds=1), success=success, result=None,
        )  # fmt: skip
    Schedule.objects.create(name="s", func="jobs.tasks.work_on")
    OrmQ.objects.create(key="tagmanager", payload="x", lock=now)
    return job


def address(model: Any, part: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{part}", args=args)


@pytest.mark.parametrize("model", [*OURS, *QUEUE])
def test_everything_is_listed_and_shown_and_nothing_is_editable(root: Client, job: Job, model: Any) -> None:
    row = model.objects.first()
    assert root.get(address(model, "changelist")).status_code == 200
    shown = root.get(address(model, "change", row.pk))
    assert shown.status_code == 200
    page = shown.content.decode()
    assert 'name="_save"' not in page
    assert '<select name="status"' not in page
    assert root.get(address(model, "add")).status_code == 403
    assert root.post(address(model, "change", row.pk), {"status": "succeeded"}).status_code == 403
    assert root.get(address(model, "delete", row.pk)).status_code == 403
    assert root.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    deleted = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    root.post(address(model, "changelist"), deleted)
    resubmitted = {"action": "resubmit_task", "_selected_action": [row.pk]}
    root.post(address(model, "changelist"), resubmitted)
    assert model.objects.filter(pk=row.pk).exists()
    assert OrmQ.objects.count() == 1


def test_every_model_of_the_queue_is_replaced() -> None:
    for model in QUEUE:
        assert type(admin.site.get_model_admin(model)).__module__ == "jobs.admin"


@pytest.mark.parametrize("model", [*OURS, *QUEUE])
def test_the_admin_is_closed_to_staff_without_permissions(client: Client, job: Job, model: Any) -> None:
    client.force_login(factories.user("bob", is_staff=True))
    assert client.get(address(model, "changelist")).status_code == 403


def test_a_ticket_is_found_by_its_number(root: Client, job: Job) -> None:
    page = root.get(address(Item, "changelist") + "?q=%234711").content.decode()
    assert "1 item" in page
    assert "4712" not in page
    for nonsense in ("vip", "9" * 40, "-1"):
        response = root.get(address(Item, "changelist") + f"?q={nonsense}")
        assert response.status_code == 200
        assert "Search for a whole number, such as 4711." in response.content.decode()


def test_the_token_that_owns_a_job_is_not_shown(root: Client, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_token="deadbeef" * 4)
    assert "deadbeef" not in root.get(address(Job, "change", job.pk)).content.decode()


def test_hostile_words_are_shown_as_text(root: Client, job: Job) -> None:
    pages = [root.get(address(model, "changelist")).content.decode() for model in (Job, Item)]
    assert "<b>vip</b>" not in pages[0]
    assert "<script>alert" not in pages[1]


def test_chosen_jobs_are_told_in_the_name_of_the_person_and_refusals_are_said(root: Client, job: Job) -> None:
    over = factories.job(Status.SUCCEEDED)
    chosen = {"action": "pause", "_selected_action": [job.pk, over.pk]}
    page = root.post(address(Job, "changelist"), chosen, follow=True).content.decode()
    assert "1 job was told to pause." in page
    assert f"Job {over.pk} cannot be paused" in page
    job.refresh_from_db()
    last = job.transitions.order_by("-id")[0]
    assert (job.status, last.actor) == (Status.PAUSED, "root")

    root.post(address(Job, "changelist"), {"action": "cancel", "_selected_action": [job.pk]})
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    paused = factories.job(Status.PAUSED)
    root.post(address(Job, "changelist"), {"action": "resume", "_selected_action": [paused.pk]})
    paused.refresh_from_db()
    assert paused.status == Status.QUEUED


def test_staff_who_may_only_look_are_offered_no_action(client: Client, job: Job) -> None:
    client.force_login(factories.user("bob", "view_job", is_staff=True))
    assert "Pause the chosen jobs" not in client.get(address(Job, "changelist")).content.decode()
    client.post(address(Job, "changelist"), {"action": "cancel", "_selected_action": [job.pk]})
    job.refresh_from_db()
    assert job.status == Status.RUNNING
