"""Migrations with jobs in flight: nothing of them changes, and old and new programs live side by side."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.fields import NOT_PROVIDED

from jobs.demo import gallery
from jobs.models import Batch, Item, Job, Transition
from jobs.reports import recount
from jobs.states import Status
from jobs.workers import schema
from tagmanager.version import version
from tests import factories
from tests.demo import counts, demo_zendesk, outcomes, run, submit
from tests.outages.premises import Premises
from tests.processes import await_that

OURS = sorted(name for app, name in MigrationLoader(None).disk_migrations if app == "jobs")
FIRST = OURS[0]
STORED = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unmoved(transactional_db: None) -> Iterator[None]:
    """Whatever the test does, the database ends at the newest migration."""
    yield
    call_command("migrate", "jobs", verbosity=0)


def rows() -> dict[str, list[Any]]:
    """All that is stored in the tables of the first migration, but for what came later."""
    old = old_models()
    stored = {}
    for model in (Job, Batch, Item, Transition):
        columns = [field.attname for field in old.get_model("jobs", model.__name__)._meta.concrete_fields]
        stored[model.__name__] = list(model._default_manager.order_by("pk").values_list(*columns))
    return stored


def old_models(migration: str = FIRST) -> Any:
    """The models as the program of a migration knew them, by default that of the first."""
    return MigrationExecutor(connection).loader.project_state(("jobs", migration)).apps


@pytest.mark.slow
def test_jobs_in_every_state_are_the_same_after_all_migrations_back_and_forth(unmoved: None) -> None:
    gallery.create_gallery()
    assert set(Job.objects.values_list("status", flat=True)) == {str(status) for status in Status}
    before = rows()
    for target in (*reversed(OURS), *OURS):
        call_command("migrate", "jobs", target, verbosity=0)
    assert rows() == before


@pytest.mark.slow
def test_the_program_of_now_goes_on_with_a_job_that_was_begun_before_the_migrations(
    unmoved: None, settings: Any
) -> None:
    with demo_zendesk(settings) as demo:
        refs = demo.open_tickets[:150]
        made = submit(refs=refs, add=["brand-new"])

        def stop_at_the_first_batch() -> None:
            if demo.account.ledger.updates:
                Job.objects.update(lease_token="", lease_owner="", beat_at=None)

        run(made, tick=stop_at_the_first_batch)
        call_command("migrate", "jobs", FIRST, verbosity=0)
        call_command("migrate", "jobs", verbosity=0)
        job = run(made.job)
        assert (job.status, counts(job)) == (Status.SUCCEEDED, {"changed": 150})
        assert outcomes(job) == dict.fromkeys(refs, "changed")
        assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
        assert list(recount.drifts()) == []


@STORED
def test_a_program_of_before_can_still_write_jobs_after_the_migrations() -> None:
    """It names only the columns that it knows: every other one needs a default in the database itself."""
    old = old_models()
    job = old.get_model("jobs", "Job").objects.create(tool="bulk-tag", title="made by the old program")
    batch = old.get_model("jobs", "Batch").objects.create(job=job, key="key")
    old.get_model("jobs", "Item").objects.create(job=job, ref=1, batch=batch)
    old.get_model("jobs", "Transition").objects.create(job=job, to_status="queued", actor="old")
    seen = Job.objects.get()
    assert (seen.title, seen.lately, seen.tried_at) == ("made by the old program", [], None)
    assert (seen.options, seen.chosen_options) == (None, {})


def test_options_are_copied_out_of_the_parameters_which_a_running_old_program_still_reads(
    unmoved: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying = import_module("jobs.migrations.0017_options_of_earlier_jobs")
    monkeypatch.setattr(copying, "PER_TRANSACTION", 2)
    call_command("migrate", "jobs", "0016", verbosity=0)
    asked = [
        {"add": ["vip"], "include_closed": True},
        {"add": ["vip"], "only": {"lack": ["old"]}, "guard": "quiet"},
        {"fields": {"group_id": 7}, "field_names": {"groups": {"7": "Billing"}}},
    ]
    old = old_models().get_model("jobs", "Job").objects
    jobs = [old.create(tool="bulk-tag", title="of the old program", params=params).pk for params in asked]
    newer = old_models("0016_options").get_model("jobs", "Job").objects
    by_the_release_that_moved_them = newer.create(
        tool="any", title="A job", params={"only": "x"}, options={}, source={"kind": "view"}
    ).pk
    call_command("migrate", "jobs", verbosity=0)
    stored = [Job.objects.get(pk=pk) for pk in jobs]
    assert [job.params for job in stored] == asked
    assert [job.options for job in stored] == [
        {"include_closed": True},
        {"only": {"lack": ["old"]}, "guard": "quiet"},
        {"field_names": {"groups": {"7": "Billing"}}},
    ]
    assert [list(job.tool_params) for job in stored] == [["add"], ["add"], ["fields"]]
    made_now = Job.objects.get(pk=by_the_release_that_moved_them)
    assert (made_now.tool_params, made_now.chosen_options) == ({"only": "x"}, {})


@pytest.mark.parametrize("name", OURS[1:])
def test_a_migration_can_be_undone_and_takes_nothing_from_a_program_that_still_runs(name: str) -> None:
    migration = MigrationLoader(None).disk_migrations["jobs", name]
    taking = (
        migrations.RemoveField,
        migrations.RenameField,
        migrations.DeleteModel,
        migrations.RenameModel,
        migrations.AlterModelTable,
    )
    for operation in migration.operations:
        assert operation.reversible, f"{name}: {operation.describe()} cannot be undone"
        assert not isinstance(operation, taking), f"{name}: {operation.describe()} breaks what runs meanwhile"


def test_new_columns_have_a_default_in_the_database_or_may_be_null() -> None:
    first = {
        (model.__name__, field.name)
        for model in MigrationLoader(None).project_state(("jobs", FIRST)).apps.get_models()
        for field in model._meta.concrete_fields
    }
    for model in (Job, Batch, Item, Transition):
        for field in model._meta.concrete_fields:
            if (model.__name__, field.name) not in first:
                assert isinstance(field, models.Field)
                assert field.null or field.db_default is not NOT_PROVIDED, f"{model.__name__}.{field.name}"


def test_a_bare_cluster_refuses_a_database_that_lacks_migrations(unmoved: None) -> None:
    assert schema.migration_problem() == ""
    call_command("migrate", "jobs", OURS[-2], verbosity=0)
    with pytest.raises(CommandError, match=r"1 migration from jobs\.\w+ on must be applied. Run manage.py"):
        call_command("qcluster")


@pytest.mark.slow
def test_a_new_worker_waits_for_the_migrations_and_then_does_what_the_old_one_left(
    settings: Any, tmp_path: Path
) -> None:
    with demo_zendesk(settings, tickets=300) as demo:
        place = Premises(demo, tmp_path, f"sqlite:///{tmp_path / 'new.sqlite3'}")
        try:
            assert place.run("migrate", "--verbosity", "0").code == 0
            ids = ",".join(map(str, demo.open_tickets[:100]))
            made = place.run("tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", "--detach")
            assert made.code == 0
            assert place.run("migrate", "jobs", FIRST, "--verbosity", "0").code == 0
            place.start_worker(until="The worker waits for that.")
            assert "must be applied. Run manage.py migrate." in place.log("worker.log")
            assert place.run("migrate", "--verbosity", "0").code == 0
            await_that(lambda: len(demo.account.ledger.updates) == 100, "the job")
            await_that(lambda: place.job(1)["status"] == "succeeded", "its end")
        finally:
            place.close()


@pytest.fixture
def newer(transactional_db: None) -> Iterator[str]:
    """A database that a release of the future has migrated; the sentence about it."""
    recorder = MigrationRecorder(connection)
    unknown = [("jobs", "9998_future"), ("jobs", "9999_future"), ("an_app_of_the_past", "0001_initial")]
    for app, name in unknown:
        recorder.record_applied(app, name)
    yield (
        f"The database is newer than the program, which is version {version()}: 2 migrations from "
        "jobs.9998_future on came from a newer release. Install that release, or restore the backup that was "
        "made before it."
    )
    for app, name in (
        ("jobs", "9998_future"),
        ("jobs", "9999_future"),
        ("an_app_of_the_past", "0001_initial"),
    ):
        recorder.record_unapplied(app, name)


def test_a_newer_database_is_told_and_refused(newer: str) -> None:
    assert (schema.newer_problem(), schema.migration_problem()) == (newer, "")
    with pytest.raises(SystemCheckError, match=re.escape(newer)):
        call_command("check")
    with pytest.raises(CommandError, match=re.escape(newer)):
        call_command("qcluster")


def test_a_database_of_this_release_is_not_newer(db: None) -> None:
    assert schema.newer_problem() == ""
    call_command("check")


def test_a_database_without_the_table_of_migrations_is_not_newer(unmoved: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO away")
    try:
        assert schema.newer_problem() == ""
        call_command("check")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO django_migrations")


@pytest.mark.slow
def test_worker_and_web_refuse_a_newer_database_with_that_sentence(
    newer: str, manage: Callable[..., subprocess.Popen[str]], process_environment: dict[str, str]
) -> None:
    worker = manage("run_worker")
    _, said = worker.communicate(timeout=60)
    assert (worker.returncode, newer in said, "Traceback" in said) == (1, True, False)
    web = subprocess.run(
        [sys.executable, "-c", "import tagmanager.wsgi"],
        env=process_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (web.returncode, newer in web.stderr, "Traceback" in web.stderr) == (4, True, False)


def test_people_of_earlier_jobs_get_their_names_also_those_whose_account_is_gone(
    unmoved: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    filling = import_module("jobs.migrations.0023_old_names_of_people")
    monkeypatch.setattr(filling, "PER_TRANSACTION", 2)
    call_command("migrate", "jobs", "0019", verbosity=0)
    old = old_models("0019_slots_that_are_free")
    ana = factories.runner("ana")
    jobs, steps = old.get_model("jobs", "Job").objects, old.get_model("jobs", "Transition").objects

    def made(actor: str, *, of: int | None = None, **fields: Any) -> int:
        job = jobs.create(tool="bulk-tag", title="of the old program", created_by_id=of, **fields)
        steps.create(job=job, to_status="queued", actor=actor, user_id=of)
        return int(job.pk)

    of_ana, of_nobody, of_deleted = made("ana", of=ana.pk), made("command line"), made("ben")
    guards = [
        made("worker host:1", of=of, parent_id=parent, follow_up="unguard")
        for of, parent in ((ana.pk, of_ana), (None, of_deleted))
    ]
    call_command("migrate", "jobs", verbosity=0)
    numbers = (of_ana, of_nobody, of_deleted, *guards)
    assert [Job.objects.get(pk=pk).asked_by for pk in numbers] == [
        "ana",
        "command line",
        "ben (deleted)",
        "ana",
        "ben (deleted)",
    ]
    assert [step.who for step in Transition.objects.order_by("pk")] == [
        "ana",
        "command line",
        "ben (deleted)",
        "worker host:1",
        "worker host:1",
    ]
