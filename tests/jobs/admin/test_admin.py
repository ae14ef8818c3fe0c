"""The admin: everything can be seen, nothing edited, and a ticket's history is found by its number."""

from __future__ import annotations

import pickle
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django_q.models import Failure, OrmQ, Schedule, Success
from django_q.signing import SignedPackage
from pytest_django import Settings

from jobs.admin import read_only
from jobs.engine.batcher import UNREAD
from jobs.models import Batch, Item, Job, Pruning, Transition
from jobs.states import BatchState, Outcome, Status
from tests import factories

OURS = [Job, Batch, Item, Transition]
QUEUE = [Failure, OrmQ, Schedule, Success]
TRACE = (
    "No such tag : Traceback (most recent call last):\n"
    '  File "x.py", line 1\n'
    "zendesk.errors.Odd: said the customer\n"
)


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
            id=f"id-{success}", name=f"job-{job.pk}", func="jobs.tasks.work_on", started=now,
            stopped=now + timedelta(seconds=1), success=success, result=None if success else TRACE,
            args=(job.pk,),
        )  # fmt: skip
    Schedule.objects.create(name="s", func="jobs.tasks.work_on")
    OrmQ.objects.create(key="tagmanager", payload="x", lock=now)
    return job


def address(model: Any, part: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{part}", args=args)


def listed(client: Client, model: Any, query: str = "") -> list[list[str]]:
    """The rows of a list as people read them, cell by cell."""
    page = client.get(address(model, "changelist") + query).content.decode()
    table = page.partition('id="result_list"')[2].partition("</table>")[0].partition("<tbody>")[2]
    return [
        [
            " ".join(strip_tags(cell).split())
            for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    ]


def tell(client: Client, name: str, *jobs: Job, **more: str) -> str:
    """Choose the jobs in the list and an action; with `confirmed` the answer to the page that asks."""
    sent = {"action": name, "_selected_action": [job.pk for job in jobs], **more}
    return client.post(address(Job, "changelist"), sent, follow=True).content.decode()


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
        assert type(admin.site.get_model_admin(model)).__module__ == "jobs.admin.queue"


@pytest.mark.parametrize("model", [*OURS, *QUEUE])
def test_the_admin_is_closed_to_staff_without_permissions(client: Client, job: Job, model: Any) -> None:
    client.force_login(factories.user("bob", is_staff=True))
    assert client.get(address(model, "changelist")).status_code == 403


def test_a_ticket_shows_all_that_was_ever_done_to_it(root: Client, job: Job) -> None:
    ana = factories.runner("ana")
    later = factories.job(Status.SUCCEEDED, unchanged=1, title="Add vip again", created_by=ana)
    factories.item(later, 4711, Outcome.UNCHANGED, reason="has_it", detail="It has the tag.")
    swapped = factories.job(Status.SUCCEEDED, changed=1, title="Swap", dry_run=True, created_by=ana)
    factories.item(swapped, 4711, Outcome.PLANNED, change={"add": ["b"], "remove": ["a", "c"]})
    factories.item(swapped, 47_110)
    when = r"\d+ \w+ \d{4}, \d\d:\d\d:\d\d"
    rows = listed(root, Item, "?q=%234711")
    assert [row[:6] + row[7:] for row in rows] == [
        ["4711", f"Job {swapped.pk}: Swap", "will change", "b", "a c", "—", "ana"],
        ["4711", f"Job {later.pk}: Add vip again", "unchanged", "—", "—", "It has the tag.", "ana"],
        ["4711", f"Job {job.pk}: Add &lt;b&gt;vip&lt;/b&gt;", "changed", "vip", "—", "—", "command line"],
    ]
    assert [bool(re.fullmatch(when, row[6])) for row in rows] == [True] * 3


def test_times_are_in_the_persons_zone_which_is_named(root: Client, job: Job) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    Batch.objects.update(settled_at=noon)
    Job.objects.update(frozen_at=noon)
    root.cookies["zone"] = "Asia/Kolkata"
    for model in (Item, Batch):
        assert "23 Nov 2026, 17:30:00" in root.get(address(model, "changelist")).content.decode()
    page = root.get(address(Job, "change", job.pk)).content.decode()
    assert "23 Nov 2026, 17:30:00" in page
    assert "Times are in the zone Asia/Kolkata." in page


def test_a_search_for_anything_but_a_number_is_refused_in_words(root: Client, job: Job) -> None:
    for nonsense in ("vip", "9" * 40, "-1", "4711 4712"):
        response = root.get(address(Item, "changelist") + f"?q={nonsense}")
        assert response.status_code == 200
        page = response.content.decode()
        assert "Search for a whole number, such as 4711." in page
        assert "0 tickets" in page


def test_the_list_of_jobs_finds_those_that_had_a_ticket_and_links_to_its_history(
    root: Client, job: Job
) -> None:
    factories.item(factories.job(title="Other"), 900)
    named = factories.job(title="Add case-4711")
    page = root.get(address(Job, "changelist") + "?q=4711").content.decode()
    assert [row[1] for row in listed(root, Job, "?q=4711")] == [str(named.pk), str(job.pk)]
    assert f'<a href="{address(Item, "changelist")}?q=4711">All that was ever done to ticket 4711</a>' in page
    assert [row[1] for row in listed(root, Job, f"?q=%23{job.pk}")] == [str(job.pk)]
    assert "All that was ever done" not in root.get(address(Job, "changelist") + "?q=vip").content.decode()


def test_progress_is_text_and_a_bar_without_a_style(root: Client, job: Job) -> None:
    factories.job(Status.SELECTING, found=1_234, title="Reading")
    rows = listed(root, Job)
    assert [row[4] for row in rows] == ["1,234 found so far", "2 of 3 (66 %)"]
    page = root.get(address(Job, "changelist")).content.decode()
    assert '<progress max="3" value="2" aria-hidden="true"></progress>' in page
    assert " style=" not in page


def test_the_pages_hold_no_inline_script_style_or_handler(root: Client, job: Job) -> None:
    pages = [reverse("admin:index"), *(address(model, "changelist") for model in (*OURS, *QUEUE))]
    pages += [address(model, "change", model.objects.first().pk) for model in (*OURS, *QUEUE)]
    pages += [address(User, "changelist"), address(User, "add"), address(Job, "history", job.pk)]
    for where in pages:
        page = root.get(where).content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=", page) == [], where


def test_a_job_leads_to_its_rows_and_to_its_page(root: Client, job: Job) -> None:
    page = root.get(address(Job, "change", job.pk)).content.decode()
    for model in ("item", "batch", "transition"):
        where = f"{reverse(f'admin:jobs_{model}_changelist')}?job__id__exact={job.pk}"
        assert f'href="{where}"' in page
        assert root.get(where).status_code == 200
    assert f'href="{job.get_absolute_url()}"' in page


def test_tickets_are_narrowed_by_outcome_only_within_a_job(root: Client, job: Job) -> None:
    other = factories.job()
    factories.item(other, 1, Outcome.FAILED)
    assert [row[0] for row in listed(root, Item, f"?job__id__exact={job.pk}&outcome=failed")] == ["4712"]
    assert [row[0] for row in listed(root, Item, f"?job__id__exact={job.pk}")] == ["4711", "4712"]
    assert (
        "By outcome" in root.get(address(Item, "changelist") + f"?job__id__exact={job.pk}").content.decode()
    )
    assert "By outcome" not in root.get(address(Item, "changelist")).content.decode()
    assert len(listed(root, Item, "?outcome=failed")) == 3


def test_batches_and_steps_are_narrowed_where_an_index_helps(root: Client, job: Job) -> None:
    flying = factories.batch(job, BatchState.SENT)
    assert [row[0] for row in listed(root, Batch, "?state=in_flight")] == [str(flying.pk)]
    assert len(listed(root, Batch, f"?job__id__exact={job.pk}&state=settled")) == 1
    assert len(listed(root, Batch, "?state=settled")) == 2
    ana = factories.runner("ana")
    Transition.objects.create(job=job, to_status=Status.PAUSED, actor="ana", user=ana, by_person=True)
    assert [row[4] for row in listed(root, Transition, "?who=people")] == ["ana"]


def test_a_batch_shows_what_it_carries_or_why_that_is_not_known(root: Client, job: Job) -> None:
    batch = Batch.objects.create(job=job, key=UNREAD, size=100)

    def told(words: str) -> int:
        return root.get(address(Batch, "change", batch.pk)).content.decode().count(words)

    assert (told("Not read yet"), told("Each ticket has its own")) == (2, 0)  # to add, and to remove
    Batch.objects.filter(pk=batch.pk).update(key="own")
    assert (told("Not read yet"), told("Each ticket has its own")) == (0, 2)


@pytest.mark.parametrize(
    "query",
    ["detail__contains=a", "job__title__contains=a", "before__isnull=1", "ref__gt=1", "batch__note=a"],
)
def test_a_url_cannot_request_a_search_through_every_row(root: Client, job: Job, query: str) -> None:
    assert root.get(address(Item, "changelist") + f"?{query}").status_code == 400


def test_a_url_cannot_request_another_order_or_all_rows_at_once(root: Client, job: Job) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = root.get(address(Item, "changelist") + "?o=-5.3&all=").content.decode()
    orders = {re.sub(r".* ORDER BY ", "", query["sql"]) for query in queries if '"jobs_item"' in query["sql"]}
    assert orders
    assert [order for order in orders if "detail" in order] == []
    assert "4711" in page


def test_rows_are_counted_up_to_a_cap(root: Client, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_only, "ROWS_COUNTED", 2)
    factories.item(job, 4713)
    page = root.get(address(Item, "changelist")).content.decode()
    assert "The first 2; search for a number to reach the others." in page
    with CaptureQueriesContext(connection) as queries:
        root.get(address(Item, "changelist"))
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counting) == 1
    assert "LIMIT 2" in counting[0]


@pytest.mark.parametrize("model", [*OURS, *QUEUE])
def test_a_list_needs_as_many_queries_for_three_rows_as_for_one(root: Client, job: Job, model: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            root.get(address(model, "changelist"))
        return len(queries)

    Item.objects.filter(ref=4712).delete()
    root.get(address(model, "changelist"))
    one = asked()
    ana, now = factories.runner("ana"), timezone.now()
    for number in (1, 2):
        more = factories.job(Status.RUNNING, total=1, created_by=ana, parent=job)
        factories.item(more, number, batch=factories.batch(more))
        for success in (True, False):
            Success.objects.create(
                id=f"{number}{success}", name="t", func="jobs.tasks.work_on", started=now, stopped=now,
                success=success, result=TRACE, args=(more.pk,),
            )  # fmt: skip
        Schedule.objects.create(func="jobs.tasks.work_on")
        OrmQ.objects.create(key="tagmanager", payload="x")
    assert len(listed(root, model)) == 3
    assert asked() == one


@pytest.mark.parametrize("model", [Job, Item, Batch, Transition])
def test_a_row_needs_the_same_few_queries_whatever_belongs_to_it(root: Client, job: Job, model: Any) -> None:
    row = model.objects.first()
    root.get(address(model, "change", row.pk))
    for number in range(3):
        child = factories.job(parent=job)
        factories.item(child, number)
    with CaptureQueriesContext(connection) as queries:
        root.get(address(model, "change", row.pk))
    assert len(queries) <= 4


def test_the_token_that_owns_a_job_is_not_shown(root: Client, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_token="deadbeef" * 4, nonce="feedface", cursor="cafebabe")
    page = root.get(address(Job, "change", job.pk)).content.decode()
    assert not re.search("deadbeef|feedface|cafebabe", page)


def test_hostile_words_are_shown_as_text(root: Client, job: Job) -> None:
    pages = [root.get(address(model, "changelist")).content.decode() for model in (Job, Item, Batch)]
    pages += [root.get(address(Item, "change", item.pk)).content.decode() for item in Item.objects.all()]
    pages.append(tell(root, "cancel", job))
    for page in pages:
        assert "<b>vip</b>" not in page
        assert "<script>alert" not in page


def test_a_failed_task_shows_its_error_class_and_its_meaning_but_no_text(root: Client, job: Job) -> None:
    page = root.get(address(Failure, "change", "id-False")).content.decode()
    assert "Odd" in page
    assert "Nothing of the job is lost" in page
    assert address(Job, "change", job.pk) in page
    for part in (page, root.get(address(Failure, "changelist")).content.decode()):
        assert not re.search("said the customer|No such tag|Traceback|x.py", part)


def test_a_queued_message_shows_its_job_or_that_it_cannot_be_read(root: Client, job: Job) -> None:
    payload = SignedPackage.dumps({"func": "jobs.tasks.work_on", "args": (job.pk,), "name": "secret-name"})
    OrmQ.objects.create(key="tagmanager", payload=payload)
    OrmQ.objects.create(key="tagmanager", payload=SignedPackage.dumps({"func": "os.system", "args": ("ls",)}))
    rows = listed(root, OrmQ)
    assert [row[1:3] for row in rows] == [
        ["—", "Refused: it was signed with another SECRET_KEY"],
        [f"Job {job.pk}", "jobs.tasks.work_on"],
        ["—", "Refused: it names the function &#x27;os.system&#x27;"],
    ]


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_no_page_unpickles_what_a_row_holds(root: Client, job: Job, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = b64encode(pickle.dumps(Trap(sprung))).decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET args = %s, kwargs = %s, result = %s", [trap] * 3)
    OrmQ.objects.create(key="tagmanager", payload=SignedPackage.dumps(Trap(sprung)))
    for model, pk in ((Success, "id-True"), (Failure, "id-False"), (OrmQ, OrmQ.objects.latest("pk").pk)):
        assert root.get(address(model, "changelist")).status_code == 200
        assert root.get(address(model, "change", pk)).status_code == 200
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()  # the trap works


def test_an_action_asks_first_and_says_what_will_not_be_done(root: Client, job: Job) -> None:
    over = factories.job(Status.SUCCEEDED)
    page = tell(root, "cancel", job, over)
    assert "Cancel these jobs?" in page
    assert "1 of 3 tickets changed, 1 left" in page
    assert f"Job {over.pk} has ended (succeeded), so there is nothing to cancel." in page
    assert 'value="Cancel 1 job"' in page
    job.refresh_from_db()
    assert (job.status, LogEntry.objects.count()) == (Status.RUNNING, 0)


def test_an_action_is_recorded_in_the_persons_name_and_refusals_are_shown(root: Client, job: Job) -> None:
    over = factories.job(Status.SUCCEEDED)
    page = tell(root, "pause", job, over, confirmed="yes")
    assert "1 job was told to pause." in page
    assert f"Job {over.pk} cannot be paused" in page
    job.refresh_from_db()
    last = job.transitions.order_by("-id")[0]
    me = User.objects.get(username="root")
    assert (job.status, last.actor, last.user) == (Status.PAUSED, "root", me)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        me,
        str(job.pk),
        "The job was told to pause.",
    )

    tell(root, "resume", job, confirmed="yes")
    job.refresh_from_db()
    assert job.status == Status.QUEUED
    tell(root, "cancel", job, confirmed="yes")
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert LogEntry.objects.count() == 3


def test_a_job_that_no_longer_matches_the_filter_still_gets_an_answer(root: Client, job: Job) -> None:
    over = factories.job(Status.SUCCEEDED)
    where = address(Job, "changelist") + "?status__exact=running"
    sent = {"action": "cancel", "_selected_action": [job.pk, over.pk]}
    page = root.post(where, sent).content.decode()
    assert f"Job {over.pk} has ended" in page
    assert 'name="kept" value="status__exact=running"' in page
    answer = root.post(
        address(Job, "changelist"), sent | {"confirmed": "yes", "kept": "status__exact=running"}
    )
    assert answer.headers["Location"] == where


def test_an_action_can_take_all_jobs_that_match(root: Client, job: Job) -> None:
    waiting = [factories.job(Status.PAUSED) for _ in range(3)]
    where = address(Job, "changelist") + "?status__exact=paused"
    sent = {"action": "cancel", "select_across": "1", "_selected_action": [waiting[0].pk]}
    page = root.post(where, sent).content.decode()
    assert 'value="Cancel 3 jobs"' in page
    assert f'value="{job.pk}"' not in page


def test_staff_who_may_only_view_are_offered_no_action(client: Client, job: Job) -> None:
    client.force_login(factories.user("bob", "view_job", is_staff=True))
    assert "Pause the chosen jobs" not in client.get(address(Job, "changelist")).content.decode()
    tell(client, "cancel", job, confirmed="yes")
    job.refresh_from_db()
    assert job.status == Status.RUNNING


def test_the_index_groups_what_there_is_and_finds_a_ticket(root: Client, job: Job) -> None:
    page = root.get(reverse("admin:index")).content.decode()
    assert re.findall(r'<h2 id="room-\w+">(.*?)</h2>', page) == ["Jobs", "Queue", "People", "Sign-in"]
    assert re.findall(r'href="/admin/jobs/(\w+)/"', page) == [
        *("job", "item", "batch", "transition", "pruning"),
    ]
    assert "<title>Oversight · Tag Manager</title>" in page
    assert f'action="{address(Item, "changelist")}"' in page
    assert f'<a href="{reverse("home")}">View site</a>' in page


def test_a_run_that_deleted_old_jobs_shows_their_totals(root: Client) -> None:
    run = Pruning.objects.create(
        actor="ana", ended_before=timezone.now(), jobs=1, found=1001305, changed=800780
    )
    for place in (
        reverse("admin:jobs_pruning_changelist"),
        reverse("admin:jobs_pruning_change", args=[run.pk]),
    ):
        page = root.get(place).content.decode()
        for told in ("Deleted by", "1,001,305", "800,780"):
            assert told in page, (place, told)
    assert str(run) == "1 job deleted by ana"


def test_staff_who_may_see_nothing_read_whom_to_ask(client: Client, db: None) -> None:
    client.force_login(factories.user("bob", is_staff=True))
    page = client.get(reverse("admin:index")).content.decode()
    assert "Ask an administrator of Tag Manager" in page
    assert 'id="find"' not in page


def test_the_site_links_to_the_admin_for_staff_alone(client: Client, job: Job) -> None:
    client.force_login(factories.runner("ana"))
    assert 'href="/admin/"' not in client.get("/").content.decode()
    client.force_login(factories.runner("bob", is_staff=True))
    assert 'href="/admin/"' in client.get("/").content.decode()


def test_the_admin_is_entered_through_the_sign_in_page_of_the_site(client: Client, db: None) -> None:
    factories.runner("bob", is_staff=True)
    asked = client.get("/admin/jobs/job/?q=vip", follow=True)
    assert asked.redirect_chain[-1][0].startswith("/login/?next=%2Fadmin%2Fjobs%2Fjob%2F%3Fq%3Dvip")
    signed = {"username": "bob", "password": factories.PASSWORD, "next": "/admin/jobs/job/?q=vip"}
    assert client.post("/login/", signed).headers["Location"] == "/admin/jobs/job/?q=vip"
    assert client.get("/admin/login/?next=//evil.example/").headers["Location"] == "/admin/"
    assert client.post("/admin/logout/").headers["Location"] == "/login/"


def test_the_admin_has_no_login_of_its_own_that_could_be_guessed_at(
    client: Client, db: None, settings: Settings
) -> None:
    factories.runner("bob", is_staff=True)
    settings.AXES_FAILURE_LIMIT = 2
    right = {"username": "bob", "password": factories.PASSWORD}
    assert client.post("/admin/login/", right).headers["Location"].startswith("/login/")
    assert client.get("/admin/").status_code == 302
    wrong = right | {"password": "wrong"}
    assert [client.post("/login/?next=/admin/", wrong).status_code for _ in range(2)] == [200, 429]
    assert client.post("/login/?next=/admin/", right).status_code == 429


def test_a_person_who_is_not_staff_reads_so_and_is_not_sent_in_circles(client: Client, db: None) -> None:
    client.force_login(factories.runner("ana"))
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "Staff status" in answer.content.decode()
