"""Sessions, lock-outs and sign-ins do not pile up, and nothing that still counts is removed."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.workers import chores
from tagmanager.people import sign_in_rows
from tests import factories

KINDS = (AccessAttempt, AccessLog, AccessFailureLog)


def put(model: Any, **age: float) -> None:
    row = model.objects.create(
        username=f"ana{model.objects.count()}",
        ip_address="192.0.2.7",
        **({"failures_since_start": 10} if model is AccessAttempt else {}),
    )
    model.objects.filter(pk=row.pk).update(attempt_time=timezone.now() - timedelta(**age))


@pytest.fixture
def piled_up(db: None) -> None:
    now = timezone.now()
    for place, days in enumerate((-2, -1, 1)):
        Session.objects.create(session_key=f"s{place}", expire_date=now + timedelta(days=days))
    for model in KINDS:
        for age in (0, 1.5, 89, 91, 400):
            put(model, days=age)


def left() -> list[int]:
    return [Session.objects.count(), *(model.objects.count() for model in KINDS)]


def test_the_worker_removes_what_is_of_no_use_any_more_and_logs_how_much(
    piled_up: None, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "tagmanager.people"):
        chores.look_after()
    assert left() == [1, 1, 3, 3]
    assert caplog.messages == [
        "Removed because of their age: 2 sessions, 4 lock-outs, 2 sign-ins, 2 failed sign-ins"
    ]


def test_the_command_does_the_same_at_once(piled_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_rows, "AT_ONCE", 1)
    said = StringIO()
    call_command("clear_sign_ins", stdout=said)
    assert said.getvalue() == "Removed: 2 sessions, 4 lock-outs, 2 sign-ins, 2 failed sign-ins.\n"
    assert left() == [1, 1, 3, 3]


def test_a_chore_has_an_end_however_many_rows_there_are(
    piled_up: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_rows, "AT_ONCE", 1)
    monkeypatch.setattr(sign_in_rows, "PATIENCE", -1.0)
    assert sign_in_rows.remove_old_ones() is True
    assert left() == [3, 5, 5, 5]
    monkeypatch.setattr(sign_in_rows, "PATIENCE", 60.0)
    assert sign_in_rows.remove_old_ones() is False
    assert left() == [1, 1, 3, 3]


def test_a_lock_out_that_holds_and_a_session_that_lasts_are_left_alone(ana: User) -> None:
    client, guessing = Client(), Client()
    client.post("/login/", {"username": "ana", "password": factories.PASSWORD})
    for _ in range(10):
        guessing.post("/login/", {"username": "ben", "password": "wrong"})
    call_command("clear_sign_ins", stdout=StringIO())
    assert client.get("/").status_code == 200
    assert guessing.post("/login/", {"username": "ben", "password": "wrong"}).status_code == 429


def test_how_long_sign_ins_are_kept_is_a_setting(piled_up: None, settings: Settings) -> None:
    settings.SIGN_IN_LOG_DAYS = 1
    call_command("clear_sign_ins", stdout=StringIO())
    assert left() == [1, 1, 1, 1]
