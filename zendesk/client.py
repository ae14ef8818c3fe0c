"""The calls a bulk tagger makes, as methods."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from zendesk.calls import Call, Kind, Request
from zendesk.credentials import Credentials, CredentialsEnd
from zendesk.errors import CredentialsRefused, NotAllowed, Refused, UnexpectedAnswer
from zendesk.job_status import JobStatus
from zendesk.pages import PAGE_SIZE, Page, follow, items_of, next_cursor
from zendesk.records import (
    Audit,
    CustomRole,
    Group,
    Macro,
    Rule,
    TagCount,
    Ticket,
    TicketField,
    User,
    View,
    ViewCount,
)
from zendesk.transport.gate import Gate
from zendesk.transport.limits import RateLimit
from zendesk.transport.pending import Pending

T = TypeVar("T")

MOST_TICKETS = 100  # in one show_many or update_many (developer.zendesk.com, tickets)
SEARCH_LIMIT = 1000  # results that a search shows, however many it finds (developer.zendesk.com, search)
MOST_EXPORTED = 1000  # a page of a search export; Zendesk advises 100
MOST_INCREMENTS = 1000  # a page of an incremental export (developer.zendesk.com, incremental exports)
ADMINS_ONLY = (
    "Zendesk gives the list of all tickets, its incremental export, to admins only. Connect as an admin."
)
SHORTEST_PREFIX = 2  # characters that tag autocompletion wants

_TYPE_TICKET = re.compile(r"(?<!\S)type:ticket(?!\S)", re.IGNORECASE)


class Zendesk:
    """One Zendesk account, seen with one user's eyes. May be used by several threads at once.

    ``rate_share`` is the part of the account's calls per minute that this program may use; the rest is
    left to others. ``gate`` shares waiting times between processes. A call waits by itself for up to
    ``patience`` seconds in all, for its turn and between tries; where it would have to wait longer it
    raises TryLater at once, with the seconds, so that the caller can do something else meanwhile.
    ``before_call`` is called right before every HTTP request, which then takes 30 seconds at most; it may
    raise, and nothing is sent then. ``on_call`` is told of every HTTP request really made, and must not
    raise: an answer that it interrupts is lost. While ``may_read_ahead`` says so, the next page of a list is
    asked for in a thread of its own as soon as one is given out; both others are called in the caller's.

    All methods raise ZendeskError, and ValueError for arguments that make no sense.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        rate_share: float = 0.7,
        gate: Gate | None = None,
        patience: float = 10.0,
        on_call: Callable[[Call], None] | None = None,
        before_call: Callable[[], None] | None = None,
        may_read_ahead: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # With `requests` below it this is a fifth of a command's start, and most commands never call.
        from zendesk.transport.requestor import Requestor  # noqa: PLC0415

        self._credentials = credentials
        self._may_read_ahead = may_read_ahead
        self._transport = Requestor(
            base_url,
            credentials,
            rate_share=rate_share,
            gate=gate,
            patience=patience,
            on_call=on_call,
            before_call=before_call,
            sleep=sleep,
            clock=clock,
            jitter=jitter,
        )

    def __repr__(self) -> str:
        return f"Zendesk({self.base_url!r})"

    def __enter__(self) -> Zendesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    @property
    def base_url(self) -> str:
        return self._transport.base_url

    @property
    def rate(self) -> RateLimit | None:
        """The account's limit as last seen; None before the first answer that tells it."""
        return self._transport.rate

    @property
    def credentials_end(self) -> CredentialsEnd:
        return self._credentials.end

    # Who we are

    def me(self) -> User:
        """The user the credentials belong to. CredentialsRefused when Zendesk sees an anonymous one.

        Refused credentials are answered here with 200 and a user without an id.
        """
        user = self._one("/api/v2/users/me.json", "user", User.from_json)
        if user.id is None:
            text = f"Zendesk takes these credentials for nobody's. {self._credentials.advice}"
            raise CredentialsRefused(text, status=200)
        return user

    def custom_role(self, role_id: int) -> CustomRole:
        return self._one(f"/api/v2/custom_roles/{int(role_id)}.json", "custom_role", CustomRole.from_json)

    # Choosing tickets

    def views(self) -> Iterator[View]:
        return self._all("/api/v2/views.json", "views", View.from_json)

    def view(self, view_id: int) -> View:
        return self._one(f"/api/v2/views/{int(view_id)}.json", "view", View.from_json)

    def view_count(self, view_id: int) -> ViewCount:
        """About how many tickets a view holds. Zendesk allows five such questions a minute and view."""
        return self._one(f"/api/v2/views/{int(view_id)}/count.json", "view_count", ViewCount.from_json)

    def view_tickets(self, view_id: int, *, cursor: str | None = None) -> Iterator[Page[Ticket]]:
        """The tickets of a view, archived ones left out.

        The cursor is an offset in disguise: tickets that leave the view while it is read make the pages
        skip others. Read it to the end before changing anything.
        """
        return self._pages(f"/api/v2/views/{int(view_id)}/tickets.json", "tickets", Ticket.from_json, cursor)

    def search(self, query: str, *, page: int = 1) -> Iterator[Page[Ticket]]:
        """Tickets found by Zendesk's search, best first, from the given page on; a page's cursor is a number.

        Zendesk shows the first 1,000. Where there are more, the iterator raises Refused after them
        instead of ending as if that were all; ``search_export`` has no such limit. A ticket may occur twice.
        """
        if page < 1:
            raise ValueError(f"Pages of a search are counted from 1, not from {page}.")
        words = f"type:ticket {_without_type(query)}".strip()

        def fetch(cursor: str | None) -> Page[Ticket]:
            number = int(cursor or page)
            if (number - 1) * PAGE_SIZE >= SEARCH_LIMIT:
                raise Refused(
                    f"A search shows its first {SEARCH_LIMIT:,} tickets only, and this one finds more. "
                    "Narrow it down, or use the search export.",
                    code="SearchLimit",
                )
            params: dict[str, str | int] = {"query": words, "page": number, "per_page": PAGE_SIZE}
            return self._get("/api/v2/search.json", lambda answer: _search_page(answer, number), params)

        return follow(fetch)

    def search_count(self, query: str) -> int:
        """How many tickets a search finds; true beyond 1,000 too, and some minutes behind."""
        words = f"type:ticket {_without_type(query)}".strip()
        return self._get("/api/v2/search/count.json", _count, {"query": words})

    def search_export(
        self, query: str, *, cursor: str | None = None, size: int = PAGE_SIZE
    ) -> Iterator[Page[Ticket]]:
        """All tickets that a search finds, oldest or newest first by creation, archived ones included.

        A cursor lives for an hour; an older one is Refused and the export starts anew.
        """
        if not 1 <= size <= MOST_EXPORTED:
            raise ValueError(f"A page of an export holds 1 to {MOST_EXPORTED:,} tickets, not {size}.")
        return self._pages(
            "/api/v2/search/export.json",
            "results",
            Ticket.from_json,
            cursor,
            # A type inside the query is an error here (developer.zendesk.com, search export).
            params={"query": _without_type(query), "filter[type]": "ticket"},
            size=size,
        )

    def increments(self, *, since: int = 0, cursor: str | None = None) -> Iterator[Page[Ticket]]:
        """Every ticket changed after a time (seconds since 1970), by that time, in pages of 1,000.

        Archived ones too, and deleted ones, whose status says so. What was changed within the last minute
        is left out, and a ticket that is changed meanwhile comes again. The cursor stays good. Only admins
        may ask, ten times a minute, which is counted apart from all other calls.
        """

        def fetch(after: str | None) -> Page[Ticket]:
            place: dict[str, str | int] = {"start_time": since} if after is None else {"cursor": after}
            path = "/api/v2/incremental/tickets/cursor.json"
            request = Request("GET", path, {**place, "per_page": MOST_INCREMENTS}, has_own_limit=True)
            try:
                return self._transport.send(request, _increment)
            except NotAllowed as refused:
                if refused.missing_scopes:
                    raise
                raise NotAllowed(ADMINS_ONLY, status=refused.status, code=refused.code) from refused

        return follow(fetch, cursor)

    def tickets(self, ids: Sequence[int]) -> list[Ticket]:
        """The tickets with these numbers, at most 100, by number; those that are missing are left out."""
        return self._transport.send(_shown(ids), _tickets) if ids else []

    def begin_tickets(self, ids: Sequence[int]) -> Pending[list[Ticket]]:
        """As `tickets`, of at least one number, meanwhile."""
        return Pending(self._transport, _shown(ids), _tickets)

    def audits(self, ticket_id: int) -> Iterator[Audit]:
        """What happened to a ticket, oldest first; nothing of an archived one.

        Wants the whole scope `read` (developer.zendesk.com, ticket audits).
        """
        return self._all(f"/api/v2/tickets/{int(ticket_id)}/audits.json", "audits", Audit.from_json)

    # Changing tickets

    def update_many(self, ids: Sequence[int], change: Mapping[str, object]) -> JobStatus:
        """Queue one change for up to 100 tickets, such as ``{"additional_tags": ["vip"]}``.

        The answer is the receipt of a bulk job, which checks by itself that nobody changed a ticket after
        it was queued. ``tags`` replaces all tags of a ticket; ``additional_tags`` and ``remove_tags`` leave
        the others alone.

        Never repeated where that could change tickets twice: see ``fate_unknown`` of the errors.
        """
        return self._transport.send(_update_many(ids, change), _queued)

    def begin_update_many(self, ids: Sequence[int], change: Mapping[str, object]) -> Pending[JobStatus]:
        """As `update_many`, meanwhile."""
        return Pending(self._transport, _update_many(ids, change), _queued)

    def update_each(self, changes: Sequence[Mapping[str, object]]) -> JobStatus:
        """Queue a change of its own for each of up to 100 tickets; each names the ticket by ``id``.

        With ``safe_update`` a change needs ``updated_stamp``, the ``updated_at`` that was read.
        """
        return self._transport.send(_update_each(changes), _queued)

    def begin_update_each(self, changes: Sequence[Mapping[str, object]]) -> Pending[JobStatus]:
        """As `update_each`, meanwhile."""
        return Pending(self._transport, _update_each(changes), _queued)

    # Zendesk's bulk jobs

    def job_status(self, job_id: str) -> JobStatus:
        """One bulk job. NotFound about a day after it was made, and sometimes while the list still has it."""
        path = f"/api/v2/job_statuses/{quote(str(job_id), safe='')}.json"
        return self._one(path, "job_status", JobStatus.from_json, kind="status")

    def job_statuses(self, ids: Sequence[str]) -> list[JobStatus]:
        """Several bulk jobs in one call, at most 100; those that Zendesk has forgotten are left out."""
        if not ids:
            return []
        if len(ids) > MOST_TICKETS or any("," in id_ for id_ in ids):
            raise ValueError(f"At most {MOST_TICKETS} bulk jobs can be asked about at once.")
        request = Request("GET", "/api/v2/job_statuses/show_many.json", {"ids": ",".join(ids)}, kind="status")
        return self._transport.send(
            request, lambda answer: items_of(answer, "job_statuses", JobStatus.from_json)
        )

    def recent_job_statuses(self) -> Iterator[JobStatus]:
        """The account's bulk jobs that Zendesk remembers, anybody's; the last completed come first."""
        return self._all("/api/v2/job_statuses.json", "job_statuses", JobStatus.from_json, kind="status")

    # What surrounds tags

    def tags(self, *, cursor: str | None = None) -> Iterator[Page[TagCount]]:
        """The most used tags of the last 60 days, 20,000 at most. One that is missing may still be in use."""
        return self._pages("/api/v2/tags.json", "tags", TagCount.from_json, cursor)

    def tags_starting_with(self, prefix: str) -> list[str]:
        """Tags that begin so, up to a day behind. Nothing for fewer than two characters."""
        if len(prefix) < SHORTEST_PREFIX:
            return []
        return self._get("/api/v2/autocomplete/tags.json", _names, {"name": prefix})

    def macros(self) -> Iterator[Macro]:
        """The macros that the user may see, inactive ones included."""
        return self._all("/api/v2/macros.json", "macros", Macro.from_json)

    def macro(self, macro_id: int) -> Macro:
        return self._one(f"/api/v2/macros/{int(macro_id)}.json", "macro", Macro.from_json)

    def preview_macro(self, macro_id: int, ticket_id: int | None = None) -> Mapping[str, Any]:
        """What a macro would make of a ticket; nothing is written.

        Without a ticket: only the fields it changes, placeholders as they are. With one: the whole
        ticket as it would be, placeholders filled in.
        """
        of_ticket = f"/tickets/{int(ticket_id)}" if ticket_id is not None else ""
        return self._get(f"/api/v2{of_ticket}/macros/{int(macro_id)}/apply.json", _previewed)

    def ticket_fields(self) -> Iterator[TicketField]:
        return self._all("/api/v2/ticket_fields.json", "ticket_fields", TicketField.from_json)

    def groups(self) -> Iterator[Group]:
        """The groups that the user may see."""
        return self._all("/api/v2/groups.json", "groups", Group.from_json)

    def triggers(self) -> Iterator[Rule]:
        return self._all("/api/v2/triggers.json", "triggers", Rule.from_json)

    def automations(self) -> Iterator[Rule]:
        return self._all("/api/v2/automations.json", "automations", Rule.from_json)

    # One call of each kind

    def _get(self, path: str, read: Callable[[Any], T], params: Mapping[str, str | int] | None = None) -> T:
        return self._transport.send(Request("GET", path, params or {}), read)

    def _one(self, path: str, key: str, read: Callable[[Any], T], *, kind: Kind = "read") -> T:
        return self._transport.send(Request("GET", path, kind=kind), lambda answer: read(answer.get(key)))

    def _all(self, path: str, key: str, read: Callable[[Any], T], *, kind: Kind = "read") -> Iterator[T]:
        return (item for page in self._pages(path, key, read, kind=kind) for item in page.items)

    def _pages(
        self,
        path: str,
        key: str,
        read: Callable[[Any], T],
        cursor: str | None = None,
        *,
        params: Mapping[str, str | int] | None = None,
        size: int = PAGE_SIZE,
        kind: Kind = "read",
    ) -> Iterator[Page[T]]:
        begun: dict[str | None, Pending[Page[T]]] = {}

        def page(answer: Any) -> Page[T]:
            # Before this one is read: what it holds takes a while to be made sense of.
            if (after := next_cursor(answer, key)) and self._may_read_ahead():
                begun[after] = Pending(self._transport, request(after), page)
            return Page.from_json(answer, key, read)

        def request(after: str | None) -> Request:
            place = {"page[after]": after} if after is not None else {}
            return Request("GET", path, {**(params or {}), "page[size]": size, **place}, kind=kind)

        def fetch(after: str | None) -> Page[T]:
            if pending := begun.pop(after, None):
                return pending.result()
            return self._transport.send(request(after), page)

        try:
            yield from follow(fetch, cursor)
        finally:
            for unwanted in begun.values():
                unwanted.discard()


