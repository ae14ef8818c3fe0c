"""Who may come in: every address of the app, for every kind of person, by GET and by POST."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from jobs.models import Job
from jobs.states import Status
from jobs.views.permissions import ACT, HOLD, SEE, why_refused
from tests import factories

pytestmark = pytest.mark.once

OK, MOVED, SEND_AGAIN = HTTPStatus.OK, HTTPStatus.FOUND, HTTPStatus.TEMPORARY_REDIRECT
UNKNOWN, REFUSED, NO_SUCH_VERB = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED
#: By kind of person: the permissions that count.
PEOPLE: dict[str, set[str]] = {
    "stranger": set(),
    "nobody": set(),
    "viewer": {SEE},
    "half a runner": {ACT},
    "runner": {SEE, ACT},
    "staff": set(),
    "superuser": {SEE, ACT, HOLD},
}
#: What a refusal says must be given.
GIVES = {SEE: "“Can view job”", ACT: "“Can run, pause,", HOLD: "“Can hold and release"}


@dataclass(frozen=True)
class Door:
    """An address: what it needs, and what those who may come in get."""

    address: str
    needs: tuple[str, ...] = ()
    post: HTTPStatus | None = None  # None: it only shows something
    get: HTTPStatus | None = OK
    is_open: bool = False
    for_scripts: bool = False


#: A running job has the number 1, a preview that has ended the number 2. A view without a line here fails
#: the test that compares this table with the addresses of the app.
DOORS = {
    "home": Door("/"),
    "now": Door("/now", (SEE,)),
    "connection": Door("/connection"),
    "sign-in-code": Door("/login/code/", get=MOVED, post=MOVED, is_open=True),
    "two-factor": Door("/two-factor/", post=OK),
    "signed-out": Door("/signed-out/", post=OK, is_open=True),
    "tags": Door("/tools/parts/tags", (SEE, ACT), for_scripts=True),
    "stored": Door("/tools/parts/stored", (SEE, ACT)),
    "pairs": Door("/tools/parts/pairs", (SEE, ACT)),
    "guard": Door("/tools/parts/guard", (SEE, ACT)),
    "closed": Door("/tools/parts/closed", (SEE, ACT)),
    "meant": Door("/tools/parts/meant", (SEE, ACT)),
    "view-count": Door("/tools/parts/view-count", (SEE, ACT)),
    "search-count": Door("/tools/parts/search-count", (SEE, ACT)),
    "offered-views": Door("/tools/parts/views", (SEE, ACT)),
    "offered-macros": Door("/tools/parts/macros", (SEE, ACT)),
    "preview-samples": Door("/tools/preview/2/samples", (SEE,)),
    "preview-warnings": Door("/tools/preview/2/warnings", (SEE,)),
    "preview-pairs": Door("/tools/preview/2/pairs", (SEE,)),
    "preview-named-in": Door("/tools/preview/2/named-in.csv", (SEE,), get=HTTPStatus.SERVICE_UNAVAILABLE),
    "macro-search": Door("/tools/macro-search/", (SEE,)),
    "tag-inventory": Door("/tools/tag-inventory/", (SEE,)),
    "tag-inventory-state": Door("/tools/tag-inventory/state", (SEE,), get=HTTPStatus.SERVICE_UNAVAILABLE),
    "tag-inventory-count": Door("/tools/tag-inventory/count", (SEE, ACT), get=None, post=MOVED),
    "tag-inventory-anew": Door("/tools/tag-inventory/anew", (SEE, ACT), get=None, post=MOVED),
    "tool": Door("/tools/bulk-tag/", (SEE, ACT), post=OK),
    "draft": Door("/tools/bulk-tag/draft", (SEE, ACT), get=None, post=OK),
    "jobs:list": Door("/jobs/", (SEE,)),
    "jobs:rows": Door("/jobs/rows", (SEE,)),
    "jobs:cancel-many": Door("/jobs/cancel", (SEE, ACT), post=MOVED),
    "jobs:detail": Door("/jobs/1/", (SEE,)),
    "jobs:live": Door("/jobs/1/live", (SEE,)),
    "jobs:account": Door("/jobs/1/account", (SEE,)),
    "jobs:status": Door("/jobs/1/status", (SEE,), for_scripts=True),
    "jobs:export": Door("/jobs/1/export.csv", (SEE,), for_scripts=True),
    **{
        f"jobs:{name}": Door(f"/jobs/1/{name}", (SEE, ACT), post=MOVED)
        for name in ("pause", "resume", "cancel", "run", "retry", "rest", "undo", "unguard")
    },
    **{
        f"jobs:{name}": Door(f"/jobs/{name}", (HOLD,), post=MOVED)
        for name in ("hold", "release", "this-database")
    },
    "login": Door("/login/", post=OK, is_open=True),
    "logout": Door("/logout/", get=None, post=MOVED, is_open=True),
    "password": Door("/password/", post=OK),
    "healthz": Door("/healthz", is_open=True),
    "metrics": Door(
        "/metrics", get=HTTPStatus.NOT_FOUND, is_open=True
    ),  # without METRICS_TOKEN there is none
}


def names(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """The name of every address but the admin's own."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{before}{entry.name}"
        elif entry.app_name != "admin":
            yield from names(entry, f"{entry.namespace}:" if entry.namespace else before)


