"""Which account the pages name, and in which colour."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from tagmanager.account.place import Place, configured_place
from tests import factories


@pytest.mark.parametrize(
    ("subdomain", "environment", "place"),
    [
        ("acme", "", Place("acme", "production")),
        ("acme1700000000", "", Place("acme1700000000", "sandbox")),
        ("acme-sandbox", "", Place("acme-sandbox", "sandbox")),
        ("acme24", "", Place("acme24", "production")),
        ("acme24", "sandbox", Place("acme24", "sandbox")),
        ("acme-sandbox", "production", Place("acme-sandbox", "production")),
        ("", "", Place("", "production")),
    ],
)
def test_the_name_of_an_account_tells_its_environment_unless_the_setting_does(
    settings: Settings, subdomain: str, environment: str, place: Place
) -> None:
    settings.DEMO = False
    settings.ZENDESK_BASE_URL = ""
    settings.ZENDESK_SUBDOMAIN = subdomain
    settings.ZENDESK_ENVIRONMENT = environment
    assert configured_place() == place


def test_the_demo_is_called_so(settings: Settings) -> None:
    settings.DEMO = True
    assert configured_place() == Place("demo account", "demo")


def test_every_page_names_the_account(db: None, client: Client, settings: Settings) -> None:
    settings.DEMO, settings.ZENDESK_BASE_URL, settings.ZENDESK_SUBDOMAIN = False, "", "acme"
    client.force_login(factories.user("vera", "view_job"))
    pages = [client.get(path).content.decode() for path in ("/", "/jobs/")]
    assert [page.count('<span class="place-production"') for page in pages] == [1, 1]
    assert [page.count("acme · production") for page in pages] == [1, 1]
