"""Guessed passwords: who is locked out of where, who still gets in, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tagmanager.people.lockouts import ADDRESS_LIMIT
from tests import factories

pytestmark = pytest.mark.django_db

OFFICE, STRANGER, HOME = "203.0.113.7", "198.51.100.66", "192.0.2.1"


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Settings) -> None:
    settings.TRUST_PROXY = "True"
    # A password is checked some six hundred times here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def sign_in(name: str, password: str = factories.PASSWORD, *, at: str) -> int:
    """The status: 302 when signed in, 200 when the password is wrong, 429 when locked out."""
    headers = {"X-Forwarded-For": f"127.0.0.1, {at}"}
    return Client().post("/login/", {"username": name, "password": password}, headers=headers).status_code


def guess(name: str, times: int, *, at: str) -> list[int]:
    return [sign_in(name, f"guess {number}", at=at) for number in range(times)]


def guessed_over_all_names(*, at: str) -> None:
    """As many wrong passwords as make an address a guesser, without waiting for the checks of each."""
    AccessAttempt.objects.create(username="whoever", ip_address=at, failures_since_start=ADDRESS_LIMIT)


def test_a_stranger_locks_a_name_for_their_own_address_alone() -> None:
    factories.user("ana")
    assert guess("ana", 12, at=STRANGER) == [200] * 9 + [429] * 3
    assert sign_in("ana", at=STRANGER) == 429
    assert sign_in("ana", at=OFFICE) == 302


def test_an_address_that_guesses_is_slowed_over_all_names_and_colleagues_known_there_get_in() -> None:
    factories.user("ana")
    factories.user("ben")
    assert sign_in("ana", at=OFFICE) == 302
    names = [f"name-{number}" for number in range(ADDRESS_LIMIT)]
    assert {sign_in(name, "guess", at=OFFICE) for name in names} == {200}
    # Ana signed in from there before, Ben did not; elsewhere both get in.
    assert (sign_in("ana", at=OFFICE), sign_in("ben", at=OFFICE)) == (302, 429)
    assert sign_in("ben", at=HOME) == 302
    # A known name has its ten tries and no more.
    assert guess("ana", 10, at=OFFICE) == [200] * 9 + [429]
    # What was refused is not counted, so the end does not move.
    assert AccessAttempt.objects.filter(username="ben").count() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=True):
        assert (sign_in("ana", at=OFFICE), sign_in("ben", at=OFFICE)) == (302, 302)


def test_to_be_known_at_an_address_wears_off(settings: Settings) -> None:
    factories.user("ana")
    assert sign_in("ana", at=OFFICE) == 302
    AccessLog.objects.update(attempt_time=timezone.now() - timedelta(days=31))
    guessed_over_all_names(at=OFFICE)
    assert sign_in("ana", at=OFFICE) == 429


def test_new_addresses_of_one_ipv6_customer_count_as_one() -> None:
    factories.user("ana")
    found = [sign_in("ana", "guess", at=f"[2001:db8:1:2::{number}]:4711") for number in range(10)]
    assert found == [200] * 9 + [429]
    assert sign_in("ana", at="2001:db8:1:2:ffff::1") == 429
    assert sign_in("ana", at="2001:db8:1:3::1") == 302


def test_a_forged_header_neither_frees_a_guesser_nor_blames_another() -> None:
    factories.user("ana")
    for number in range(10):
        Client().post(
            "/login/",
            {"username": "ana", "password": "guess"},
            headers={"X-Forwarded-For": f"10.1.1.{number}, {OFFICE}, {STRANGER}"},
        )
    assert (sign_in("ana", at=STRANGER), sign_in("ana", at=OFFICE)) == (429, 302)
    assert list(AccessAttempt.objects.values_list("ip_address", flat=True)) == [STRANGER]


def test_guessing_the_old_password_on_the_page_that_changes_it_is_counted_too() -> None:
    ana = factories.user("ana")
    browser = Client(REMOTE_ADDR=OFFICE)
    browser.force_login(ana)

    def change(old: str) -> int:
        new = "staple battery correct"
        sent = {"old_password": old, "new_password1": new, "new_password2": new}
        return browser.post("/password/", sent).status_code

    assert [change(f"guess {number}") for number in range(10)] == [200] * 9 + [429]
    assert change(factories.PASSWORD) == 429
    # No password that was typed is stored.
    stored = "".join(f"{each.get_data} {each.post_data}" for each in AccessAttempt.objects.all())
    assert "guess" not in stored
    assert "staple" not in stored
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=True):
        browser.force_login(ana)
        assert change("guess") == 200
        assert change(factories.PASSWORD) == 302
        assert AccessAttempt.objects.count() == 0


@pytest.mark.parametrize("page", ["/admin/password_change/", "/admin/login/"])
def test_the_admin_has_no_door_of_its_own_that_does_not_count(page: str) -> None:
    browser = Client()
    if "password" in page:
        browser.force_login(factories.user("root", is_staff=True, is_superuser=True))
    answer = browser.post(page, {"username": "root", "password": "guess", "old_password": "guess"})
    assert answer.status_code in (302, 307)
    assert answer["Location"].startswith(("/password/", "/login/"))


# --- The way out ------------------------------------------------------------------------------------------


def locked_page(name: str, *, at: str) -> str:
    headers = {"X-Forwarded-For": at}
    answer = Client().post("/login/", {"username": name, "password": "x"}, headers=headers)
    assert answer.status_code == 429
    assert 3500 < int(answer["Retry-After"]) <= 3600
    return " ".join(unescape(answer.content.decode()).split())


def test_the_page_says_how_long_it_lasts_and_who_can_end_it() -> None:
    factories.user("ana")
    guess("ana", 10, at=STRANGER)
    own = locked_page("ana", at=STRANGER)
    assert f"The name “ana” cannot sign in from your address, {STRANGER}, for 60 minutes" in own
    assert "An administrator of Tag Manager can end this at once: in the admin" in own
    assert "manage.py axes_reset_username NAME" in own
    guessed_over_all_names(at=STRANGER)
    assert f"manage.py axes_reset_ip {STRANGER}" in locked_page("ben", at=STRANGER)


def test_the_commands_that_the_page_names_end_it() -> None:
    factories.user("ana")
    guess("ana", 10, at=STRANGER)
    call_command("axes_reset_username", "ana")
    assert sign_in("ana", at=STRANGER) == 302
    guess("ana", 10, at=STRANGER)
    call_command("axes_reset_ip", STRANGER)
    assert sign_in("ana", at=STRANGER) == 302


def admin_of(*permissions: str) -> Client:
    person: User = factories.user("hal", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client(REMOTE_ADDR=HOME)
    browser.force_login(person)
    return browser


@pytest.mark.parametrize(("action", "left"), [("unlock", {"cleo"}), ("unlock_addresses", set())])
def test_an_administrator_unlocks_names_or_addresses(action: str, left: set[str]) -> None:
    factories.user("ana")
    guess("ana", 10, at=STRANGER)
    guess("cleo", 1, at=STRANGER)
    browser = admin_of("view_accessattempt", "delete_accessattempt")
    page = browser.get("/admin/axes/accessattempt/").content.decode()
    assert "This name is locked out of this address until" in page
    assert "Counts until" in page
    chosen = AccessAttempt.objects.get(username="ana").pk
    told = browser.post(
        "/admin/axes/accessattempt/", {"action": action, "_selected_action": [chosen]}, follow=True
    )
    assert "unlocked." in told.content.decode()
    assert set(AccessAttempt.objects.values_list("username", flat=True)) == left
    assert sign_in("ana", at=STRANGER) == 302


def test_who_may_only_look_unlocks_nothing_and_nobody_edits() -> None:
    guess("ana", 10, at=STRANGER)
    chosen = AccessAttempt.objects.get().pk
    browser = admin_of("view_accessattempt", "view_accesslog", "change_accessattempt")
    page = browser.get("/admin/axes/accessattempt/").content.decode()
    assert "Unlock" not in page
    browser.post("/admin/axes/accessattempt/", {"action": "unlock", "_selected_action": [chosen]})
    assert AccessAttempt.objects.count() == 1
    for address in ("accessattempt/add/", "accesslog/add/", f"accessattempt/{chosen}/delete/"):
        assert browser.get(f"/admin/axes/{address}").status_code == 403
    assert browser.get("/admin/axes/accesslog/").status_code == 200
    assert "guess" not in browser.get(f"/admin/axes/accessattempt/{chosen}/change/").content.decode()
