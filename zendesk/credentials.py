"""Who we say we are: three ways to sign a call.

None of them shows a secret in its repr. A credential object may be shared by threads and by clients;
tokens are kept apart by account address.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from zendesk.errors import CredentialsRefused, NotAllowed, NotFound, Refused, UnexpectedAnswer

log = logging.getLogger(__name__)

# developer.zendesk.com, "Migrating from API tokens to OAuth": none can be made since 27 October 2026,
# one that is unused for 30 days is switched off, and on this day the last ones stop.
API_TOKENS_END = date(2027, 4, 30)

SCOPE = "read tickets:write"  # search and its count need the global "read"; no finer scope covers them
RENEWAL_SHARE = 0.2  # a token is renewed when this part of its life is left, …
RENEWAL_SECONDS = 120.0  # … or this many seconds, whichever is less


@dataclass(frozen=True, slots=True)
class CredentialsEnd:
    """What is known of when a credential stops working."""

    on: date | None  # None: no day is known
    text: str  # a sentence for the people who will have to renew it


class Account(Protocol):
    """What credentials may use of the account they are for."""

    @property
    def base_url(self) -> str: ...

    def now(self) -> float:
        """Seconds since the epoch."""

    def fetch_token(self, path: str, grant: Mapping[str, object]) -> Mapping[str, Any]:
        """POST a grant, unsigned, and return the answer. Raises ZendeskError."""


class Credentials(Protocol):
    @property
    def end(self) -> CredentialsEnd: ...

    @property
    def advice(self) -> str:
        """A sentence on what to do when Zendesk refuses them."""

    def header(self, account: Account, /) -> str:
        """The Authorization header of the next call. Raises ZendeskError when none can be had."""

    def renew(self, account: Account, refused: str, /) -> bool:
        """Told that Zendesk refused this header. True: the next ``header`` will differ, so try again."""


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    renew_at: float  # seconds since the epoch


@dataclass(frozen=True)
class OAuthClient:
    """OAuth client credentials: tokens are fetched and renewed without anybody's help.

    The normal way to connect a server. The client is confidential, is made in Admin Center, and acts as
    the user it is tied to (developer.zendesk.com, grant-type tokens; this grant has no refresh token, one
    asks anew). ``expires_in`` is the life to ask for, in seconds (Zendesk takes 300 to 172,800); None
    leaves it to Zendesk (1,800).
    """

    client_id: str
    client_secret: str = field(repr=False)
    scope: str = SCOPE
    expires_in: int | None = None
    _tokens: dict[str, _Token] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def end(self) -> CredentialsEnd:
        return CredentialsEnd(None, "The access token is renewed by itself; no end is known.")

    @property
    def advice(self) -> str:
        return (
            "Check the OAuth client's id and secret in Admin Center under Apps and integrations, APIs, OAuth "
            "clients, that it may ask for the scope it asks for, and that the person it acts as is active."
        )

    def header(self, account: Account, /) -> str:
        # One thread fetches; the others wait here for its token instead of fetching their own.
        with self._lock:
            token = self._tokens.get(account.base_url)
            if token is None or account.now() >= token.renew_at:
                token = self._fetch(account)
                self._tokens[account.base_url] = token
            return token.header

    def renew(self, account: Account, refused: str, /) -> bool:
        with self._lock:
            token = self._tokens.get(account.base_url)
            # Another thread may have renewed it since the refused call was signed: keep the newer one.
            if token is not None and token.header == refused:
                del self._tokens[account.base_url]
        return True

    def _fetch(self, account: Account) -> _Token:
        grant: dict[str, object] = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": self.scope,
        }
        if self.expires_in is not None:
            grant["expires_in"] = self.expires_in
        asked_at = account.now()
        try:
            answer = account.fetch_token("/oauth/tokens", grant)
        except (Refused, NotAllowed, NotFound) as refusal:
            text = f"Zendesk gives no token to this OAuth client. {refusal.text} {self.advice}"
            raise CredentialsRefused(text, status=refusal.status, code=refusal.code) from refusal
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise UnexpectedAnswer("Zendesk answered the request for an access token without a token.")
        if isinstance(life, bool) or not isinstance(life, int | float) or life <= 0:
            renew_at = float("inf")  # tokens of older OAuth clients do not expire
        else:
            renew_at = asked_at + life - min(life * RENEWAL_SHARE, RENEWAL_SECONDS)
        log.info("got an access token for %s, life %s s", account.base_url, life)
        return _Token(f"Bearer {token}", renew_at)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An OAuth access token got elsewhere. It cannot be renewed here."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_header_text(self.token, "The OAuth token")

    @property
    def end(self) -> CredentialsEnd:
        return CredentialsEnd(
            None,
            "This access token was made elsewhere, and when it ends is not known here; it is not renewed.",
        )

    @property
    def advice(self) -> str:
        return "The OAuth token has expired or was revoked: make a new one, or connect with an OAuth client."

    def header(self, _account: Account, /) -> str:
        return f"Bearer {self.token}"

    def renew(self, _account: Account, _refused: str, /) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An e-mail address and an API token: the old way, which ends for everyone on ``API_TOKENS_END``."""

    email: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_header_text(self.token, "The API token")

    @property
    def end(self) -> CredentialsEnd:
        return CredentialsEnd(
            API_TOKENS_END,
            f"Zendesk ends all API tokens on {API_TOKENS_END.day} April {API_TOKENS_END.year}, and one "
            "that is unused for 30 days earlier; none can be made any more. Connect with an OAuth client.",
        )

    @property
    def advice(self) -> str:
        return (
            "Check the e-mail address and the API token. A token that was idle for 30 days is switched off "
            "for good, and no new one can be made: connect with an OAuth client instead."
        )

    def header(self, _account: Account, /) -> str:
        return "Basic " + base64.b64encode(f"{self.email}/token:{self.token}".encode()).decode()

    def renew(self, _account: Account, _refused: str, /) -> bool:
        return False


def _require_header_text(secret: str, name: str) -> None:
    # A line break from a copied secret would otherwise fail deep in the HTTP library, secret and all.
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError(f"{name} is empty or holds blanks or line breaks. Copy it again, without them.")
