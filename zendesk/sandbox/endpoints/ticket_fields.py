"""Ticket fields."""

from zendesk.sandbox.account import fields
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox

_SYSTEM_FIELDS = ("subject", "description", "status", "tickettype", "priority", "group", "assignee")


def index(sandbox: Sandbox, request: Request) -> Reply:
    described = [
        {
            "url": f"{request.base}/api/v2/ticket_fields/{6_130_830_400_000 + 2 * number}.json",
            "id": 6_130_830_400_000 + 2 * number,
            "type": kind,
            "title": kind.title(),
            "raw_title": kind.title(),
            "position": number,
            "active": True,
            "required": False,
            "tag": None,
            "removable": False,
            "created_at": "2024-01-08T09:00:00Z",
            "updated_at": "2024-01-08T09:00:00Z",
        }
        for number, kind in enumerate(_SYSTEM_FIELDS)
    ]
    for number, field in enumerate((*fields.FIELDS, *fields.UNTAGGED), start=len(described)):
        required = sandbox.options.require_resolution and field.id == fields.FIELD_RESOLUTION
        described.append(field.to_json(request.base, number, required))
    return paging.paginated(request, "ticket_fields", described, "position,id")