def _shown(ids: Sequence[int]) -> Request:
    return Request("GET", "/api/v2/tickets/show_many.json", {"ids": _joined(list(dict.fromkeys(ids)))})


def _tickets(answer: Any) -> list[Ticket]:
    return items_of(answer, "tickets", Ticket.from_json)


def _update_many(ids: Sequence[int], change: Mapping[str, object]) -> Request:
    return _update({"ids": _joined(ids)}, {"ticket": dict(change)})


def _update_each(changes: Sequence[Mapping[str, object]]) -> Request:
    ids = [id_ for change in changes if type(id_ := change.get("id")) is int]
    if len(ids) < len(changes):
        raise ValueError("Each change must name its ticket by an id that is a number.")
    _joined(ids)
    return _update({}, {"tickets": [dict(change) for change in changes]})


def _update(params: Mapping[str, str | int], body: Mapping[str, object]) -> Request:
    return Request("PUT", "/api/v2/tickets/update_many.json", params, body, kind="write")


def _queued(answer: Any) -> JobStatus:
    return JobStatus.from_json(answer.get("job_status"))


def _joined(ids: Sequence[int]) -> str:
    """Ticket numbers as a parameter. Doubles are refused: what Zendesk does with them is not documented."""
    if not 1 <= len(ids) <= MOST_TICKETS:
        raise ValueError(f"A call takes 1 to {MOST_TICKETS} tickets, not {len(ids)}.")
    if any(type(id_) is not int or id_ < 1 for id_ in ids):
        raise ValueError("Ticket numbers are whole numbers from 1 on.")
    if len(set(ids)) < len(ids):
        raise ValueError("A ticket must not occur twice in one call.")
    return ",".join(map(str, ids))


