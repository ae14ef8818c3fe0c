"""Sign-in by a proxy's header: only from our proxy, only for accounts, and ending with the header."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from tagmanager.people import proxy_sign_in
from tests import factories

pytestmark = pytest.mark.once

PROXY, OUTSIDE = "127.0.0.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def _by_proxy(settings: Settings, db: None) -> None:
    """As in an installation whose proxy on this machine signs people in."""
    settings.TRUST_PROXY = "True"
    settings.PROXY_AUTH_HEADER = "X-Remote-User"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, proxy_sign_in.BACKEND]


def get(client: Client, name: str | None, *, at: str = "/jobs/", peer: str = PROXY, **meta: Any) -> Any:
    """A page as the proxy asks for it, with the name of who is signed in there."""
    sent = meta if name is None else meta | {"HTTP_X_REMOTE_USER": name}
    return client.get(at, REMOTE_ADDR=peer, **sent)


def who(client: Client, name: str | None, **how: Any) -> str:
    """The name at the top of the page; "" for a stranger."""
    found = re.search(r'title="Signed in as ([^"]*)"', get(client, name, **how).content.decode())
    return found[1] if found else ""


def test_whom_the_proxy_names_is_signed_in_and_no_longer_when_it_names_nobody(ana: User) -> None:
    client = Client()
    assert who(client, "ana") == "ana"
    assert who(client, "ana") == "ana"
    assert who(client, None) == ""
    assert who(client, "") == ""


def test_another_name_is_another_person_at_once(ana: User) -> None:
    ben = factories.runner("ben")
    client = Client()
    client.force_login(ben, backend="django.contrib.auth.backends.ModelBackend")
    assert who(client, "ana") == "ana"
    client.session["mine"] = "ana"
    assert who(client, "ben") == "ben"
    assert "mine" not in client.session


@pytest.mark.parametrize("peer", [OUTSIDE, "10.0.0.1", "::ffff:203.0.113.9", "localhost", "127.0.0.1.evil"])
def test_the_header_counts_from_nobody_else(ana: User, peer: str) -> None:
    assert who(Client(), "ana", peer=peer) == ""
    assert who(Client(), "ana", peer=peer, HTTP_X_FORWARDED_FOR=PROXY) == ""
    client = Client()
    assert who(client, "ana") == "ana"
    assert who(client, "ana", peer=peer) == ""  # nor does a session go on from there


@pytest.mark.parametrize(
    ("trusted", "peer", "counts"),
    [
        ("True", PROXY, True),
        ("True", "::1", True),
        ("True", "", True),  # a Unix socket
        ("2", PROXY, True),
        ("1", "10.0.0.1", False),
        ("10.0.0.0/8, 192.168.7.0/24", "192.168.7.3", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", PROXY, False),
        ("10.0.0.1", "10.0.0.1", True),
        ("fd00::/8", "fd00::7", True),
        ("False", PROXY, False),
        ("", PROXY, False),
    ],
)
def test_the_setting_says_who_is_our_proxy(
    ana: User, settings: Settings, trusted: str, peer: str, *, counts: bool
) -> None:
    settings.TRUST_PROXY = trusted
    assert (who(Client(), "ana", peer=peer) == "ana") is counts


def test_without_the_setting_the_header_is_nothing(ana: User, settings: Settings) -> None:
    settings.PROXY_AUTH_HEADER = ""
    assert who(Client(), "ana") == ""


@pytest.mark.parametrize("name", ["nobody", "ana,root", "ana\x00", "an a", "<script>", "A" * 151, "Ana"])
def test_a_name_without_an_account_gets_a_sentence_and_no_account(ana: User, name: str) -> None:
    answer = get(Client(), name)
    assert (answer.status_code, User.objects.count()) == (403, 1)
    page = answer.content.decode()
    assert "Tag Manager has no active account of that name" in page
    assert "<script>" not in page


def test_a_deactivated_account_stays_out(ana: User) -> None:
    client = Client()
    assert who(client, "ana") == "ana"
    ana.is_active = False
    ana.save()
    assert get(client, "ana").status_code == 403
    assert get(Client(), "ana").status_code == 403


def test_accounts_are_made_where_the_setting_says_so_and_may_do_nothing_yet(settings: Settings) -> None:
    settings.PROXY_AUTH_CREATE = True
    answer = get(Client(), "nina")
    assert answer.status_code == 403
    assert "Your account may not see jobs." in answer.content.decode()
    nina = User.objects.get()
    assert (nina.username, nina.is_staff, nina.is_superuser, nina.has_usable_password()) == (
        "nina",
        False,
        False,
        False,
    )
    assert get(Client(), "ana,root").status_code == 403
    assert User.objects.count() == 1


def test_signing_out_leads_to_a_page_that_stays_and_says_where_to_sign_out_too(
    ana: User, settings: Settings
) -> None:
    client = Client()
    get(client, "ana")
    told = client.post("/logout/", REMOTE_ADDR=PROXY, HTTP_X_REMOTE_USER="ana")
    assert told["Location"] == "/signed-out/"
    settings.PROXY_AUTH_LOGOUT_URL = "https://sso.example.com/out"
    page = get(client, "ana", at="/signed-out/").content.decode()
    assert "You are signed out" in page
    assert 'href="https://sso.example.com/out"' in page
    assert "Signed in as" not in page
    assert "_auth_user_id" not in client.session


def test_the_proxy_decides_about_second_factors_and_passwords_still_need_one(
    ana: User, settings: Settings
) -> None:
    settings.REQUIRE_TWO_FACTOR = "all"
    assert who(Client(), "ana") == "ana"
    client = Client()
    client.post("/login/", {"username": "ana", "password": factories.PASSWORD}, REMOTE_ADDR=PROXY)
    assert who(client, None) == ""
    # What began at the proxy is not carried on without it.
    client = Client()
    get(client, "ana")
    assert who(client, None) == ""


def test_unknown_names_lock_nobody_out(ana: User) -> None:
    for _ in range(20):
        get(Client(), "nobody")
    assert who(Client(), "ana") == "ana"
    client = Client()
    answer = client.post("/login/", {"username": "ana", "password": factories.PASSWORD}, REMOTE_ADDR=PROXY)
    assert answer.status_code == 302


@pytest.mark.parametrize("page", ["/healthz", "/signed-out/"])
def test_pages_without_a_person_do_not_sign_in(ana: User, page: str) -> None:
    client = Client()
    get(client, "ana", at=page)
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"PROXY_AUTH_HEADER": "X_Remote_User"}, "tagmanager.E052"),
        ({"PROXY_AUTH_HEADER": "X-Remote-User: "}, "tagmanager.E052"),
        ({"TRUST_PROXY": ""}, "tagmanager.E053"),
        ({"TRUST_PROXY": "False"}, "tagmanager.E053"),
        ({"PROXY_AUTH_LOGOUT_URL": "javascript:alert(1)"}, "tagmanager.E054"),
        ({"PROXY_AUTH_LOGOUT_URL": "/oauth2/sign_out"}, None),
        ({}, None),
    ],
)
def test_settings_that_cannot_work_are_told(
    settings: Settings, changed: dict[str, str], code: str | None
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    found = [m.id for m in run_checks() if m.id in ("tagmanager.E052", "tagmanager.E053", "tagmanager.E054")]
    assert found == ([code] if code else [])
