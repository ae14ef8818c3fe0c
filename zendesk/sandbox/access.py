"""Credentials, access tokens and OAuth scopes."""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zendesk.sandbox.account import people
from zendesk.sandbox.errors import ApiError, bad_credentials, invalid_token, missing_scope
from zendesk.sandbox.options import Options

CLIENT_ID = "demo-client"
CLIENT_SECRET = "demo-secret"  # noqa: S105 - the demo's, printed on its front page
BEARER_TOKEN = "demo-token"  # noqa: S105
EMAIL = people.ADMIN_EMAIL
API_TOKEN = "demo-api-token"  # noqa: S105

# Documented range of `expires_in`, in seconds (developer.zendesk.com, grant-type tokens).
_SHORTEST, _LONGEST = 300, 172_800
_RESOURCES = (
    "tickets",
    "users",
    "macros",
    "ticket_views",
    "triggers",
    "automations",
    "ticket_fields",
    "tags",
)
_SCOPES = {"read", "write"} | {f"{name}:{verb}" for name in _RESOURCES for verb in ("read", "write")}


@dataclass(frozen=True, slots=True)
class Token:
    scopes: frozenset[str]
    ends_at: float | None


class Access:
    """The credentials the demo accepts."""

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options
        self._tokens = {BEARER_TOKEN: Token(frozenset({"read", "write"}), None)}

    def grant(self, wish: dict[str, Any], now: float) -> dict[str, Any]:
        """Answer `POST /oauth/tokens` with a client-credentials token. Raises `ApiError` in OAuth's words."""
        if wish.get("grant_type") != "client_credentials":
            raise _oauth_error(400, "unsupported_grant_type", "Only client_credentials is granted here.")
        if (wish.get("client_id"), wish.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise _oauth_error(401, "invalid_client", "Client authentication failed.")
        scopes = frozenset(str(wish.get("scope") or "read write").split())
        allowed = self._options().allowed_scopes.split()
        if not scopes <= _SCOPES or (allowed and not scopes <= set(allowed)):
            raise _oauth_error(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed.")
        life = wish.get("expires_in", self._options().token_life)
        if "expires_in" in wish and not (isinstance(life, int) and _SHORTEST <= life <= _LONGEST):
            raise _oauth_error(
                400, "invalid_request", f"expires_in is from {_SHORTEST} to {_LONGEST} seconds."
            )
        scopes = frozenset(self._options().granted_scopes.split()) or scopes
        token = secrets.token_hex(32)
        self._tokens[token] = Token(scopes, now + life)
        return {
            "access_token": token,
            "token_type": "bearer",
            "scope": " ".join(sorted(scopes)),
            "expires_in": int(life),
        }

    def revoke_tokens(self) -> None:
        """Revoke every token that OAuth issued; the fixed one stays."""
        self._tokens = {BEARER_TOKEN: self._tokens[BEARER_TOKEN]}

    def scopes(self, authorization: str | None, now: float) -> frozenset[str] | None:
        """The scopes this header grants; None if it is missing. Raises `ApiError` 401 for bad credentials."""
        scheme, _, rest = (authorization or "").partition(" ")
        match scheme.lower():
            case "bearer":
                return self._scopes_of_token(rest.strip(), now)
            case "basic":
                return _scopes_of_password(rest.strip())
            case _:
                return None

    def _scopes_of_token(self, text: str, now: float) -> frozenset[str]:
        token = self._tokens.get(text)
        if token is None or (token.ends_at is not None and now >= token.ends_at):
            raise invalid_token()
        return token.scopes


def _scopes_of_password(text: str) -> frozenset[str] | None:
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise bad_credentials() from None
    if not user.endswith("/token"):
        # Zendesk stopped accepting e-mail and password in January 2026: such callers are anonymous.
        return None
    if (user, password) != (f"{EMAIL}/token", API_TOKEN):
        raise bad_credentials()
    return frozenset({"read", "write"})


def require(scopes: frozenset[str], coarse: str, *fine: str) -> None:
    """Raise `ApiError` 403 unless the token has the coarse scope or one of the fine ones."""
    if coarse not in scopes and scopes.isdisjoint(fine):
        raise missing_scope(coarse)


def _oauth_error(status: int, code: str, text: str) -> ApiError:
    return ApiError(status, {"error": code, "error_description": text})
