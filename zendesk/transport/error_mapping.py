"""Mapping HTTP answers to errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from zendesk.error_body import ErrorBody, is_passing, parse_error_body
from zendesk.errors import (
    AccountRefused,
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
from zendesk.transport.limits import MAX_HOLD, retry_after_of, retry_after_or_default

READS = frozenset({"GET", "HEAD", "OPTIONS"})

_SCOPES = re.compile(r"missing the following required scopes?:\s*(.+)", re.IGNORECASE)
_SCOPE = re.compile(r"[\w.:-]+")
#: Payment required, unavailable for legal reasons: never about what the call asks for.
WHOLE_ACCOUNT = frozenset({402, 451})
#: The statuses of a page with which something in front of the API refuses every call.
BLOCKED = frozenset({400, 403, 405, 406})
_ACCOUNT_WORDS = re.compile(
    r"account\W+(?:\w+\W+){0,3}(?:suspended|expired|cancell?ed|inactive|deactivated|disabled|locked|frozen)"
    r"|account_?suspended|(?:suspended|expired|cancell?ed|inactive)\W+account"
    r"|trial\W+(?:\w+\W+){0,4}(?:expired|ended|over)|trial_?expired|expired\W+trial"
    r"|payment\W+(?:is\W+)?(?:required|overdue)|paymentrequired",
    re.IGNORECASE,
)


def error_from(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str = "GET", advice: str = ""
) -> ZendeskError:
    """The error for an answer. Never raises, whatever the bytes.

    ``advice`` is a sentence on how to renew the credentials. For a method other than a read, errors that
    leave the outcome open have ``fate_unknown`` set.
    """
    error_body = parse_error_body(body)
    fate_unknown = method.upper() not in READS
    # Zendesk documents only the code of this error, not its HTTP status.
    if error_body.code == "TooManyJobs":
        return _too_many_jobs(status, headers, error_body)
    if _is_passing(status, error_body, is_read=not fate_unknown):
        return Unavailable(
            _sentence(f"Zendesk is temporarily unavailable (HTTP {status}). Try again later.", error_body),
            status=status,
            code=error_body.code,
            retry_after=retry_after_of(headers),
            fate_unknown=fate_unknown,
            too_large=status == 504,
        )
    if status == 429:
        seconds = retry_after_or_default(headers)
        text = f"Zendesk accepts no calls for now. The next one is possible in {seconds:.0f} seconds."
        if seconds == MAX_HOLD:
            text += " (Zendesk may have asked for a longer wait; we try again then.)"
        return RateLimited(
            _sentence(text, error_body), status=status, code=error_body.code, retry_after=seconds
        )
    if status < 300:
        text = "Zendesk sent an answer that this program does not understand."
        return UnexpectedAnswer(
            _sentence(text, error_body), status=status, code=error_body.code, fate_unknown=fate_unknown
        )
    if status < 400:
        return _redirected(status, headers)
    return _account_refusal(status, error_body) or _refusal(status, error_body, advice)


def _is_passing(status: int, error_body: ErrorBody, *, is_read: bool) -> bool:
    """Whether the same call may succeed a little later."""
    # The search's "please try again in a moment" has this code and varying statuses.
    if error_body.code == "unavailable" or status >= 500 or status == 408:
        return True
    # A reading cannot conflict with anybody's change: Zendesk's database was busy (tap-zendesk issue 107).
    return is_read and _is_collision(status, error_body)


def _is_collision(status: int, error_body: ErrorBody) -> bool:
    return status in (409, 423) or (status >= 400 and is_passing(error_body.code))


def _refusal(status: int, error_body: ErrorBody, advice: str) -> ZendeskError:
    if _is_collision(status, error_body):
        text = "Something else was changing the ticket. Read it again, then repeat the change."
        return Conflict(
            _sentence(text, error_body), status=status, code=error_body.code, details=error_body.details
        )
    match status:
        case 401:
            text = _sentence("Zendesk does not accept the credentials.", error_body)
            return CredentialsRefused(f"{text} {advice}".strip(), status=status, code=error_body.code)
        case 403:
            return _not_allowed(status, error_body)
        case 404:
            return _not_found(status, error_body)
        case 413 | 414:
            text = "The call is too large for Zendesk. Send fewer tickets at once."
            return TooLarge(
                _sentence(text, error_body), status=status, code=error_body.code, details=error_body.details
            )
        case _:
            text = f"Zendesk refused the call (HTTP {status}) and changed nothing."
            return Refused(
                _sentence(text, error_body), status=status, code=error_body.code, details=error_body.details
            )


def _account_refusal(status: int, error_body: ErrorBody) -> AccountRefused | None:
    """The error if no call of this program would be accepted."""
    if not _is_about_the_account(status, error_body):
        return None
    text = _sentence(_why_account_refused(status, error_body), error_body)
    return AccountRefused(text, status=status, code=error_body.code)


def _is_about_the_account(status: int, error_body: ErrorBody) -> bool:
    """Zendesk does not document how it refuses a suspended account: its words count besides the status."""
    if status in WHOLE_ACCOUNT:
        return True
    if error_body.is_html:
        # A page in place of the API's answer comes from something in front of it, whatever was asked.
        return status in BLOCKED
    # Details are about a field of a record, such as a requester whose account is suspended.
    said = "" if error_body.details else f"{error_body.code} {error_body.text}"
    return status in (*BLOCKED, 404, 410, 422) and bool(_ACCOUNT_WORDS.search(said))


def _why_account_refused(status: int, error_body: ErrorBody) -> str:
    if status == 402:
        return (
            "Zendesk asks for a payment before it accepts calls again (HTTP 402). An admin of the account "
            "can settle that in Admin Center, under Account, Billing."
        )
    if error_body.is_html:
        return (
            f"Zendesk, or a firewall in front of it, answers with a page that blocks this program (HTTP "
            f"{status}). Check that the account is active and that its IP restrictions allow this machine."
        )
    return (
        f"Zendesk refuses all calls for this account (HTTP {status}): it may be suspended, or its trial over."
        " An admin of the account, or Zendesk's support, can tell."
    )


def _too_many_jobs(status: int, headers: Mapping[str, str], error_body: ErrorBody) -> TooManyJobs:
    ids = error_body.data.get("current_job_ids")
    return TooManyJobs(
        "This account has reached its limit of bulk jobs queued or running (30, including the agents' own "
        "bulk edits). Zendesk accepts the next one when one of them ends.",
        status=status,
        code=error_body.code,
        retry_after=retry_after_of(headers),
        current_job_ids=tuple(str(i) for i in ids) if isinstance(ids, list) else (),
    )


def _not_allowed(status: int, error_body: ErrorBody) -> NotAllowed:
    if found := _SCOPES.search(error_body.text):
        scopes = tuple(_SCOPE.findall(found[1]))
        text = (
            f"The OAuth token lacks the scope {', '.join(scopes)}. Request it with the token, and make sure "
            "that the OAuth client in Zendesk's Admin Center includes it."
        )
        return NotAllowed(text, status=status, code=error_body.code, missing_scopes=scopes)
    text = (
        "Zendesk does not allow the connected user to do this. Check the user's role and the account's plan."
    )
    return NotAllowed(_sentence(text, error_body), status=status, code=error_body.code)


def _not_found(status: int, error_body: ErrorBody) -> NotFound | NoSuchAccount:
    # Calls to an unknown host never reach the API; an error object answers them, formerly a web page did.
    if error_body.is_html or error_body.code.startswith("No help desk"):
        text = "There is no Zendesk account at this address. Check the subdomain."
        return NoSuchAccount(text, status=status, code="" if error_body.is_html else error_body.code)
    if error_body.code == "InvalidEndpoint":
        text = "This account's plan or the user's role does not include this part of Zendesk."
    else:
        text = "Zendesk has no such record, or the connected user may not see it."
    return NotFound(_sentence(text, error_body), status=status, code=error_body.code)


def _redirected(status: int, headers: Mapping[str, str]) -> Redirected:
    location = next((value for name, value in headers.items() if name.lower() == "location"), "")
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    target = f"to {host}" if host else "elsewhere"
    text = (
        f"Zendesk redirects this call {target}, but credentials are never sent to another address. "
        "If the account has moved there, change its address in the settings."
    )
    return Redirected(text, status=status)


def _sentence(text: str, error_body: ErrorBody) -> str:
    """Our sentence, followed by Zendesk's own words."""
    words = "; ".join(error_body.details) or error_body.text
    return f"{text} Zendesk says: {words}" if words else text
