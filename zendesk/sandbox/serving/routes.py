"""The endpoint of each path, and the scopes it requires."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

from zendesk.sandbox.endpoints import (
    account,
    audits,
    brands,
    custom_statuses,
    incremental,
    jobs,
    macros,
    rules,
    search,
    setup,
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
    """`path` lacks `/api/v2/`. A token needs the coarse `scope` or any of the `fine_scopes`."""

    method: str
    path: str
    endpoint: Endpoint
    fine_scopes: tuple[str, ...] = ()
    is_public: bool = False
    """Whether it answers callers without credentials."""

    @property
    def scope(self) -> str:
        return "read" if self.method == "GET" else "write"

    @property
    def name(self) -> str:
        """The name under which the ledger counts its calls."""
        return f"{self.method} {self.path}".replace("<int:", "{").replace("<", "{").replace(">", "}")


_READ = ("tickets:read",)
_WRITE = ("tickets:write",)
_VIEWS = ("ticket_views:read",)
_MACROS = ("macros:read",)
# A job's status reports on the caller's own writes, so the right to write suffices.
_JOBS = ("tickets:read", "tickets:write")

ROUTES: tuple[Route, ...] = (
    Route("GET", "users/me", users.me, ("users:read",), is_public=True),
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
    # Audits require the global `read`; no finer scope suffices.
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
    # Search requires the global `read`; no finer scope suffices.
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
    Route("GET", "custom_statuses", custom_statuses.index),
    Route("GET", "groups", users.groups, ("groups:read",)),
    Route("GET", "brands", brands.index),
    Route("GET", "users/<int:user_id>/brand_agents", brands.memberships),
    Route("GET", "triggers", rules.triggers, ("triggers:read",)),
    Route("GET", "triggers/active", rules.triggers, ("triggers:read",)),
    Route("GET", "automations", rules.automations, ("automations:read",)),
    Route("GET", "automations/active", rules.automations, ("automations:read",)),
    Route("GET", "slas/policies", setup.sla_policies),
    Route("GET", "queues", setup.queues),
    Route("GET", "workspaces", setup.workspaces),
    Route("GET", "deletion_schedules", setup.deletion_schedules),
    Route("GET", "webhooks", setup.webhooks, ("webhooks:read",)),
)

_MAP = Map(
    [Rule(f"/api/v2/{route.path}", methods=[route.method], endpoint=route) for route in ROUTES],
    strict_slashes=False,
    merge_slashes=False,
)
_ADAPTER = _MAP.bind("sandbox")


def find(method: str, path: str) -> tuple[Route, dict[str, Any]] | None:
    """The route of a path without `.json`, and the ids in the path; None if there is no such route."""
    try:
        route, names = _ADAPTER.match(path, method)
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return None
    return route, dict(names)
