"""A client for the calls that bulk tagging needs."""

from __future__ import annotations

import logging
import math
import random
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar
from urllib.parse import quote

from zendesk.answers import (
    parse_count,
    parse_incremental_page,
    parse_macro_preview,
    parse_queued_job,
    parse_search_page,
    parse_tag_names,
    parse_tickets,
)
from zendesk.calls import Call, Kind, Request
from zendesk.credentials import Credentials, CredentialsEnd
from zendesk.errors import CredentialsRefused, NotAllowed, Refused, UnexpectedAnswer
from zendesk.job_status import JobStatus
from zendesk.page_size import PageSize
from zendesk.pages import MAX_PAGES, PAGE_SIZE, Page, follow_pages, next_place, parse_items, position
from zendesk.records import (
    Audit,
    AutoRouting,
    Brand,
    Conditional,
    CustomRole,
    CustomStatus,
    Group,
    Macro,
    Rule,
    TagCount,
    Ticket,
    TicketField,
    User,
    View,
    ViewCount,
    Webhook,
    brand_id_from_json,
)
from zendesk.ticket_requests import MAX_IDS, show_many_request, update_each_request, update_many_request
from zendesk.transport.gate import Gate
from zendesk.transport.limits import RateLimit
from zendesk.transport.pending import Pending

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_SEARCH_RESULTS = 1000  # that a search returns, however many it finds (developer.zendesk.com, search)
MAX_EXPORT_PAGE = 1000  # tickets in a page of an export (developer.zendesk.com, exports)
ADMINS_ONLY = (
    "Zendesk gives the list of all tickets (its incremental export) to admins only. Connect as an admin."
)
MIN_PREFIX_LENGTH = 2  # characters that tag autocompletion requires

_TYPE_TICKET = re.compile(r"(?<!\S)type:ticket(?!\S)", re.IGNORECASE)


