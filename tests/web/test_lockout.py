"""Guessing a password is slowed, and the page that says so looks like the others."""

from __future__ import annotations

from django.test import Client
from pytest_django import Settings

from tests import factories


def test_who_guesses_too_often_is_told_to_wait_in_the_same_clothes(
    client: Client, db: None, settings: Settings
) -> None:
    factories.runner("ana")
    settings.AXES_FAILURE_LIMIT = 2
    wrong = {"username": "ana", "password": "wrong"}
    client.post("/login/", wrong)
    answer = client.post("/login/", wrong)
    assert answer.status_code == 429
    assert "<h1>Too many wrong passwords</h1>" in answer.content.decode()
    assert "app.css" in answer.content.decode()