def sign_in(client: Client, person: str) -> None:
    codes = [permission.split(".")[1] for permission in PEOPLE[person]]
    if person == "superuser":
        client.force_login(User.objects.create_superuser("root"))
    elif person != "stranger":
        client.force_login(factories.user("bob", *codes, is_staff=person == "staff"))


def expected(door: Door, person: str, verb: str) -> HTTPStatus:
    """What this person gets at this door."""
    answer = door.get if verb == "get" else door.post
    if answer is None:
        return NO_SUCH_VERB
    if person == "stranger" and not door.is_open:
        if door.for_scripts:
            return UNKNOWN
        return MOVED if verb == "get" else SEND_AGAIN
    if set(door.needs) - PEOPLE[person]:
        return REFUSED
    if door.address == "/login/" and person != "stranger":
        return MOVED
    return answer


@pytest.fixture
def stock(db: None) -> list[Job]:
    return [
        factories.job(Status.RUNNING, pk=1, total=5, title="A secret job"),
        factories.job(Status.SUCCEEDED, pk=2, dry_run=True, planned=1, title="A secret preview"),
    ]


def test_every_url_is_covered_here() -> None:
    assert sorted(names(get_resolver())) == sorted(DOORS)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", DOORS)
def test_each_person_has_access_to_the_expected_urls_only(
    client: Client, stock: list[Job], name: str, person: str
) -> None:
    sign_in(client, person)
    door, before = DOORS[name], list(Job.objects.values())
    for verb in ("get", "post"):
        wanted = expected(door, person, verb)
        response = getattr(client, verb)(door.address)
        assert response.status_code == wanted
        if person != "stranger":
            assert "no-store" in response["Cache-Control"]
        if wanted not in (OK, MOVED) or person == "stranger":
            shown = b"" if response.streaming else response.content
            assert b"secret" not in shown
            assert list(Job.objects.values()) == before
        if wanted == REFUSED:
            said = response.json()["error"] if door.for_scripts else response.content.decode()
            assert "administrator of Tag Manager" in said
            missing = next(need for need in door.needs if need not in PEOPLE[person])
            assert GIVES[missing] in said
        if person == "stranger" and wanted in (MOVED, SEND_AGAIN) and not door.is_open:
            assert response["Location"].startswith("/login/?next=")


@pytest.mark.parametrize("person", [person for person in PEOPLE if person not in ("staff", "superuser")])
def test_the_admin_is_for_staff(client: Client, stock: list[Job], person: str) -> None:
    sign_in(client, person)
    for address in (
        "/admin/", "/admin/jobs/", "/admin/jobs/job/", "/admin/jobs/job/1/change/", "/admin/jobs/item/",
        "/admin/auth/user/", "/admin/django_q/ormq/", "/admin/password_change/", "/admin/nonsense/",
    ):  # fmt: skip
        for verb in ("get", "post"):
            response = getattr(client, verb)(address)
            assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={address}")


