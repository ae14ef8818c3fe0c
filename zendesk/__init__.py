"""A client for the part of the Zendesk Support API that bulk work on tickets needs.

Never: Django, jobs, or a write repeated after anything but a 429.
"""

from zendesk.address import address_of
from zendesk.answer_headers import IgnoredPart, JobSlots
from zendesk.calls import Call
from zendesk.client import ADMINS_ONLY, MAX_EXPORT_PAGE, Zendesk
from zendesk.connection import Connection, check
from zendesk.credentials import (
    API_TOKENS_END,
    ApiToken,
    BearerToken,
    Credentials,
    CredentialsEnd,
    OAuthClient,
)
from zendesk.errors import (
    AccountRefused,
    Conflict,
    CredentialsRefused,
    NoSuchAccount,
    NotAllowed,
    NotFound,
    PageInstead,
    RateLimited,
    Redirected,
    Refused,
    TooLarge,
    TooManyJobs,
    TryLater,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
)
from zendesk.job_status import ItemResult, JobStatus
from zendesk.pages import Page
from zendesk.records import (
    Action,
    Audit,
    AutoRouting,
    Conditional,
    CustomRole,
    CustomStatus,
    FieldChange,
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
)
from zendesk.tags import MAX_TAGS_LENGTH, TagError, fits, normalise, parse_tags
from zendesk.transport.error_mapping import error_from
from zendesk.transport.gate import Gate, LocalGate
from zendesk.transport.limits import RateLimit
from zendesk.transport.pending import Pending

__all__ = [
    "ADMINS_ONLY",
    "API_TOKENS_END",
    "MAX_EXPORT_PAGE",
    "MAX_TAGS_LENGTH",
    "AccountRefused",
    "Action",
    "ApiToken",
    "Audit",
    "AutoRouting",
    "BearerToken",
    "Call",
    "Conditional",
    "Conflict",
    "Connection",
    "Credentials",
    "CredentialsEnd",
    "CredentialsRefused",
    "CustomRole",
    "CustomStatus",
    "FieldChange",
    "Gate",
    "Group",
    "IgnoredPart",
    "ItemResult",
    "JobSlots",
    "JobStatus",
    "LocalGate",
    "Macro",
    "NoSuchAccount",
    "NotAllowed",
    "NotFound",
    "OAuthClient",
    "Page",
    "PageInstead",
    "Pending",
    "RateLimit",
    "RateLimited",
    "Redirected",
    "Refused",
    "Rule",
    "TagCount",
    "TagError",
    "Ticket",
    "TicketField",
    "TooLarge",
    "TooManyJobs",
    "TryLater",
    "Unavailable",
    "UnexpectedAnswer",
    "User",
    "View",
    "ViewCount",
    "Webhook",
    "Zendesk",
    "ZendeskError",
    "address_of",
    "check",
    "error_from",
    "fits",
    "normalise",
    "parse_tags",
]
