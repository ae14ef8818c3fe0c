"""What probes ask."""

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from jobs import reaper


def test_it_answers_without_a_login_and_tells_of_the_worker(db: None, client: Client) -> None:
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (
        200,
        {"database": "ok", "worker": False},
    )
    reaper.beat()
    assert client.get("/healthz").json() == {"database": "ok", "worker": True}


def test_it_fails_when_the_database_does_not_answer(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", away)
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"database": "away", "worker": False})
