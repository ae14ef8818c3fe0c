"""All that can go wrong with a call, as one small tree, in sentences.

``except ZendeskError`` catches everything a call may raise besides ValueError for wrong arguments;
nothing of the HTTP library gets out. Every error keeps ``status`` (the HTTP status, None when no
answer came), ``code`` (Zendesk's word for it, may be empty) and ``text`` (the sentence, also ``str()``).
"""

from __future__ import annotations


class ZendeskError(Exception):
    """Zendesk did not do what was asked."""

    #: True when a write was sent and nobody can say whether it was carried out: read back before
    #: sending it again.
    fate_unknown: bool = False

    # All but the text is optional and by keyword, so that errors survive pickling on their way
    # between processes.
    def __init__(self, text: str = "", *, status: int | None = None, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.code = code

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r}, status={self.status!r}, code={self.code!r})"


class CredentialsRefused(ZendeskError):
    """Zendesk does not accept who we say we are. The text says what to renew; repeating does not help."""


class NotAllowed(ZendeskError):
    """Zendesk knows who we are and does not let us (403): scope, role or plan."""

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


class NotFound(ZendeskError):
    """There is no such thing, or not for this user (404)."""


class NoSuchAccount(ZendeskError):
    """There is no Zendesk account at the address."""


class Redirected(NoSuchAccount):
    """The account lives elsewhere: the address answers with another one (3xx), where credentials never go."""


class Refused(ZendeskError):
    """Zendesk understood the call and turns it down (400, 422 and other 4xx); nothing was changed.

    ``details`` holds one sentence per field that Zendesk objects to.
    """

    def __init__(
        self, text: str = "", *, status: int | None = None, code: str = "", details: tuple[str, ...] = ()
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.details = details


class Conflict(Refused):
    """Someone changed the ticket since it was read (409). Read it again, then decide."""


class TooLarge(Refused):
    """The call was too long for Zendesk (413, 414). Send fewer tickets at once."""


class TryLater(ZendeskError):
    """Nothing is wrong with the call; the time is.

    ``retry_after`` is in seconds, None when nobody knows.
    """

    def __init__(
        self, text: str = "", *, status: int | None = None, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.retry_after = retry_after


class RateLimited(TryLater):
    """The calls per minute are used up. The call was not carried out (developer.zendesk.com, rate limits)."""


class TooManyJobs(TryLater):
    """As many bulk jobs are queued or running as the account may have; this one was not taken.

    The limit is 30 for the whole account, agents' own bulk edits included (developer.zendesk.com, job
    statuses). Wait for a job to end instead of trying again and again. ``current_job_ids`` names the
    jobs that take the places, where Zendesk told.
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
    """No answer, half an answer, or Zendesk's own trouble (5xx).

    ``dropped``: the connection was closed before any answer, as happens to a pooled connection that
    was idle for too long.
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
    ) -> None:
        super().__init__(text, status=status, code=code, retry_after=retry_after)
        self.fate_unknown = fate_unknown
        self.dropped = dropped


class UnexpectedAnswer(ZendeskError):
    """Zendesk said yes, in a shape nobody knows. After a write, ``fate_unknown`` is True."""

    def __init__(
        self, text: str = "", *, status: int | None = None, code: str = "", fate_unknown: bool = False
    ) -> None:
        super().__init__(text, status=status, code=code)
        self.fate_unknown = fate_unknown
