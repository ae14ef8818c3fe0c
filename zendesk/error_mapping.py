"""From an HTTP answer to the error it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from zendesk.error_body import ErrorBody, read_error_body
from zendesk.errors import (
    Conflict,
    CredentialsRefused,
    NoSuchAccount,
    NotAllowed,
    NotFound,
    RateLimited,
    Redirected,
    Refused,
    TooLarge,
    TooManyJobs,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
)
from zendesk.transport.limits import LONGEST_HOLD, retry_after_of, retry_after_or_default

READS = frozenset({"GET", "HEAD", "OPTIONS"})

_SCOPES = re.compile(r"missing the following required scopes?:\s*(.+)", re.IGNORECASE)
_SCOPE = re.compile(r"[\w.:-]+")


def error_from(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str = "GET", advice: str = ""
) -> ZendeskError:
    """The error an answer stands for. Never raises, whatever the bytes.

    ``advice`` is the sentence that tells how to renew the credentials in use. A method that is not a
    read makes errors that leave the outcome open say so.
    """
    said = read_error_body(body)
    fate_unknown = method.upper() not in READS
    # The job limit is told apart by its code alone: its HTTP status is not documented.
    if said.code == "TooManyJobs":
        return _too_many_jobs(status, headers, said)
    # The search's "please try again in a moment" comes with this code and changing statuses.
    if said.code == "unavailable" or status >= 500 or status == 408:
        return Unavailable(
            _sentence(f"Zendesk is in trouble or down for a moment (HTTP {status}). Try again later.", said),
            status=status,
            code=said.code,
            retry_after=retry_after_of(headers),
            fate_unknown=fate_unknown,
        )
    if status == 429:
        seconds = retry_after_or_default(headers)
        text = f"Zendesk takes no more calls for now. The next one may be made in {seconds:.0f} seconds."
        if seconds == LONGEST_HOLD:
            text += " (It asked for at least as long; whether it still refuses is tried then.)"
        return RateLimited(_sentence(text, said), status=status, code=said.code, retry_after=seconds)
    if status < 300:
        text = "Zendesk answered in a way this program does not understand."
        return UnexpectedAnswer(
            _sentence(text, said), status=status, code=said.code, fate_unknown=fate_unknown
        )
    if status < 400:
        return _redirected(status, headers)
    return _refusal(status, said, advice)


def _refusal(status: int, said: ErrorBody, advice: str) -> ZendeskError:
    match status:
        case 401:
            text = _sentence("Zendesk does not accept the credentials.", said)
            return CredentialsRefused(f"{text} {advice}".strip(), status=status, code=said.code)
        case 403:
            return _not_allowed(status, said)
        case 404:
            return _not_found(status, said)
        case 409:
            text = "The ticket was changed by someone else meanwhile. Read it again, then repeat the change."
            return Conflict(_sentence(text, said), status=status, code=said.code, details=said.details)
        case 413 | 414:
            text = "The call was too large for Zendesk. Send fewer tickets at once."
            return TooLarge(_sentence(text, said), status=status, code=said.code, details=said.details)
        case _:
            text = f"Zendesk refused the call (HTTP {status}) and changed nothing."
            return Refused(_sentence(text, said), status=status, code=said.code, details=said.details)


def _too_many_jobs(status: int, headers: Mapping[str, str], said: ErrorBody) -> TooManyJobs:
    ids = said.data.get("current_job_ids")
    return TooManyJobs(
        "Zendesk already has as many bulk jobs queued or running as this account may have (30, the agents' "
        "own bulk edits included). It takes the next one when one of them has ended.",
        status=status,
        code=said.code,
        retry_after=retry_after_of(headers),
        current_job_ids=tuple(str(i) for i in ids) if isinstance(ids, list) else (),
    )


def _not_allowed(status: int, said: ErrorBody) -> NotAllowed:
    if found := _SCOPES.search(said.text):
        scopes = tuple(_SCOPE.findall(found[1]))
        text = (
            f"The OAuth token lacks the scope {', '.join(scopes)}. Ask for it when the token is made, "
            "and make sure that the OAuth client in Zendesk's Admin Center holds it."
        )
        return NotAllowed(text, status=status, code=said.code, missing_scopes=scopes)
    text = (
        "Zendesk does not allow this to the user the credentials belong to. Check that person's role, and "
        "that the account's plan includes it."
    )
    return NotAllowed(_sentence(text, said), status=status, code=said.code)


def _not_found(status: int, said: ErrorBody) -> NotFound | NoSuchAccount:
    # An unknown host is answered before the API is reached: by an error object, formerly by a web page.
    if said.is_html or said.code.startswith("No help desk"):
        text = "There is no Zendesk account at this address. Check the subdomain."
        return NoSuchAccount(text, status=status, code="" if said.is_html else said.code)
    if said.code == "InvalidEndpoint":
        text = "This account's plan, or the user's role, does not have this part of Zendesk."
    else:
        text = "Zendesk has no such record, or the user the credentials belong to may not see it."
    return NotFound(_sentence(text, said), status=status, code=said.code)


def _redirected(status: int, headers: Mapping[str, str]) -> Redirected:
    location = next((value for name, value in headers.items() if name.lower() == "location"), "")
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    target = f"to {host}" if host else "elsewhere"
    text = (
        f"Zendesk sent this call on {target}, and credentials are not carried to another address. "
        "If that is where the account lives now, set its address in the settings."
    )
    return Redirected(text, status=status)


def _sentence(text: str, said: ErrorBody) -> str:
    """Our sentence, and Zendesk's own words after it."""
    words = "; ".join(said.details) or said.text
    return f"{text} Zendesk says: {words}" if words else text
