"""Where a change would land: the account's name and whether it is the real one. Makes no call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from tagmanager.account.connection import NotConnected, address

PRODUCTION, SANDBOX, DEMO = "production", "sandbox", "demo"
#: Zendesk names a sandbox after its account, followed by digits: acme1700000000.
SANDBOX_NAME = re.compile(r"sandbox|\d{6,}$")


@dataclass(frozen=True, slots=True)
class Place:
    """The account that jobs change; `name` is "" while no account is configured."""

    name: str
    environment: str  # production, sandbox or demo; the page shows each in a colour of its own


def configured_place() -> Place:
    """The account of the settings; `ZENDESK_ENVIRONMENT` says what it is, or its name does."""
    if settings.DEMO:
        return Place("demo account", DEMO)
    try:
        host = urlsplit(address()).hostname or ""
    except NotConnected:
        return Place("", settings.ZENDESK_ENVIRONMENT or PRODUCTION)
    name = host.removesuffix(".zendesk.com")
    return Place(name, settings.ZENDESK_ENVIRONMENT or (SANDBOX if SANDBOX_NAME.search(name) else PRODUCTION))


def context(_request: HttpRequest) -> dict[str, Place]:
    """`account_place` for every template, so that nobody takes one account for another."""
    return {"account_place": configured_place()}
