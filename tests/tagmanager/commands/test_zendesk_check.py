"""`zendesk_check` and `zendesk_sandbox`."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.demo import Demo
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
