"""A Zendesk account in memory behind the real URLs: for the demo, the tests and the benchmarks.

It stands on the server's side and never shares code with the client, so each checks the other. Its tests
compare its answers with recorded answers of the live API.
"""

from zendesk.sandbox.access import API_TOKEN, BEARER_TOKEN, CLIENT_ID, CLIENT_SECRET, EMAIL
from zendesk.sandbox.account.custom_statuses import (
    STATUS_REFUNDED,
    STATUS_RETIRED,
    STATUS_SUPPLIER,
    STATUS_WITH_US,
)
from zendesk.sandbox.account.fields import (
    FIELD_CALLED_BACK,
    FIELD_FEATURES,
    FIELD_FOLLOW_UP,
    FIELD_PLAN,
    FIELD_PRODUCT,
    FIELD_RESOLUTION,
)
from zendesk.sandbox.account.macros import (
    MACRO_CLOSE_SPAM,
    MACRO_ESCALATE,
    MACRO_HOSTILE,
    MACRO_INACTIVE,
    MACRO_NOT_RESPONDING,
    MACRO_NOTE,
    MACRO_RESET_TAGS,
    MACRO_SOLVE_FIXED,
    MACRO_UNTAG,
)
from zendesk.sandbox.account.rules import Rule
from zendesk.sandbox.account.views import (
    VIEW_EMPTY,
    VIEW_HOSTILE,
    VIEW_INACTIVE,
    VIEW_NOT_ARCHIVED,
    VIEW_PENDING,
    VIEW_RECENTLY_SOLVED,
    VIEW_REFUNDS,
    VIEW_UNASSIGNED,
    VIEW_UNSOLVED,
    VIEW_UNTAGGED,
    VIEW_URGENT,
)
from zendesk.sandbox.options import Options
from zendesk.sandbox.serving.server import Server, serve
from zendesk.sandbox.state import Sandbox, TicketState

__all__ = [
    "API_TOKEN",
    "BEARER_TOKEN",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "EMAIL",
    "FIELD_CALLED_BACK",
    "FIELD_FEATURES",
    "FIELD_FOLLOW_UP",
    "FIELD_PLAN",
    "FIELD_PRODUCT",
    "FIELD_RESOLUTION",
    "MACRO_CLOSE_SPAM",
    "MACRO_ESCALATE",
    "MACRO_HOSTILE",
    "MACRO_INACTIVE",
    "MACRO_NOTE",
    "MACRO_NOT_RESPONDING",
    "MACRO_RESET_TAGS",
    "MACRO_SOLVE_FIXED",
    "MACRO_UNTAG",
    "STATUS_REFUNDED",
    "STATUS_RETIRED",
    "STATUS_SUPPLIER",
    "STATUS_WITH_US",
    "VIEW_EMPTY",
    "VIEW_HOSTILE",
    "VIEW_INACTIVE",
    "VIEW_NOT_ARCHIVED",
    "VIEW_PENDING",
    "VIEW_RECENTLY_SOLVED",
    "VIEW_REFUNDS",
    "VIEW_UNASSIGNED",
    "VIEW_UNSOLVED",
    "VIEW_UNTAGGED",
    "VIEW_URGENT",
    "Options",
    "Rule",
    "Sandbox",
    "Server",
    "TicketState",
    "serve",
]
