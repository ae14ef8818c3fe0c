"""Records of the API as values, with only the members that a bulk tagger needs.

``from_json`` raises UnexpectedAnswer if an indispensable member is missing or has the wrong type. It accepts
all other members as they come. Never: a call.
"""

from zendesk.records.people import Brand, CustomRole, Group, User, brand_id_from_json
from zendesk.records.rules import Action, Macro, Rule, View, ViewCount
from zendesk.records.setup import AutoRouting, Conditional, Webhook
from zendesk.records.ticket_fields import CustomStatus, TicketField
from zendesk.records.tickets import Audit, FieldChange, TagCount, Ticket

__all__ = [
    "Action",
    "Audit",
    "AutoRouting",
    "Brand",
    "Conditional",
    "CustomRole",
    "CustomStatus",
    "FieldChange",
    "Group",
    "Macro",
    "Rule",
    "TagCount",
    "Ticket",
    "TicketField",
    "User",
    "View",
    "ViewCount",
    "Webhook",
    "brand_id_from_json",
]
