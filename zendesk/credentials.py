"""Three kinds of credentials.

None shows a secret in its repr. Threads and clients may share a credentials object; it keeps the tokens of
different accounts apart.
"""

from __future__ import annotations

import base64
import logging
import math
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from zendesk.errors import (
    CredentialsRefused,
    NotAllowed,
    NotFound,
    Refused,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
)

log = logging.getLogger(__name__)

# The day on which the last API tokens stop working. None can be created since 27 October 2026, and one unused
# for 30 days is deactivated (developer.zendesk.com, "Migrating from API tokens to OAuth").
API_TOKENS_END = date(2027, 4, 30)

SCOPE = "read tickets:write"  # search and its count need the global "read"; no finer scope covers them
# A token is renewed when this part of its lifetime or this many seconds are left, whichever is less.
RENEWAL_SHARE = 0.2
RENEWAL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class CredentialsEnd:
    """When a credential stops working, as far as known."""

    on: date | None  # None: unknown
    text: str  # a sentence for the people who have to renew it


class TokenEndpoint(Protocol):
    """The part of an account that credentials use."""

    @property
    def base_url(self) -> str: ...

    @property
    def seconds_left(self) -> float:
        """How long a call may take; infinite without an end."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def fetch_token(self, path: str, grant: Mapping[str, object]) -> Mapping[str, Any]:
        """POST a grant without credentials and return the answer. Raises ZendeskError."""


class Credentials(Protocol):
    @property
    def end(self) -> CredentialsEnd: ...

    @property
    def advice(self) -> str:
        """A sentence on what to do if Zendesk refuses them."""

    def header(self, account: TokenEndpoint, /) -> str:
        """The Authorization header of the next call. Raises ZendeskError if none is available."""

    def scope_doubt(self, account: TokenEndpoint, /) -> str:
        """What the token of the last call may not do although it was asked for, in a sentence; else ""."""

    def renew(self, account: TokenEndpoint, refused: str, /) -> bool:
        """React to a refused header. True if the next ``header`` will differ, so that a retry helps."""


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    renew_at: float  # seconds since the epoch
    missing_scopes: tuple[str, ...] = ()  # that were asked for and not granted, as far as Zendesk said


@dataclass(frozen=True)
class OAuthClient:
    """OAuth client credentials, which fetch and renew tokens by themselves.

    The usual way to connect a server. Admin Center creates the confidential client, which acts as one user.
    The grant has no refresh token; a new one is fetched instead (developer.zendesk.com, grant-type tokens).
    ``expires_in`` is the lifetime to request, in seconds (300 to 172,800); None leaves it to Zendesk (1,800).
    ``scope_setting`` is what people have to set for another ``scope``. Some clients are registered for
    ``read write`` alone, and none gets a scope outside its own (support.zendesk.com, article 11093380955674).
    """

    client_id: str
    client_secret: str = field(repr=False)
    scope: str = SCOPE
    expires_in: int | None = None
    scope_setting: str = field(default="scope", repr=False)
    _tokens: dict[str, _Token] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def end(self) -> CredentialsEnd:
        return CredentialsEnd(None, "The access token renews itself and has no known expiry date.")

    @property
    def advice(self) -> str:
        return (
            "In Admin Center, under Apps and integrations, APIs, OAuth clients, check the client's id, "
            "secret and scopes, and that the user it acts as is active."
        )

    def header(self, account: TokenEndpoint, /) -> str:
        # One thread fetches a token; the others wait here for it, each as long as its own call may take.
        with self._locked_for(account):
            token = self._tokens.get(account.base_url)
            if token is None or account.now() >= token.renew_at:
                token = self._fetch(account)
                self._tokens[account.base_url] = token
            return token.header

    def scope_doubt(self, account: TokenEndpoint, /) -> str:
        token = self._tokens.get(account.base_url)
        if token is None or not token.missing_scopes:
            return ""
        return (
            f"Zendesk did not grant the scope {', '.join(token.missing_scopes)}, so some calls will be "
            "refused. Add it to the OAuth client in Admin Center, under Apps and integrations, APIs, OAuth "
            f"clients, or change {self.scope_setting}."
        )

    def renew(self, account: TokenEndpoint, refused: str, /) -> bool:
        with self._locked_for(account):
            token = self._tokens.get(account.base_url)
            # Another thread may have renewed the token since that call: keep the newer one.
            if token is not None and token.header == refused:
                del self._tokens[account.base_url]
        return True

    @contextmanager
    def _locked_for(self, account: TokenEndpoint) -> Iterator[None]:
        seconds = account.seconds_left
        if not self._lock.acquire(timeout=-1 if math.isinf(seconds) else seconds):
            raise Unavailable("Zendesk has not yet answered the request for an access token.")
        try:
            yield
        finally:
            self._lock.release()

    def _fetch(self, account: TokenEndpoint) -> _Token:
        grant: dict[str, object] = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": self.scope,
        }
        if self.expires_in is not None:
            grant["expires_in"] = self.expires_in
        requested_at = account.now()
        try:
            answer = account.fetch_token("/oauth/tokens", grant)
        except (Refused, NotAllowed, NotFound) as refusal:
            if refusal.code == "invalid_scope":
                raise self._scopes_refused(refusal) from refusal
            text = f"Zendesk issued no token to this OAuth client. {refusal.text} {self.advice}"
            raise CredentialsRefused(text, status=refusal.status, code=refusal.code) from refusal
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise UnexpectedAnswer("Zendesk answered the request for an access token without a token.")
        if isinstance(life, bool) or not isinstance(life, int | float) or life <= 0:
            renew_at = float("inf")  # tokens of older OAuth clients do not expire
        else:
            renew_at = requested_at + life - min(life * RENEWAL_SHARE, RENEWAL_SECONDS)
        log.info("got an access token for %s, life %s s", account.base_url, life)
        return _Token(f"Bearer {token}", renew_at, _missing_scopes(self.scope, answer.get("scope")))

    def _scopes_refused(self, refusal: ZendeskError) -> CredentialsRefused:
        text = (
            f"Zendesk does not give this OAuth client the scopes “{self.scope}”. Set {self.scope_setting} to "
            "those that it is registered for, such as “read write”, or add these to the client in Admin "
            f"Center, under Apps and integrations, APIs, OAuth clients. {refusal.text}"
        )
        return CredentialsRefused(text, status=refusal.status, code=refusal.code)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """An OAuth access token from elsewhere, which cannot be renewed here."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_header_text(self.token, "The OAuth token")

    @property
    def end(self) -> CredentialsEnd:
        return CredentialsEnd(
            None,
            "This access token has no known expiry date and will not be renewed.",
        )

    @property
    def advice(self) -> str:
        return "The OAuth token expired or was revoked. Create a new one, or connect with an OAuth client."

    def header(self, _account: TokenEndpoint, /) -> str:
        return f"Bearer {self.token}"

    def scope_doubt(self, _account: TokenEndpoint, /) -> str:
        return ""

    def renew(self, _account: TokenEndpoint, _refused: str, /) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An e-mail address and an API token, which Zendesk supports until ``API_TOKENS_END``."""

    email: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        _require_header_text(self.token, "The API token")

    @property
    def end(self) -> CredentialsEnd:
        return CredentialsEnd(
            API_TOKENS_END,
            f"Zendesk ends all API tokens on {API_TOKENS_END.day} April {API_TOKENS_END.year}, and "
            "deactivates one that is unused for 30 days. New ones cannot be created. Connect with an OAuth "
            "client.",
        )

    @property
    def advice(self) -> str:
        return (
            "Check the e-mail address and the API token. Zendesk deactivates a token for good after 30 days "
            "without use, and new ones cannot be created: connect with an OAuth client instead."
        )

    def header(self, _account: TokenEndpoint, /) -> str:
        return "Basic " + base64.b64encode(f"{self.email}/token:{self.token}".encode()).decode()

    def scope_doubt(self, _account: TokenEndpoint, /) -> str:
        return ""

    def renew(self, _account: TokenEndpoint, _refused: str, /) -> bool:
        return False


def _missing_scopes(asked: str, granted: object) -> tuple[str, ...]:
    """The scopes asked for that the granted ones do not cover; none if Zendesk did not say.

    A global scope covers those of single resources: ``write`` covers ``tickets:write``.
    """
    names = granted if isinstance(granted, list) else [granted]
    held = {scope for name in names if isinstance(name, str) for scope in name.replace(",", " ").split()}
    if not held:
        return ()
    wanted = dict.fromkeys(asked.replace(",", " ").split())
    return tuple(scope for scope in wanted if held.isdisjoint({scope, scope.rpartition(":")[2]}))


def _require_header_text(secret: str, name: str) -> None:
    # A copied line break would otherwise fail deep in the HTTP library, with the secret in the error.
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError(f"{name} is empty or contains spaces or line breaks. Copy it again without them.")
