"""The admin of people: nobody gives, takes over or removes what is beyond their own permissions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpResponse
from django.test import Client

from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.once

NEW = "staple battery correct"
HR = ("view_user", "add_user", "change_user", "delete_user")
GROUPS = ("view_group", "add_group", "change_group", "delete_group")


def permission(name: str) -> Permission:
    return Permission.objects.get(codename=name)


def group(name: str, *permissions: str) -> Group:
    made = Group.objects.create(name=name)
    made.permissions.set([permission(each) for each in permissions])
    return made


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", PASSWORD)


@pytest.fixture
def hr(db: None) -> User:
    """Staff who manage people and groups and may see jobs, but not run them."""
    made = factories.user("hr", "view_job", is_staff=True)
    made.user_permissions.add(*Permission.objects.filter(codename__in=(*HR, *GROUPS)))
    return made


@pytest.fixture
def office(client: Client, hr: User) -> Client:
    """The browser of that person."""
    client.force_login(hr)
    return client


def rows(person: User) -> dict[str, Any]:
    """All that is stored of an account."""
    stored = User.objects.filter(pk=person.pk).values().get()
    of_groups = sorted(person.groups.values_list("name", flat=True))
    held = sorted(person.user_permissions.values_list("codename", flat=True))
    return stored | {"groups": of_groups, "permissions": held}


def change(client: Client, person: User, **fields: Any) -> HttpResponse:
    """What the browser of somebody who forges the form sends: every field, and these besides."""
    sent = {
        "username": person.username,
        "email": person.email,
        "is_active": "on",
        "is_staff": "on" if person.is_staff else "",
        "groups": [each.pk for each in person.groups.all()],
        "user_permissions": [each.pk for each in person.user_permissions.all()],
        "date_joined_0": "2026-11-01",
        "date_joined_1": "08:00:00",
    }
    form = {name: value for name, value in (sent | fields).items() if value not in ("", None)}
    return client.post(f"/admin/auth/user/{person.pk}/change/", form)  # type: ignore[return-value]


def test_people_within_ones_own_permissions_can_be_managed(office: Client, db: None) -> None:
    viewers = group("viewers", "view_job")
    vera = factories.user("vera")
    told = change(office, vera, email="vera@example.com", groups=[viewers.pk], is_staff="on")
    assert told.status_code == 302
    vera = User.objects.get(pk=vera.pk)
    assert (vera.email, vera.is_staff, list(vera.groups.all())) == ("vera@example.com", True, [viewers])
    office.post(f"/admin/auth/user/{vera.pk}/password/", {"password1": NEW, "password2": NEW})
    assert User.objects.get(pk=vera.pk).check_password(NEW)
    office.post(f"/admin/auth/user/{vera.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=vera.pk).exists()


@pytest.mark.parametrize("whom", ["vera", "hr"])
@pytest.mark.parametrize("what", ["superuser", "permission", "group", "both"])
def test_nobody_gives_what_they_lack_to_others_or_to_themselves(
    office: Client, hr: User, whom: str, what: str
) -> None:
    runners = group("runners", "view_job", "run_job")
    person = hr if whom == "hr" else factories.user("vera")
    before = rows(person)
    run = permission("run_job").pk
    kinds: dict[str, dict[str, Any]] = {
        "superuser": {"is_superuser": "on"},
        "permission": {"user_permissions": [run]},
        "group": {"groups": [runners.pk]},
        "both": {"is_superuser": "on", "groups": [runners.pk], "user_permissions": [run]},
    }
    change(office, person, **kinds[what])
    after = rows(person)
    assert (after["is_superuser"], after["groups"]) == (False, before["groups"])
    assert "run_job" not in after["permissions"]
    page = office.get(f"/admin/auth/user/{person.pk}/change/").content.decode()
    assert 'name="is_superuser"' not in page
    assert "runners" not in page
    assert "Can run, pause" not in page
    assert "Can view job" in page


def beyond(name: str) -> User:
    """An account that the person does not reach, of each kind."""
    if name == "superuser":
        return User.objects.create_superuser("boss", "boss@example.com", PASSWORD)
    if name == "superuser who is out":
        return User.objects.create_superuser("boss", "boss@example.com", PASSWORD, is_active=False)
    if name == "runner":
        return factories.runner("boss")
    made = factories.user("boss", is_active=name != "runner by group who is out")
    made.groups.add(group("runners", "run_job"))
    return made


@pytest.mark.parametrize(
    "kind",
    [
        "superuser",
        "superuser who is out",
        "runner",
        "runner by group",
        "runner by group who is out",
    ],
)
def test_an_account_with_more_can_be_seen_and_by_no_door_changed_or_deleted(
    office: Client, db: None, kind: str
) -> None:
    boss = beyond(kind)
    before = rows(boss)
    at = f"/admin/auth/user/{boss.pk}"
    page = office.get(f"{at}/change/")
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert [
        change(office, boss, email="mine@example.com").status_code,
        change(office, boss, is_active="").status_code,
        office.get(f"{at}/password/").status_code,
        office.post(f"{at}/password/", {"password1": NEW, "password2": NEW}).status_code,
        office.get(f"{at}/delete/").status_code,
        office.post(f"{at}/delete/", {"post": "yes"}).status_code,
    ] == [403] * 6
    both = [boss.pk, factories.user("vera").pk]
    bulk = {"action": "delete_selected", "_selected_action": both, "post": "yes"}
    assert office.post("/admin/auth/user/", bulk).status_code == 403
    assert office.post("/admin/auth/user/", bulk | {"select_across": "1"}).status_code == 403
    assert User.objects.filter(pk__in=both).count() == 2
    assert rows(boss) == before


def test_a_new_account_is_made_without_anything(office: Client, db: None) -> None:
    office.post(
        "/admin/auth/user/add/",
        {
            "username": "nina",
            "usable_password": "true",
            "password1": NEW,
            "password2": NEW,
            "is_superuser": "on",
            "is_staff": "on",
            "user_permissions": [permission("run_job").pk],
        },
    )
    nina = User.objects.get(username="nina")
    assert (nina.is_superuser, nina.is_staff, nina.get_all_permissions()) == (False, False, set())


def test_groups_are_bound_by_the_same_rule(office: Client, hr: User) -> None:
    viewers, runners = group("viewers", "view_job"), group("runners", "view_job", "run_job")
    hr.groups.add(viewers)
    run, see = permission("run_job").pk, permission("view_job").pk

    def save(one: Group, **fields: Any) -> int:
        return office.post(
            f"/admin/auth/group/{one.pk}/change/", {"name": one.name, "permissions": [see]} | fields
        ).status_code

    def held() -> dict[str, list[str]]:
        return {
            each.name: sorted(each.permissions.values_list("codename", flat=True))
            for each in Group.objects.all()
        }

    before = held()
    assert save(viewers, permissions=[see, run]) == 200  # shown again, with the error
    assert save(runners, permissions=[see, run], name="mine") == 403
    assert office.post(f"/admin/auth/group/{runners.pk}/delete/", {"post": "yes"}).status_code == 403
    assert (
        office.post(
            "/admin/auth/group/",
            {"action": "delete_selected", "_selected_action": [viewers.pk, runners.pk], "post": "yes"},
        ).status_code
        == 403
    )
    assert office.post("/admin/auth/group/add/", {"name": "new", "permissions": [run]}).status_code == 200
    assert held() == before
    assert save(viewers, name="lookers") == 302
    assert held() == {"lookers": ["view_job"], "runners": ["run_job", "view_job"]}


def test_superusers_do_all_of_that(client: Client, root: User, caplog: pytest.LogCaptureFixture) -> None:
    client.force_login(root)
    vera, run = factories.user("vera"), permission("run_job").pk
    runners = group("runners", "run_job")
    with caplog.at_level("INFO", "tagmanager.people"):
        told = change(client, vera, is_superuser="on", groups=[runners.pk], user_permissions=[run])
    assert told.status_code == 302
    vera = User.objects.get(pk=vera.pk)
    assert (vera.is_superuser, vera.groups.get(), vera.user_permissions.get().pk) == (True, runners, run)
    assert caplog.messages == [f"user {vera.pk} vera changed by root"]
    assert change(client, vera).status_code == 302
    client.post(f"/admin/auth/user/{vera.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=vera.pk).exists()
