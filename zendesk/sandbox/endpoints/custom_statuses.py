"""Custom ticket statuses: one list without pages."""

from zendesk.sandbox.account.custom_statuses import CUSTOM_STATUSES
from zendesk.sandbox.errors import forbidden, not_found
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def index(sandbox: Sandbox, request: Request) -> Reply:
    match sandbox.options.custom_statuses:
        case "refused":
            raise forbidden()
        case "unknown":
            raise not_found()
    return json_reply({"custom_statuses": [status.to_json(request.base) for status in CUSTOM_STATUSES]})