def _without_type(query: str) -> str:
    return " ".join(_TYPE_TICKET.sub(" ", query).split()) if _TYPE_TICKET.search(query) else query.strip()


def _search_page(answer: Any, number: int) -> Page[Ticket]:
    found = [
        item for item in items_of(answer, "results", dict) if item.get("result_type", "ticket") == "ticket"
    ]
    more = answer.get("next_page") is not None
    total = answer.get("count")
    return Page(
        items=[Ticket.from_json(item) for item in found],
        next_cursor=str(number + 1) if more else None,
        total=total if type(total) is int else None,
    )


def _increment(answer: Any) -> Page[Ticket]:
    """The cursor is there on the last page too, for who comes back for more later."""
    ended, cursor = answer.get("end_of_stream"), answer.get("after_cursor")
    if not isinstance(ended, bool):
        raise UnexpectedAnswer("Zendesk answered the export of tickets without saying whether there is more.")
    if not ended and not (isinstance(cursor, str) and cursor):
        raise UnexpectedAnswer("Zendesk says there are more tickets and does not say how to get them.")
    return Page(items_of(answer, "tickets", Ticket.from_json), None if ended else cursor)


def _count(answer: Any) -> int:
    count = answer.get("count")
    if type(count) is not int:
        raise UnexpectedAnswer("Zendesk answered the count of a search without a number.")
    return count


def _names(answer: Any) -> list[str]:
    tags = answer.get("tags")
    if not isinstance(tags, list):
        raise UnexpectedAnswer("Zendesk answered the search for tags without a list of them.")
    return [tag for tag in tags if isinstance(tag, str)]


def _previewed(answer: Any) -> Mapping[str, Any]:
    result = answer.get("result")
    ticket = result.get("ticket") if isinstance(result, dict) else None
    if not isinstance(ticket, dict):
        raise UnexpectedAnswer("Zendesk answered the preview of a macro without a ticket.")
    return ticket
