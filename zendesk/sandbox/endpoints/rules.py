"""Triggers and automations."""

from zendesk.sandbox.account import rules
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def triggers(sandbox: Sandbox, request: Request) -> Reply:
    return paging.paginated(
        request,
        "triggers",
        rules.triggers(request.base, sandbox.options.readding_tag, sandbox.options.triggers),
        "position,id",
    )


def automations(_sandbox: Sandbox, request: Request) -> Reply:
    return paging.paginated(request, "automations", rules.automations(request.base), "position,id")
