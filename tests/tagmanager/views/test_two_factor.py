"""The second factor: set up, asked for after the password, by no way round, and reset when it is lost."""

from __future__ import annotations

import re
from base64 import b32decode
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django_otp.oath import totp
from pytest_django import Settings

from tagmanager.models import SecondFactor
from tagmanager.ops.encryption import Secret
from tagmanager.people import half_signed_in
from tests import factories
from tests.tagmanager.views.test_people import ANA, FORM

pytestmark = pytest.mark.once

CODE, SET_UP = "/login/code/", "/two-factor/"
WRONG = "This code is not right."


@pytest.fixture(autouse=True)
def clock() -> Any:
    """In the middle of a step, so that none ends during a test."""
    with time_machine.travel(timezone.now().timestamp() // 30 * 30 + 10, tick=False) as clock:
        yield clock


def code_at(secret: str, *, steps: int = 0) -> str:
    """What an app shows, as many steps away."""
    return f"{totp(b32decode(secret), t0=-30 * steps):06d}"


def secret_on(page: str) -> str:
    found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    assert found
    return found[1].replace(" ", "")


def recovery_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z2-7-]{19})</code></li>", page)


def text(response: Any) -> str:
    return str(response.content.decode())


def set_up(client: Client) -> tuple[str, list[str]]:
    """The secret and the recovery codes of somebody who sets up a second factor."""
    secret = secret_on(text(client.get(SET_UP)))
    return secret, recovery_codes(text(client.post(SET_UP, {"code": code_at(secret)})))


def is_in(client: Client) -> bool:
    return client.get("/jobs/").status_code == 200


def password(client: Client, **fields: str) -> HttpResponse:
    return client.post("/login/", ANA | fields)  # type: ignore[return-value]


@pytest.fixture
def enrolled(web: Client, ana: User, clock: Any) -> tuple[str, list[str]]:
    """Ana's secret and recovery codes; a minute later, so that the code of the set-up is not in the way."""
    made = set_up(web)
    clock.shift(60)
    return made


@pytest.fixture
def stranger(enrolled: tuple[str, list[str]]) -> Client:
    """A browser in which Ana's password was given."""
    client = Client()
    assert password(client, next="/jobs/")["Location"] == CODE
    return client


# --- Setting up -------------------------------------------------------------------------------------------


def test_a_person_sets_it_up_and_sees_recovery_codes_once(web: Client, ana: User) -> None:
    page = text(web.get(SET_UP))
    secret = secret_on(page)
    assert "<svg" in page
    assert not re.search(r"<(style|script(?! src))|\sstyle=", page)
    assert secret_on(text(web.get(SET_UP))) == secret  # a reload changes nothing
    assert WRONG in text(web.post(SET_UP, {"code": "000000"}))
    shown = text(web.post(SET_UP, {"code": code_at(secret)}))
    codes = recovery_codes(shown)
    assert len(set(codes)) == 10
    again = text(web.get(SET_UP))
    assert [code for code in codes if code in again] == []
    assert secret not in again.replace(" ", "")
    factor = SecondFactor.objects.get(user=ana)
    assert [each for each in codes if each in str(factor.recovery_codes)] == []
    assert (len(factor.recovery_codes), factor.secret.reveal()) == (10, secret)
    assert [s for s in Session.objects.all() if secret in str(s.get_decoded())] == []


def test_a_secret_that_is_not_confirmed_yet_is_encrypted_in_the_session(web: Client) -> None:
    secret = secret_on(text(web.get(SET_UP)))
    assert secret not in str([session.get_decoded() for session in Session.objects.all()])


def test_setting_it_up_ends_sessions_that_began_without_it(web: Client, ana: User) -> None:
    elsewhere, vera = Client(), Client()
    password(elsewhere)
    vera.force_login(factories.user("vera", "view_job"))
    set_up(web)
    assert [is_in(client) for client in (web, elsewhere, vera)] == [True, False, True]


def test_pages_with_secrets_are_not_stored_by_browsers(web: Client) -> None:
    assert "no-store" in web.get(SET_UP)["Cache-Control"]
    secret = secret_on(text(web.get(SET_UP)))
    assert "no-store" in web.post(SET_UP, {"code": code_at(secret)})["Cache-Control"]


# --- Signing in -------------------------------------------------------------------------------------------


def test_after_the_password_a_code_is_asked_for_and_leads_where_one_wanted_to_go(
    stranger: Client, enrolled: tuple[str, list[str]]
) -> None:
    assert not is_in(stranger)
    page = text(stranger.get(CODE))
    assert 'autocomplete="one-time-code"' in page
    assert "Sign out" not in page
    assert stranger.post(CODE, {"code": code_at(enrolled[0])})["Location"] == "/jobs/"
    assert is_in(stranger)


