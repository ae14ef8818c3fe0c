"""Which function answers which address, and the scopes it asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from zendesk.sandbox.endpoints import (
    account,
    audits,
    incremental,
    jobs,
    macros,
    rules,
    search,
    tags,
    ticket_fields,
    ticket_tags,
    tickets,
    update_many,
    update_one,
    users,
    views,
)
from zendesk.sandbox.replies import Reply

Endpoint = Callable[..., Reply]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` without `/api/v2/`. `scope`: the coarse one; `fine`: any of these does as well."""

    method: str
    path: str
    endpoint: Endpoint
    fine: tuple[str, ...] = ()
    open: bool = False
    """Answers callers without credentials too."""

    @property
    def scope(self) -> str:
        return "read" if self.method == "GET" else "write"

    @property
    def name(self) -> str:
        """As the ledger counts it."""
        return f"{self.method} {self.path}".replace("<int:", "{").replace("<", "{").replace(">", "}")


_READ = ("tickets:read",)
_WRITE = ("tickets:write",)
_VIEWS = ("ticket_views:read",)
_MACROS = ("macros:read",)
# Job statuses tell of one's own writes: who may write may ask.
_JOBS = ("tickets:read", "tickets:write")

ROUTES: tuple[Route, ...] = (
    Route("GET", "users/me", users.me, ("users:read",), open=True),
    Route("GET", "users/show_many", users.show_many, ("users:read",)),
    Route("GET", "users/<int:user_id>", users.show, ("users:read",)),
    Route("GET", "custom_roles/<int:role_id>", users.custom_role),
    Route("GET", "account/settings", account.settings),
    Route("GET", "views", views.index, _VIEWS),
    Route("GET", "views/active", views.active, _VIEWS),
    Route("GET", "views/<int:view_id>", views.show, _VIEWS),
    Route("GET", "views/<int:view_id>/count", views.count, _VIEWS),
    Route("GET", "views/<int:view_id>/tickets", views.tickets, _VIEWS + _READ),
    Route("GET", "views/<int:view_id>/execute", views.execute, _VIEWS),
    Route("GET", "tickets", tickets.index, _READ),
    Route("GET", "tickets/count", tickets.count, _READ),
    Route("GET", "tickets/show_many", tickets.show_many, _READ),
    Route("PUT", "tickets/update_many", update_many.update_many, _WRITE),
    Route("GET", "tickets/<int:ticket_id>", tickets.show, _READ),
    Route("PUT", "tickets/<int:ticket_id>", update_one.update, _WRITE),
    # Audits want the whole `read`, no finer scope does.
    Route("GET", "tickets/<int:ticket_id>/audits", audits.index),
    Route("GET", "tickets/<int:ticket_id>/comments", audits.comments, _READ),
    Route("GET", "tickets/<int:ticket_id>/tags", ticket_tags.show, _READ),
    Route("POST", "tickets/<int:ticket_id>/tags", ticket_tags.change, _WRITE),
    Route("PUT", "tickets/<int:ticket_id>/tags", ticket_tags.change, _WRITE),
    Route("DELETE", "tickets/<int:ticket_id>/tags", ticket_tags.change, _WRITE),
    Route("GET", "tickets/<int:ticket_id>/macros/<int:macro_id>/apply", macros.preview_on_ticket, _MACROS),
    Route("GET", "job_statuses", jobs.index, _JOBS),
    Route("GET", "job_statuses/show_many", jobs.show_many, _JOBS),
    Route("GET", "job_statuses/<job_id>", jobs.show, _JOBS),
    # Search knows no finer scope than `read`.
    Route("GET", "search", search.search),
    Route("GET", "search/count", search.count),
    Route("GET", "search/export", search.export),
    Route("GET", "incremental/tickets/cursor", incremental.export, _READ),
    Route("GET", "tags", tags.index, ("tags:read",)),
    Route("GET", "tags/count", tags.count, ("tags:read",)),
    Route("GET", "autocomplete/tags", tags.autocomplete, ("tags:read",)),
    Route("GET", "macros", macros.index, _MACROS),
    Route("GET", "macros/active", macros.active, _MACROS),
    Route("GET", "macros/search", macros.search, _MACROS),
    Route("GET", "macros/<int:macro_id>", macros.show, _MACROS),
    Route("GET", "macros/<int:macro_id>/apply", macros.preview, _MACROS),
    Route("GET", "ticket_fields", ticket_fields.index, ("ticket_fields:read",)),
    Route("GET", "groups", users.groups, ("groups:read",)),
    Route("GET", "triggers", rules.triggers, ("triggers:read",)),
    Route("GET", "triggers/active", rules.triggers, ("triggers:read",)),
    Route("GET", "automations", rules.automations, ("automations:read",)),
    Route("GET", "automations/active", rules.automations, ("automations:read",)),
)

_MAP = Map(
    [Rule(f"/api/v2/{route.path}", methods=[route.method], endpoint=route) for route in ROUTES],
    strict_slashes=False,
    merge_slashes=False,
)
_ADDRESSES = _MAP.bind("sandbox")


def find(method: str, path: str) -> tuple[Route, dict[str, Any]] | None:
    """The route of a path without `.json`, and the numbers in it; None if there is none."""
    try:
        route, names = _ADDRESSES.match(path, method)
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return None
    return route, dict(names)
