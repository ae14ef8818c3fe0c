"""The errors of a call, as one small tree.

A call raises only ZendeskError, apart from ValueError for invalid arguments; no error of the HTTP library
escapes. Every error has ``status`` (the HTTP status; None without an answer), ``code`` (Zendesk's own, may be
empty) and ``text`` (a sentence for people, also ``str()``).
"""

from __future__ import annotations


class ZendeskError(Exception):
    """Zendesk did not carry out a call."""

    #: True if a write was sent and it is not known whether it was carried out. Read the tickets before
    #: sending it again.
    fate_unknown: bool = False

    # All but the text is optional and by keyword, so that errors can be pickled between processes.
    def __init__(self, text: str = "", *, status: int | None = None, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.code = code

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r}, status={self.status!r}, code={self.code!r})"


class CredentialsRefused(ZendeskError):
    """Zendesk does not accept the credentials. The text says what to renew; a retry does not help."""


class NotAllowed(ZendeskError):
    """The user, the token's scope or the account's plan does not permit the call (403)."""

    def __init__(
        self,
        text: str = "",
        *,
        status: int | None = None,
        code: str = "",
        missing_scopes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.missing_scopes = missing_scopes


class AccountRefused(ZendeskError):
    """Zendesk refuses the account or this program as a whole: suspended, unpaid, trial over, blocked.

    Nothing was changed, and a call about other or fewer tickets fares no better.
    """


class NotFound(ZendeskError):
    """The record does not exist, or this user may not see it (404)."""


class NoSuchAccount(ZendeskError):
    """There is no Zendesk account at the address."""


class Redirected(NoSuchAccount):
    """The address redirects to another one (3xx), which never receives the credentials."""


class Refused(ZendeskError):
    """Zendesk understood the call and rejected it (400, 422 and other 4xx); nothing was changed.

    ``details`` has one sentence per field that Zendesk objects to.
    """

    def __init__(
        self, text: str = "", *, status: int | None = None, code: str = "", details: tuple[str, ...] = ()
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.details = details


class Conflict(Refused):
    """A write met another one (409) and changed nothing: read the ticket again, then decide.

    Someone changed the ticket after it was read, or Zendesk's database was busy with it (zenpy issue 58,
    tap-zendesk issue 107).
    """


class TooLarge(Refused):
    """The call is too large for Zendesk (413, 414). Send fewer tickets at once."""


class TryLater(ZendeskError):
    """The call may succeed later. ``retry_after`` is in seconds; None if unknown."""

    def __init__(
        self, text: str = "", *, status: int | None = None, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.retry_after = retry_after


class RateLimited(TryLater):
    """This minute's calls are used up; this one was not carried out (developer.zendesk.com, rate limits)."""


class TooManyJobs(TryLater):
    """The account has reached its limit of bulk jobs queued or running; this one was not accepted.

    The limit is 30 for the whole account, including agents' own bulk edits (developer.zendesk.com, job
    statuses). Wait for a job to end instead of retrying. ``current_job_ids`` has the ids of those jobs, if
    Zendesk sent them.
    """

    def __init__(
        self,
        text: str = "",
        *,
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
        current_job_ids: tuple[str, ...] = (),
    ) -> None:
        super().__init__(text, status=status, code=code, retry_after=retry_after)
        self.current_job_ids = current_job_ids


class Unavailable(TryLater):
    """No answer, an incomplete answer, or an error of Zendesk's servers (5xx).

    ``dropped``: the connection was closed before any answer, as happens to pooled connections that were idle
    for too long. ``too_large``: the answer took too long or was too long, so a smaller page may succeed.
    """

    def __init__(
        self,
        text: str = "",
        *,
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
        fate_unknown: bool = False,
        dropped: bool = False,
        too_large: bool = False,
    ) -> None:
        super().__init__(text, status=status, code=code, retry_after=retry_after)
        self.fate_unknown = fate_unknown
        self.dropped = dropped
        self.too_large = too_large


class PageInstead(Unavailable):
    """A web page came in place of the answer to an accepted call. ``call``: its method and path."""

    call = ""


class UnexpectedAnswer(ZendeskError):
    """The answer to an accepted call has an unknown shape. After a write, ``fate_unknown`` is True.

    ``call``: the method and the path of the call.
    """

    call = ""

    def __init__(
        self, text: str = "", *, status: int | None = None, code: str = "", fate_unknown: bool = False
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.fate_unknown = fate_unknown