def test_between_password_and_code_every_page_is_closed(stranger: Client, ana: User) -> None:
    ana.is_staff = ana.is_superuser = True
    ana.save()
    closed = ("/", "/jobs/", "/password/", FORM, "/admin/", f"/admin/auth/user/{ana.pk}/change/")
    answers = [stranger.get(address) for address in closed]
    assert [answer.status_code for answer in answers] == [302] * len(closed)
    assert [answer["Location"].split("?")[0] for answer in answers] == ["/login/"] * 4 + ["/admin/login/"] * 2
    assert stranger.get("/jobs/1/status").status_code == 401
    # Set-up shows nothing to who has not shown the factor that there is.
    assert stranger.get(SET_UP)["Location"] == CODE
    assert stranger.post(SET_UP, {"code": "000000", "remove": "1"})["Location"] == CODE
    assert SecondFactor.objects.filter(user=ana).exists()


def test_the_admins_sign_in_goes_through_it_too(enrolled: tuple[str, list[str]], ana: User) -> None:
    ana.is_staff = ana.is_superuser = True
    ana.save()
    client = Client()
    told = client.get("/admin/", follow=True)
    assert told.redirect_chain[-1][0].startswith("/login/?next=%2Fadmin%2F")
    assert password(client, next="/admin/")["Location"] == CODE
    assert client.get("/admin/").status_code == 302
    assert client.post(CODE, {"code": code_at(enrolled[0])})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_code_is_accepted_once(stranger: Client, enrolled: tuple[str, list[str]]) -> None:
    code = code_at(enrolled[0])
    assert stranger.post(CODE, {"code": code}).status_code == 302
    second = Client()
    password(second)
    assert WRONG in text(second.post(CODE, {"code": code}))
    assert WRONG in text(second.post(CODE, {"code": code_at(enrolled[0], steps=-1)}))  # older than that one
    assert not is_in(second)


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_phonesclock_may_differ_by_one_step(
    stranger: Client, enrolled: tuple[str, list[str]], steps: int, *, is_right: bool
) -> None:
    stranger.post(CODE, {"code": code_at(enrolled[0], steps=steps)})
    assert is_in(stranger) is is_right


@pytest.mark.parametrize("written", ["{} {}", " {}{}\t", "{}-{}"])
def test_codes_are_read_as_apps_show_them(
    stranger: Client, enrolled: tuple[str, list[str]], written: str
) -> None:
    code = code_at(enrolled[0])
    stranger.post(CODE, {"code": written.format(code[:3], code[3:])})
    assert is_in(stranger)


@pytest.mark.parametrize(
    "hostile", ["", "12345", "1234567", "٤٥٦٧٨٩", "\x00" * 6, "x" * 5000, "0x1234", "+12345"]
)
def test_what_is_no_code_is_refused_with_a_sentence(stranger: Client, hostile: str) -> None:
    answer = stranger.post(CODE, {"code": hostile})
    assert answer.status_code == 200
    assert "invalid-feedback" in text(answer)
    assert not is_in(stranger)


