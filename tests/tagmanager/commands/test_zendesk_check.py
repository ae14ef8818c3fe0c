"""`zendesk_check` and `zendesk_sandbox`."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.demo import Demo, counts, run, submit
from tests.processes import command
from zendesk import sandbox as zd


def test_a_connection_that_works_is_described(demo: Demo) -> None:
    ran = command("zendesk_check")
    assert (ran.code, ran.err) == (0, "")
    assert f"The connection works: {demo.url}" in ran.out
    assert "admin" in ran.out
    assert "Calls per minute: 100,000 for the whole account; 70,000 of them are used here at most" in ran.out


def test_the_same_as_json(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_ID = ""
    settings.ZENDESK_EMAIL, settings.ZENDESK_API_TOKEN = zd.EMAIL, zd.API_TOKEN
    told = json.loads(command("zendesk_check", "--output", "json").out)
    assert (told["address"], told["role"], told["credential_ends"]) == (demo.url, "admin", "2027-04-30")
    assert told["may_change_closed"] is True


def test_a_connection_that_does_not_work_is_reported_in_a_sentence(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_SECRET = "wrong-secret"
    ran = command("zendesk_check")
    assert (ran.code, ran.out) == (1, "")
    assert "OAuth client" in ran.err


def test_scopes_that_were_asked_for_and_not_granted_are_named(demo: Demo) -> None:
    demo.account.configure(granted_scopes="read")
    ran = command("zendesk_check")
    assert ran.code == 0
    assert "Zendesk did not grant the scope tickets:write" in ran.out
    assert "change ZENDESK_OAUTH_SCOPE" in ran.out


def test_a_client_registered_for_other_scopes_works_by_the_setting(demo: Demo, settings: Any) -> None:
    demo.account.configure(allowed_scopes="read write")
    ran = command("zendesk_check")
    assert (ran.code, ran.out) == (1, "")
    assert "Set ZENDESK_OAUTH_SCOPE to those that it is registered for" in ran.err
    settings.ZENDESK_OAUTH_SCOPE = "read write"
    assert "did not grant" not in command("zendesk_check").out
    refs = demo.open_tickets[:3]
    assert counts(run(submit(refs=refs, add=["fresh"]))) == {"changed": 3}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"brands": 1}, ""),
        ({"brands": 3, "agent_brands": 3}, ""),
        ({"brands": 3, "role": "admin"}, ""),
        ({"brands": 3, "agent_brands": 1}, "belongs to 1 of the account's 3 brands (Brand 1)"),
        ({"brands": 3}, "has 3 brands, and Zendesk does not tell which of them Dana Demo belongs to"),
        ({"brands_listed": False}, "does not tell Dana Demo which brands the account has"),
    ],
)
def test_an_agent_learns_of_brands_whose_tickets_stay_out_of_sight(
    demo: Demo, options: dict[str, Any], words: str
) -> None:
    demo.account.configure(**{"role": "agent"} | options)
    out = command("zendesk_check").out
    assert words in out
    assert ("brand" in out.lower()) == bool(words)


@pytest.mark.journey
@pytest.mark.slow
def test_the_demo_zendesk_is_served_until_it_is_asked_to_end(
    transactional_db: None, manage: Callable[..., subprocess.Popen[str]]
) -> None:
    server = manage("zendesk_sandbox", "--port", "0", "--tickets", "30", "--quiet")
    assert server.stdout is not None
    line = server.stdout.readline()
    url = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert url, line
    with urllib.request.urlopen(f"{url[0]}/") as answer:
        assert answer.status == 200
    server.terminate()
    assert (server.wait(30), server.communicate()[1]) == (0, "")