def test_signing_in_returns_to_the_previous_page(db: None, client: Client) -> None:
    job = factories.job()
    factories.runner("ana")
    response = client.get(f"/jobs/{job.pk}/?outcome=failed")
    assert response["Location"] == f"/login/?next=%2Fjobs%2F{job.pk}%2F%3Foutcome%3Dfailed"
    response = client.post(response["Location"], {"username": "ana", "password": factories.PASSWORD})
    assert response["Location"] == f"/jobs/{job.pk}/?outcome=failed"


def test_those_who_can_grant_a_permission_are_named(db: None) -> None:
    bob = factories.user("bob")
    ask = "Your account may not see jobs. Ask {} to give it the permission “Can view job”."
    assert why_refused(bob, SEE) == ask.format("an administrator of Tag Manager")
    User.objects.create_superuser("root")
    assert why_refused(bob, SEE) == ask.format("root, an administrator of Tag Manager,")
    cy = factories.user("cy", is_staff=True)
    office = Group.objects.create(name="office")
    office.permissions.add(Permission.objects.get(codename="change_user"))
    cy.groups.add(office)
    factories.user("dan", is_staff=True)  # may not change people
    User.objects.create_superuser("eve", is_active=False)
    factories.user("fay", is_superuser=True)  # cannot enter the admin
    assert why_refused(bob, SEE) == ask.format("an administrator of Tag Manager (cy or root)")
    assert why_refused(factories.runner(), SEE, ACT) == ""


@pytest.mark.parametrize("status", Status)
def test_people_who_may_only_look_see_no_buttons(client: Client, db: None, status: Status) -> None:
    """On no page is there a link to a page, or a form, that would answer with a refusal."""
    job = factories.job(status, changed=1, failed=1, total=5)
    factories.item(job, 1, "failed", reason="closed")
    preview = factories.job(Status.SUCCEEDED, dry_run=True, planned=3)
    client.force_login(factories.user("bob", "view_job"))
    for address in (
        "/",
        "/jobs/",
        job.get_absolute_url(),
        preview.get_absolute_url(),
        f"/jobs/{job.pk}/live",
    ):
        page = client.get(address).content.decode()
        assert "/tools/bulk-tag/" not in page
        assert 'name="job"' not in page
        for act in ("pause", "resume", "cancel", "run", "retry", "rest", "undo", "unguard"):
            assert f"/{act}" not in page
    client.force_login(factories.runner())
    assert "/tools/bulk-tag/" in client.get("/").content.decode()


def test_the_home_page_hides_jobs_without_the_permission(client: Client, stock: list[Job]) -> None:
    client.force_login(factories.user("bob"))
    page = client.get("/").content.decode()
    assert "secret" not in page
    assert "Your account may not see jobs." in page
    assert "Add and remove tags" in page


@pytest.mark.parametrize(
    ("codes", "offered"), [((), set()), (("view_job",), {"jobs"}), (("run_job",), set()),
                           (("view_job", "run_job"), {"jobs", "tool"})],
)  # fmt: skip
def test_keyboard_shortcuts_lead_only_to_permitted_pages(
    client: Client, db: None, codes: tuple[str, ...], offered: set[str]
) -> None:
    client.force_login(factories.user("bob", *codes))
    page = client.get("/").content.decode()
    assert {name for name in ("jobs", "tool") if f" data-{name}=" in page} == offered
    assert ("New job: add and remove tags" in page) == ("tool" in offered)


def test_a_script_that_is_not_signed_in_gets_json(client: Client, db: None) -> None:
    job = factories.job()
    response = client.get(f"/jobs/{job.pk}/status")
    assert (response.status_code, response.json()) == (
        401,
        {"error": "Not signed in. Send the session cookie of a signed-in user."},
    )
