"""A signed-in person, and a demo Zendesk that the settings name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from tests import factories
from tests.demo import point_to
from zendesk import sandbox


@pytest.fixture
def ana(db: None) -> User:
    """May see and run jobs."""
    return factories.runner("ana")


@pytest.fixture
def web(client: Client, ana: User) -> Client:
    """A browser in which Ana is signed in."""
    client.force_login(ana)
    return client


@pytest.fixture
def demo_zendesk(settings: Settings) -> Iterator[sandbox.Sandbox]:
    """A demo Zendesk of 300 tickets that answers at once, and settings that name it."""
    account = sandbox.Sandbox(sandbox.Options(tickets=300, scale=0))
    with sandbox.serve(account) as server:
        point_to(server.url, settings)
        yield account
    cache.clear()
