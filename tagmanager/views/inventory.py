"""The tag inventory, and the count of all tickets for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from jobs.actions import NotPossible
from jobs.actors import person
from jobs.common.input import whole_number
from jobs.views.inline_run import may_run_here, run_inline
from jobs.views.permissions import ACT, SEE, allowed, signed_in
from jobs.workers.heartbeats import is_worker_alive
from tagmanager.account import connection
from tagmanager.account.status import account_status
from tagmanager.forms.submit import submit
from tagmanager.intake import sources
from tagmanager.inventory import tag_counts, tags
from tagmanager.inventory.tag_counts import TagLists
from tagmanager.inventory.tags import Inventory, Tag
from tagmanager.tools import tool
from tagmanager.tools.count_tags import CountTags
from tagmanager.views.lookup_pages import LOOKUPS
from tagmanager.views.questions import PAGE, PART, may_ask

#: Seconds that each request works on incomplete lists.
WORK_SECONDS = 1.0
#: Length of a page, for tags and for groups of similar tags.
TAGS_PER_PAGE, GROUPS_PER_PAGE = 100, 50
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    """The filter and the sort order of a request."""

    what: str
    text: str
    order: str

    @classmethod
    def from_request(cls, request: HttpRequest) -> InventoryQuery:
        what, order = request.GET.get("show", ""), request.GET.get("order", "")
        return cls(
            what if what in tags.FILTERS else "",
            request.GET.get("q", "")[:200],
            order if order in tags.SORT_ORDERS else "tickets",
        )

    def query(self, **other: str) -> str:
        """A query string with these values, except for `other`."""
        params = {"show": self.what, "q": self.text, "order": self.order} | other
        return urlencode({name: value for name, value in params.items() if value and value != "tickets"})


@require_safe
@allowed(SEE)
@may_ask(PAGE)
@never_cache
def inventory(request: HttpRequest) -> HttpResponse:
    """The tags by `?q=`, `?show=` (a key of `FILTERS`) and `?order=`; `?format=` downloads all."""
    asked = InventoryQuery.from_request(request)
    context: dict[str, Any] = {
        "lookup": next(lookup for lookup in LOOKUPS if lookup.slug == "tag-inventory"),
        "asked": asked,
        "orders": tags.SORT_ORDERS,
        "tabs": [(name, label, asked.query(show=name)) for name, label in tags.FILTERS.items()],
        "query": asked.query(),
    }
    try:
        lists = tag_counts.tag_lists(seconds=WORK_SECONDS)
    except connection.NotConnected as problem:
        return render(request, "lookups/tags.html", context | {"problem": str(problem)})
    found = Inventory(lists)
    if (kind := request.GET.get("format", "")) in MEDIA_TYPES:
        return _download(found, asked, kind)
    return render(request, "lookups/tags.html", context | _state(lists) | _page(request, found, asked))


@require_safe
@allowed(SEE)
@may_ask(PART)
@never_cache
def state(request: HttpRequest) -> HttpResponse:
    """Progress of the work on the lists; when that is done, the page reloads."""
    try:
        lists = tag_counts.tag_lists(seconds=WORK_SECONDS)
    except connection.NotConnected as problem:
        return HttpResponse(str(problem), status=503, content_type="text/plain; charset=utf-8")
    answer = render(request, "lookups/_tags_state.html", _state(lists))
    if not lists.is_moving:
        answer["HX-Refresh"] = "true"
    return answer


@require_POST
@allowed(SEE, ACT)
def count(request: HttpRequest) -> HttpResponse:
    """Start a count of all tickets, unless one has not ended yet."""
    chosen = tool(CountTags.slug)
    form = chosen.form_class({})
    try:
        if form.is_valid() and tag_counts.counting(connection.address()) is None:
            by = person(signed_in(request))
            everything, here = sources.all_tickets(), may_run_here()
            made = submit(chosen, form, everything, by=by, dry_run=True, here=here)
            if made.token:
                run_inline(made)
    except (connection.NotConnected, NotPossible) as problem:
        messages.warning(request, str(problem))
    return redirect("tag-inventory")


@require_POST
@allowed(SEE, ACT)
def refresh(_request: HttpRequest) -> HttpResponse:
    """Read Zendesk's own list again."""
    with suppress(connection.NotConnected):  # the page reports it
        tag_counts.start_reading(connection.address())
    return redirect("tag-inventory")


def _state(lists: TagLists) -> dict[str, Any]:
    seen = account_status()
    return {
        "lists": lists,
        "changed_since": tag_counts.changed_since(lists.full) if lists.full else None,
        "is_admin": not seen.role or seen.role == "admin",
        "account_status": seen,
        "most": tag_counts.MAX_LISTED,
        "days": tag_counts.DAYS_LISTED,
        "worker_alive": is_worker_alive(),
    }


def _page(request: HttpRequest, found: Inventory, asked: InventoryQuery) -> dict[str, Any]:
    if asked.what == "alike":
        everything: list[Any] = list(found.groups(asked.text))
    else:
        everything = list(found.filtered(asked.what, asked.text, asked.order))
    pages = Paginator(everything, GROUPS_PER_PAGE if asked.what == "alike" else TAGS_PER_PAGE)
    page = pages.get_page(whole_number(request.GET.get("page", "")) or 1)
    return {
        "inventory": found,
        "number": pages.count,
        "page": page,
        "before": page.has_previous() and asked.query(page=str(page.number - 1)),
        "after": page.has_next() and asked.query(page=str(page.number + 1)),
    }


def _download(found: Inventory, asked: InventoryQuery, kind: str) -> HttpResponse:
    lists = found.lists
    if lists.by is None:
        why = lists.problem or "The list of tags is not complete yet. Ask again in a moment."
        return HttpResponse(str(why), status=503, content_type="text/plain; charset=utf-8")
    if asked.what == "alike":
        groups: list[list[Tag]] = found.groups(asked.text)
        text = tags.groups_as_csv(groups) if kind == "csv" else tags.groups_as_json(groups)
    else:
        shown = found.filtered(asked.what, asked.text, asked.order)
        write = tags.as_csv if kind == "csv" else tags.as_json
        text = write(shown, lists)
    headers = {
        "Content-Disposition": f'attachment; filename="tags.{kind}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(text, content_type=MEDIA_TYPES[kind], headers=headers)