def test_guessing_is_slowed_and_the_right_code_waits_with_it(
    stranger: Client, enrolled: tuple[str, list[str]], clock: Any
) -> None:
    answers = [stranger.post(CODE, {"code": "000000"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "Too many wrong codes, so the codes of your app are not looked at for 30 seconds." in text(
        answers[-1]
    )
    # From everywhere, as it is the account that is guessed at.
    second = Client()
    password(second)
    assert second.post(CODE, {"code": code_at(enrolled[0])}).status_code == 429
    assert SecondFactor.objects.get().failures == 5  # what was not looked at is not counted
    clock.shift(31)
    assert stranger.post(CODE, {"code": "000000"}).status_code == 429
    assert "for 60 seconds" in text(stranger.post(CODE, {"code": "000000"}))
    clock.shift(61)
    stranger.post(CODE, {"code": code_at(enrolled[0])})
    assert is_in(stranger)
    assert SecondFactor.objects.get().failures == 0


def test_the_pause_has_an_end_however_many_codes_were_wrong(enrolled: Any, clock: Any) -> None:
    SecondFactor.objects.update(failures=10_000, failed_at=timezone.now())
    client = Client()
    password(client)
    assert "for 30 minutes" in text(client.post(CODE, {"code": code_at(enrolled[0])}))
    clock.shift(timedelta(minutes=30, seconds=1))
    password(client)
    client.post(CODE, {"code": code_at(enrolled[0])})
    assert is_in(client)


def test_a_recovery_code_works_once_also_while_codes_are_not_looked_at(
    stranger: Client, enrolled: tuple[str, list[str]]
) -> None:
    SecondFactor.objects.update(failures=50, failed_at=timezone.now())
    first = enrolled[1][0]
    page = text(stranger.post(CODE, {"code": first.upper().replace("-", " ")}, follow=True))
    assert "You used a recovery code, and have 9 recovery codes left." in page
    assert is_in(stranger)
    SecondFactor.objects.update(failures=0)
    second = Client()
    password(second)
    assert WRONG in text(second.post(CODE, {"code": first}))
    assert not is_in(second)


def test_the_way_from_password_to_code_ends_by_itself_and_by_what_happens_to_the_account(
    enrolled: tuple[str, list[str]], ana: User, clock: Any
) -> None:
    def given() -> Client:
        client = Client()
        password(client)
        return client

    late, changed, barred, anew = given(), given(), given(), given()
    anew.get("/login/?anew=1")
    assert anew.post(CODE, {"code": code_at(enrolled[0])})["Location"] == "/login/"
    ana.set_password("staple battery correct")
    ana.save()
    assert changed.post(CODE, {"code": code_at(enrolled[0])})["Location"] == "/login/"
    ana.set_password(factories.PASSWORD)
    ana.is_active = False
    ana.save()
    assert barred.post(CODE, {"code": code_at(enrolled[0])})["Location"] == "/login/"
    ana.is_active = True
    ana.save()
    clock.shift(half_signed_in.LASTS + 1)
    assert late.post(CODE, {"code": code_at(enrolled[0])})["Location"] == "/login/"


def test_lock_outs_of_passwords_stay_as_they_were(enrolled: Any) -> None:
    client = Client()
    for _ in range(9):
        assert password(client, password="wrong").status_code == 200
    assert password(client, password="wrong").status_code == 429
    assert password(client).status_code == 429


def test_a_form_that_was_sent_too_late_is_there_again_after_the_code(enrolled: Any) -> None:
    client = Client()
    told = client.post(FORM, {"add": "vip", "ids": "4711"}, follow=True)
    kept = re.search(r'name="kept" value="([^"]*)"', text(told))
    assert kept
    password(client, kept=kept[1].replace("&quot;", '"'), next=FORM)
    page = client.post(CODE, {"code": code_at(enrolled[0])}, follow=True)
    assert page.redirect_chain == [(FORM, 302)]
    assert "4711" in text(page)


# --- Required ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "runner", "viewer"),
    [("off", False, False), ("runners", True, False), ("all", True, True), ("nonsense", True, True)],
)
def test_the_setting_says_who_needs_one(
    db: None, settings: Settings, rule: str, *, runner: bool, viewer: bool
) -> None:
    settings.REQUIRE_TWO_FACTOR = rule
    factories.runner("ana")
    factories.user("vera", "view_job")
    User.objects.create_superuser("root", password=factories.PASSWORD)
    needed = {}
    for name in ("ana", "vera", "root"):
        client = Client()
        client.post("/login/", {"username": name, "password": factories.PASSWORD})
        needed[name] = not is_in(client)
    assert needed == {"ana": runner, "vera": viewer, "root": runner}
    errors = [message for message in run_checks() if message.id == "tagmanager.E050"]
    assert len(errors) == (rule == "nonsense")


def test_who_needs_one_sets_it_up_before_they_are_in(client: Client, settings: Settings, db: None) -> None:
    settings.REQUIRE_TWO_FACTOR = "runners"
    factories.runner("ana")
    assert password(client, next="/jobs/?show=active")["Location"] == CODE
    assert client.get(CODE)["Location"] == SET_UP
    assert not is_in(client)
    secret = secret_on(text(client.get(SET_UP)))
    assert not is_in(client)
    shown = text(client.post(SET_UP, {"code": code_at(secret)}))
    assert len(recovery_codes(shown)) == 10
    assert 'href="/jobs/?show=active"' in shown
    assert is_in(client)


@pytest.mark.parametrize("has_one", [True, False])
def test_a_session_from_before_the_setting_has_to_show_one(
    ana: User, settings: Settings, clock: Any, *, has_one: bool
) -> None:
    secret = ""
    if has_one:
        other = Client()
        other.force_login(ana)
        secret, _ = set_up(other)
        clock.shift(60)
    client = Client()
    client.force_login(ana)
    assert is_in(client)
    settings.REQUIRE_TWO_FACTOR = "all"
    assert client.get("/jobs/1/status").status_code == 401
    assert client.post("/jobs/1/cancel").status_code == 307
    told = client.get("/jobs/", follow=True)
    assert [step[0].split("?")[0] for step in told.redirect_chain] == ["/login/", CODE] + [SET_UP] * (
        not has_one
    )
    if has_one:
        assert client.post(CODE, {"code": code_at(secret)})["Location"] == "/jobs/"
    else:
        set_up(client)
    assert is_in(client)


def test_a_new_permission_asks_for_one_at_the_next_page(settings: Settings, db: None) -> None:
    settings.REQUIRE_TWO_FACTOR = "runners"
    vera, client = factories.user("vera", "view_job"), Client()
    client.force_login(vera)
    assert is_in(client)
    vera.user_permissions.set(factories.runner("ana").user_permissions.all())
    assert not is_in(client)


# --- Changed, lost, reset ---------------------------------------------------------------------------------


def test_recovery_codes_are_renewed_and_the_app_removed_only_with_a_code(
    web: Client, enrolled: tuple[str, list[str]], clock: Any
) -> None:
    secret, codes = enrolled
    assert WRONG in text(web.post(SET_UP, {"code": "000000", "remove": "1"}))
    renewed = recovery_codes(text(web.post(SET_UP, {"code": code_at(secret), "renew": "1"})))
    assert len(set(renewed) - set(codes)) == 10
    clock.shift(60)
    assert WRONG in text(web.post(SET_UP, {"code": codes[0], "remove": "1"}))
    assert "Your second factor is removed." in text(
        web.post(SET_UP, {"code": renewed[0], "remove": "1"}, follow=True)
    )
    assert not SecondFactor.objects.exists()


def test_who_needs_one_and_changes_the_app_is_out_until_the_new_one_is_set_up(
    web: Client, enrolled: tuple[str, list[str]], settings: Settings
) -> None:
    settings.REQUIRE_TWO_FACTOR = "all"
    web.post(SET_UP, {"code": code_at(enrolled[0]), "remove": "1"})
    assert not is_in(web)
    set_up(web)
    assert is_in(web)


def test_a_lost_key_is_told_in_a_sentence_and_recovery_codes_still_work(
    stranger: Client, enrolled: tuple[str, list[str]]
) -> None:
    of_another_key = Fernet(Fernet.generate_key()).encrypt(b"hush").decode()
    SecondFactor.objects.update(secret=Secret(of_another_key))
    answer = stranger.post(CODE, {"code": code_at(enrolled[0])})
    assert answer.status_code == 200
    assert "the key for them is missing on the server. Use a recovery code" in text(answer)
    assert SecondFactor.objects.get().failures == 0
    stranger.post(CODE, {"code": enrolled[1][0]})
    assert is_in(stranger)


@pytest.mark.parametrize("by", ["root", "vera"])
def test_a_superuser_and_nobody_else_resets_the_factor_of_another(
    web: Client, ana: User, enrolled: Any, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    vera = factories.user("vera", is_staff=True)
    vera.user_permissions.add(*Permission.objects.all())
    User.objects.create_superuser("root", password=factories.PASSWORD)
    client = Client()
    client.force_login(User.objects.get(username=by))
    chosen = {"action": "reset_two_factor", "_selected_action": [ana.pk, vera.pk]}
    with caplog.at_level("INFO", "tagmanager.people"):
        told = text(client.post("/admin/auth/user/", chosen, follow=True))
    assert SecondFactor.objects.exists() is (by == "vera")
    assert is_in(web) is (by == "vera")
    if by == "root":
        assert "Two-factor reset: ana. They are signed out." in told
        assert caplog.messages == [
            "Second factor of ana removed by root",
            f"user {ana.pk} ana changed by root",
        ]


def test_the_only_administrator_resets_theirs_on_the_command_line(web: Client, enrolled: Any) -> None:
    said = StringIO()
    call_command("reset_two_factor", "ana", stdout=said)
    assert said.getvalue() == "The second factor of ana is removed, and their sessions have ended.\n"
    assert not is_in(web)
    password(web)
    assert is_in(web)
    for name, sentence in (
        ("ana", "ana has no second factor."),
        ("nobody", "There is no user 'nobody' here."),
    ):
        with pytest.raises(CommandError, match=re.escape(sentence)):
            call_command("reset_two_factor", name)


def test_wrong_codes_are_logged_with_the_name_and_without_the_code(
    stranger: Client, caplog: pytest.LogCaptureFixture
) -> None:
    stranger.post(CODE, {"code": "123456"})
    assert caplog.messages == ["Wrong code for the second factor of ana, 1 in a row"]
