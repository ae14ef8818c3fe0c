"""Credentials that an answer repeats: an error page of a proxy may quote the request with all its headers."""

from __future__ import annotations

import base64
import binascii
import json

from requests.structures import CaseInsensitiveDict

from zendesk.calls import Request

#: What stands in the place of a credential. JSON stays JSON with it.
MASK = b"(credential)"
#: Parts of a credential that are shorter are left as they are: any text may hold them by chance.
SHORTEST = 6


class Echoes:
    """Masks what authorized one request, in whatever came back."""

    def __init__(self, request: Request, header: str) -> None:
        secrets = {*_parts_of(header), str((request.body or {}).get("client_secret") or "")}
        spelled = {text for secret in secrets if len(secret) >= SHORTEST for text in _spellings(secret)}
        # The longest first: one may be a part of another.
        self._secrets = sorted(spelled, key=len, reverse=True)

    def mask(self, body: bytes) -> bytes:
        """The body without any credential."""
        for secret in self._secrets:
            body = body.replace(secret.encode(), MASK)
        return body

    def mask_headers(self, headers: CaseInsensitiveDict[str]) -> CaseInsensitiveDict[str]:
        """The headers without any credential in their values."""
        if not any(secret in value for secret in self._secrets for value in headers.values()):
            return headers
        masked = {name: self.mask(value.encode()).decode() for name, value in headers.items()}
        return CaseInsensitiveDict(masked)


def _parts_of(header: str) -> set[str]:
    """The credential in an Authorization header; of Basic also the name and the token that it encodes."""
    scheme, _, credential = header.partition(" ")
    parts = {credential}
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(credential, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return parts
        parts |= {pair, pair.partition(":")[2]}
    return parts


def _spellings(secret: str) -> set[str]:
    """As it is, and as JSON may write it: with or without the escape of a slash."""
    quoted = json.dumps(secret)[1:-1]
    return {secret, quoted, quoted.replace("/", "\\/")}
