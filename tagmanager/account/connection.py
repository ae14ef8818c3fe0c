"""The connection to Zendesk according to the settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

from tagmanager.account.pages_gate import PagesGate
from tagmanager.account.shared_gate import SharedGate
from zendesk import (
    MAX_EXPORT_PAGE,
    ApiToken,
    BearerToken,
    Call,
    Credentials,
    OAuthClient,
    RateLimit,
    Zendesk,
    address_of,
)

HOW_TO_CONNECT = (
    "Set ZENDESK_SUBDOMAIN, and ZENDESK_OAUTH_CLIENT_ID with ZENDESK_OAUTH_CLIENT_SECRET, in the environment "
    "or in .env; README.md tells how to make an OAuth client in Zendesk."
)


class NotConnected(Exception):
    """The settings lack a Zendesk account or credentials for it; the message says what to set."""


def connect(
    *,
    on_call: Callable[[Call], None] | None = None,
    before_call: Callable[[], None] | None = None,
    may_read_ahead: Callable[[], bool] = lambda: False,
    until: Callable[[], float] = lambda: math.inf,
    kept_back: Callable[[RateLimit], float] = lambda _: 0.0,
    max_wait: float = 10.0,
    export_page: int = MAX_EXPORT_PAGE,
) -> Zendesk:
    """A client for the configured account, for jobs and commands. Raises `NotConnected`."""
    return Zendesk(
        address(),
        credentials(),
        rate_share=settings.ZENDESK_RATE_SHARE,
        gate=SharedGate(),
        on_call=on_call,
        before_call=before_call,
        may_read_ahead=may_read_ahead,
        until=until,
        kept_back=kept_back,
        max_wait=max_wait,
        export_page=export_page,
        product=f"tag-manager/{settings.VERSION}",
    )


def for_pages(
    *, before_call: Callable[[], None] | None = None, until: float = math.inf, max_wait: float
) -> Zendesk:
    """A client for what people look up, which gives up at `until` (`time.monotonic`). Raises `NotConnected`.

    Several threads may use it, even those without a connection to the database.
    """
    return Zendesk(
        address(),
        credentials(),
        rate_share=settings.ZENDESK_RATE_SHARE,
        gate=PagesGate(address()),
        before_call=before_call,
        until=lambda: until,
        max_wait=max_wait,
    )


def address() -> str:
    """The base URL of the account. ZENDESK_BASE_URL takes precedence over the subdomain."""
    if settings.ZENDESK_BASE_URL:
        return str(settings.ZENDESK_BASE_URL).rstrip("/")
    if not settings.ZENDESK_SUBDOMAIN:
        raise NotConnected(f"No Zendesk account is set up. {HOW_TO_CONNECT}")
    try:
        return address_of(settings.ZENDESK_SUBDOMAIN)
    except ValueError as exc:
        raise NotConnected(str(exc)) from exc


def ticket_address(ref: int) -> str:
    """The page of a ticket in Zendesk."""
    return f"{address()}/agent/tickets/{ref}"


def credentials() -> Credentials:
    """The best credentials in the settings: an OAuth client, a bearer token, or the old API token."""
    return _credentials(
        settings.ZENDESK_OAUTH_CLIENT_ID,
        settings.ZENDESK_OAUTH_CLIENT_SECRET,
        settings.ZENDESK_OAUTH_TOKEN,
        settings.ZENDESK_EMAIL,
        settings.ZENDESK_API_TOKEN,
        scope=settings.ZENDESK_OAUTH_SCOPE,
    )


@lru_cache(maxsize=4)
def _credentials(
    client_id: str, secret: str, bearer: str, email: str, token: str, *, scope: str
) -> Credentials:
    """Cached for the life of the process, because the object holds the access token."""
    if client_id and secret:
        return OAuthClient(client_id, secret, scope, scope_setting="ZENDESK_OAUTH_SCOPE")
    if bearer:
        return BearerToken(bearer)
    if email and token:
        return ApiToken(email, token)
    raise NotConnected(f"No credentials for Zendesk are set up. {HOW_TO_CONNECT}")