class Zendesk:
    """A Zendesk account as one user sees it. May be used by several threads at once.

    ``rate_share`` is the part of the account's calls per minute that this program may use; others share the
    rest. ``gate`` shares waiting times between processes. A call waits up to ``max_wait`` seconds in all, for
    the rate limit and between attempts. If it would have to wait longer, it raises TryLater at once, with the
    seconds, so that the caller can do something else.

    ``before_call`` runs right before every HTTP request, which then takes 30 seconds at most; if it raises,
    nothing is sent. ``on_call`` receives every HTTP request made. It must not raise, or the answer is lost.
    Both run in the caller's thread. While ``may_read_ahead`` returns True, a background thread fetches the
    next page of a list as soon as the previous one has arrived. ``export_page`` is the most tickets on a page
    of an export; pages become smaller while Zendesk is slow with them. ``product`` names the program and its
    version to Zendesk.

    At `until` (`time.monotonic`) the client gives up, whatever it waits for: a name to be resolved, a
    connection, a token, the next byte, its turn. Calls fail from then on. `kept_back` says how many of the
    account's calls in this minute are kept for other parts of this program.

    All methods raise ZendeskError, and ValueError for invalid arguments.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        rate_share: float = 0.7,
        gate: Gate | None = None,
        max_wait: float = 10.0,
        on_call: Callable[[Call], None] | None = None,
        before_call: Callable[[], None] | None = None,
        may_read_ahead: Callable[[], bool] = lambda: False,
        until: Callable[[], float] = lambda: math.inf,
        kept_back: Callable[[RateLimit], float] = lambda _: 0.0,
        export_page: int = MAX_EXPORT_PAGE,
        product: str = "tag-manager",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # Importing this, with `requests`, takes a fifth of a command's start; most commands make no call.
        from zendesk.transport.requestor import Requestor  # noqa: PLC0415

        self._credentials = credentials
        self._may_read_ahead = may_read_ahead
        if not 1 <= export_page <= MAX_EXPORT_PAGE:
            raise ValueError(f"A page of an export has 1 to {MAX_EXPORT_PAGE:,} tickets, not {export_page}.")
        self._search_page, self._incremental_page = PageSize(export_page), PageSize(export_page)
        self._transport = Requestor(
            base_url,
            credentials,
            rate_share=rate_share,
            gate=gate,
            max_wait=max_wait,
            on_call=on_call,
            before_call=before_call,
            product=product,
            until=until,
            kept_back=kept_back,
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
        """The account's rate limit as of the latest answer; None before the first."""
        return self._transport.rate

    @property
    def credentials_end(self) -> CredentialsEnd:
        return self._credentials.end

    @property
    def scope_doubt(self) -> str:
        """What the credentials may not do although it was asked for, in a sentence; "" for nothing known."""
        return self._credentials.scope_doubt(self._transport)

    # The connected user

    def me(self) -> User:
        """The user that the credentials belong to. Raises CredentialsRefused if that is nobody.

        This endpoint answers refused credentials with 200 and a user without an id.
        """
        user = self._one("/api/v2/users/me.json", "user", User.from_json)
        if user.id is None:
            text = f"These credentials belong to no Zendesk user. {self._credentials.advice}"
            raise CredentialsRefused(text, status=200)
        return user

    def custom_role(self, role_id: int) -> CustomRole:
        return self._one(f"/api/v2/custom_roles/{int(role_id)}.json", "custom_role", CustomRole.from_json)

    def brands(self) -> Iterator[Brand]:
        return self._all("/api/v2/brands.json", "brands", Brand.from_json)

    def brand_ids_of(self, user_id: int) -> Iterator[int]:
        """The brands that an agent belongs to; the documents allow admins alone to list them."""
        path = f"/api/v2/users/{int(user_id)}/brand_agents.json"
        return self._all(path, "brand_agents", brand_id_from_json)

    # Choosing tickets

    def views(self) -> Iterator[View]:
        return self._all("/api/v2/views.json", "views", View.from_json)

    def view(self, view_id: int) -> View:
        return self._one(f"/api/v2/views/{int(view_id)}.json", "view", View.from_json)

    def view_count(self, view_id: int) -> ViewCount:
        """The approximate number of tickets in a view. Zendesk allows five such calls a minute per view."""
        return self._one(f"/api/v2/views/{int(view_id)}/count.json", "view_count", ViewCount.from_json)

    def view_tickets(self, view_id: int, *, cursor: str | None = None) -> Iterator[Page[Ticket]]:
        """The tickets of a view, without archived ones.

        The cursor hides an offset: if a ticket leaves the view while it is read, the next page skips another
        one. Read the view to the end before changing anything.
        """
        return self._pages(f"/api/v2/views/{int(view_id)}/tickets.json", "tickets", Ticket.read, cursor)

    def search(self, query: str, *, page: int = 1) -> Iterator[Page[Ticket]]:
        """Tickets that a search finds, most relevant first, from this page on; the cursor is a page number.

        Zendesk returns the first 1,000. If there are more, the iterator then raises Refused, lest the result
        look complete; ``search_export`` has no such limit. A ticket may occur twice.
        """
        if page < 1:
            raise ValueError(f"The pages of a search begin at 1, not at {page}.")
        typed_query = f"type:ticket {_without_type(query)}".strip()

        def fetch(cursor: str | None) -> Page[Ticket]:
            number = int(cursor or page)
            if (number - 1) * PAGE_SIZE >= MAX_SEARCH_RESULTS:
                raise Refused(
                    f"A search returns only its first {MAX_SEARCH_RESULTS:,} tickets, and this one finds "
                    "more. Narrow it down, or use the search export.",
                    code="SearchLimit",
                )
            params: dict[str, str | int] = {"query": typed_query, "page": number, "per_page": PAGE_SIZE}
            return self._get("/api/v2/search.json", lambda answer: parse_search_page(answer, number), params)

        return follow_pages(fetch)

    def search_count(self, query: str) -> int:
        """How many tickets a search finds, beyond 1,000 too; it lags some minutes behind."""
        typed_query = f"type:ticket {_without_type(query)}".strip()
        return self._get("/api/v2/search/count.json", parse_count, {"query": typed_query})

    def search_export(self, query: str, *, cursor: str | None = None) -> Iterator[Page[Ticket]]:
        """All tickets that a search finds, by creation, archived ones included.

        A cursor expires after an hour. Zendesk then refuses it, and the export must start again.
        """
        return self._pages(
            "/api/v2/search/export.json",
            "results",
            Ticket.read,
            cursor,
            # The export refuses a type inside the query (developer.zendesk.com, search export).
            params={"query": _without_type(query), "filter[type]": "ticket"},
            size=self._search_page,
        )

    def incremental_tickets(self, *, since: int = 0, cursor: str | None = None) -> Iterator[Page[Ticket]]:
        """Every ticket changed after a time (seconds since 1970), by time of change.

        It includes archived tickets, and deleted ones with that status. It omits changes of the last minute
        and repeats a ticket that changes during the export. Cursors do not expire. Only admins may call it,
        ten times a minute, a limit separate from that of other calls.
        """

        def fetch(after: str | None) -> Page[Ticket]:
            position: dict[str, str | int] = {"start_time": since} if after is None else {"cursor": after}
            request = Request(
                "GET",
                "/api/v2/incremental/tickets/cursor.json",
                {**position, "per_page": self._incremental_page.now},
                has_own_limit=True,
                page_size=self._incremental_page,
                size_name="per_page",
            )
            try:
                return self._transport.send(request, parse_incremental_page)
            except NotAllowed as refused:
                if refused.missing_scopes:
                    raise
                raise NotAllowed(ADMINS_ONLY, status=refused.status, code=refused.code) from refused

        return follow_pages(fetch, cursor)

    def tickets(self, ids: Sequence[int]) -> list[Ticket]:
        """The tickets with these ids, at most 100; missing ones are omitted."""
        if not ids:
            return []
        return self._transport.send(show_many_request(ids), lambda answer: parse_tickets(answer, ids))

    def begin_tickets(self, ids: Sequence[int], *, kind: Kind = "read") -> Pending[list[Ticket]]:
        """Start `tickets` in the background, for at least one id."""
        request = show_many_request(ids, kind)
        return Pending(self._transport, request, lambda answer: parse_tickets(answer, ids))

    def audits(self, ticket_id: int, *, kind: Kind = "read") -> Iterator[Audit]:
        """The history of a ticket, oldest first; empty for an archived one.

        Requires the global scope `read` (developer.zendesk.com, ticket audits).
        """
        return self._all(
            f"/api/v2/tickets/{int(ticket_id)}/audits.json", "audits", Audit.from_json, kind=kind
        )

    # Changing tickets

    def update_many(self, ids: Sequence[int], change: Mapping[str, object]) -> JobStatus:
        """Queue one change to up to 100 tickets, such as ``{"additional_tags": ["vip"]}``.

        Returns the queued bulk job, which skips tickets that someone changes after it was queued. ``tags``
        replaces all tags of a ticket; ``additional_tags`` and ``remove_tags`` keep the others.

        Never retried if that could change tickets twice: see ``fate_unknown`` of the errors.
        """
        return self._transport.send(update_many_request(ids, change), parse_queued_job)

    def begin_update_many(self, ids: Sequence[int], change: Mapping[str, object]) -> Pending[JobStatus]:
        """Start `update_many` in the background."""
        return Pending(self._transport, update_many_request(ids, change), parse_queued_job)

    def update_each(self, changes: Sequence[Mapping[str, object]]) -> JobStatus:
        """Queue a separate change for each of up to 100 tickets, which it names by ``id``.

        A change with ``safe_update`` needs ``updated_stamp``: the ticket's ``updated_at`` as read.
        """
        return self._transport.send(update_each_request(changes), parse_queued_job)

    def begin_update_each(self, changes: Sequence[Mapping[str, object]]) -> Pending[JobStatus]:
        """Start `update_each` in the background."""
        return Pending(self._transport, update_each_request(changes), parse_queued_job)

    # Zendesk's bulk jobs

    def job_status(self, job_id: str) -> JobStatus:
        """One bulk job. Raises NotFound about a day after it was queued, sometimes earlier."""
        path = f"/api/v2/job_statuses/{quote(str(job_id), safe='')}.json"
        return self._one(path, "job_status", JobStatus.from_json, kind="status")

    def job_statuses(self, ids: Sequence[str]) -> list[JobStatus]:
        """Up to 100 bulk jobs in one call; omits those that Zendesk no longer knows."""
        if not ids:
            return []
        if len(ids) > MAX_IDS or any("," in id_ for id_ in ids):
            raise ValueError(f"One call returns the status of at most {MAX_IDS} bulk jobs.")
        request = Request("GET", "/api/v2/job_statuses/show_many.json", {"ids": ",".join(ids)}, kind="status")
        return self._transport.send(
            request, lambda answer: parse_items(answer, "job_statuses", JobStatus.from_json)
        )

    def recent_job_statuses(self) -> Iterator[JobStatus]:
        """All bulk jobs of the account that Zendesk still knows, the last completed first."""
        return self._all("/api/v2/job_statuses.json", "job_statuses", JobStatus.from_json, kind="status")

    # Tags, and what uses them

    def tags(self, *, cursor: str | None = None) -> Iterator[Page[TagCount]]:
        """The most used tags of the last 60 days, at most 20,000. A tag not listed may still be in use."""
        return self._pages("/api/v2/tags.json", "tags", TagCount.from_json, cursor)

    def tags_starting_with(self, prefix: str) -> list[str]:
        """Tags that start with the prefix, up to a day behind; none for fewer than two characters."""
        if len(prefix) < MIN_PREFIX_LENGTH:
            return []
        return self._get("/api/v2/autocomplete/tags.json", parse_tag_names, {"name": prefix})

    def macros(self) -> Iterator[Macro]:
        """The macros that the user may see, including inactive ones."""
        return self._all("/api/v2/macros.json", "macros", Macro.from_json)

    def macro(self, macro_id: int) -> Macro:
        return self._one(f"/api/v2/macros/{int(macro_id)}.json", "macro", Macro.from_json)

    def preview_macro(self, macro_id: int, ticket_id: int | None = None) -> Mapping[str, Any]:
        """The effect of a macro, without writing anything.

        Without a ticket: only the fields it changes, with unfilled placeholders. With one: the whole ticket
        as it would become, with placeholders filled in.
        """
        ticket = f"/tickets/{int(ticket_id)}" if ticket_id is not None else ""
        return self._get(f"/api/v2{ticket}/macros/{int(macro_id)}/apply.json", parse_macro_preview)

    def ticket_fields(self) -> Iterator[TicketField]:
        return self._all("/api/v2/ticket_fields.json", "ticket_fields", TicketField.from_json)

    def custom_statuses(self) -> list[CustomStatus]:
        """The account's custom ticket statuses, including inactive ones; at most 300, without pages.

        Accounts without them may answer NotFound (developer.zendesk.com, custom ticket statuses).
        """
        return self._get(
            "/api/v2/custom_statuses.json",
            lambda answer: parse_items(answer, "custom_statuses", CustomStatus.from_json),
        )

    def groups(self) -> Iterator[Group]:
        """The groups that the user may see."""
        return self._all("/api/v2/groups.json", "groups", Group.from_json)

    def triggers(self) -> Iterator[Rule]:
        return self._all("/api/v2/triggers.json", "triggers", Rule.from_json)

    def automations(self) -> Iterator[Rule]:
        return self._all("/api/v2/automations.json", "automations", Rule.from_json)

    def sla_policies(self) -> Iterator[Conditional]:
        """For admins, on plans that have them (developer.zendesk.com, SLA policies)."""
        return self._all("/api/v2/slas/policies.json", "sla_policies", Conditional.from_json)

    def queues(self) -> Iterator[Conditional]:
        """The active custom queues of omnichannel routing; for admins, 30 calls a minute."""
        return self._all("/api/v2/queues.json", "queues", Conditional.from_json)

    def workspaces(self) -> Iterator[Conditional]:
        return self._all("/api/v2/workspaces.json", "workspaces", Conditional.from_json)

    def deletion_schedules(self) -> Iterator[Conditional]:
        """Those of tickets, users and anything else; for admins."""
        return self._all("/api/v2/deletion_schedules.json", "deletion_schedules", Conditional.from_json)

    def webhooks(self) -> Iterator[Webhook]:
        """For admins."""
        return self._all("/api/v2/webhooks.json", "webhooks", Webhook.from_json)

    def auto_routing(self) -> AutoRouting:
        return self._one("/api/v2/account/settings.json", "settings", AutoRouting.from_settings)

    # Calls by the shape of their answer
    def _get(self, path: str, read: Callable[[Any], T], params: Mapping[str, str | int] | None = None) -> T:
        return self._transport.send(Request("GET", path, params or {}), read)

    def _one(self, path: str, key: str, read: Callable[[Any], T], *, kind: Kind = "read") -> T:
        return self._transport.send(Request("GET", path, kind=kind), lambda answer: read(answer.get(key)))

    def _all(self, path: str, key: str, read: Callable[[Any], T], *, kind: Kind = "read") -> Iterator[T]:
        """All records of a list that is read to its end; a reader that leaves early ends it."""
        with closing(self._pages(path, key, read, kind=kind)) as pages:
            for number, page in enumerate(pages, 1):
                yield from page.items
                if page.broke_off:
                    log.warning("%s: %s It was taken to end there.", path, page.broke_off)
                elif number >= MAX_PAGES and page.next_cursor is not None:
                    raise UnexpectedAnswer(
                        f"Zendesk's list of {key} has not ended after {MAX_PAGES:,} pages; no more were read."
                    )

    def _pages(
        self,
        path: str,
        key: str,
        read: Callable[[Any], T],
        cursor: str | None = None,
        *,
        params: Mapping[str, str | int] | None = None,
        size: PageSize | None = None,
        kind: Kind = "read",
    ) -> Generator[Page[T], None, None]:
        started: dict[str | None, Pending[Page[T]]] = {}

        def page(answer: Any) -> Page[T]:
            # Request the next page before parsing this one, which takes a while.
            after, _ = next_place(answer, key, number=0, size=PAGE_SIZE)
            if after and after not in (asked_for, *started) and self._may_read_ahead():
                started[after] = Pending(self._transport, request(after), page)
            return Page.from_json(answer, key, read)

        def request(after: str | None) -> Request:
            place = position(after, size.now if size else PAGE_SIZE)
            return Request("GET", path, {**(params or {}), **place}, kind=kind, page_size=size)

        asked_for = cursor

        def fetch(after: str | None) -> Page[T]:
            nonlocal asked_for
            asked_for = after
            if pending := started.pop(after, None):
                return pending.result()
            return self._transport.send(request(after), page)

        try:
            yield from follow_pages(fetch, cursor)
        finally:
            for unwanted in started.values():
                unwanted.discard()


def _without_type(query: str) -> str:
    return " ".join(_TYPE_TICKET.sub(" ", query).split()) if _TYPE_TICKET.search(query) else query.strip()
