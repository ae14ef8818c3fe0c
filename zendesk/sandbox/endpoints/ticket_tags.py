"""The tags of one ticket."""

from zendesk.sandbox.account.field_values import STATUSES
from zendesk.sandbox.endpoints.ticket_changes import apply_one, check_stamp
from zendesk.sandbox.endpoints.tickets import slot_of_ticket
from zendesk.sandbox.errors import CLOSED_PREVENTS_UPDATE, invalid_record
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def show(sandbox: Sandbox, _request: Request, ticket_id: int) -> Reply:
    return json_reply({"tags": sandbox.store.tags(slot_of_ticket(sandbox, ticket_id))})


def change(sandbox: Sandbox, request: Request, ticket_id: int) -> Reply:
    """POST sets, PUT adds, DELETE removes. Never on a closed ticket, whatever the account allows."""
    slot = slot_of_ticket(sandbox, ticket_id)
    body = request.json
    check_stamp(sandbox, slot, body)
    if STATUSES[sandbox.store.status[slot]] == "closed":
        raise invalid_record({"status": [{"description": CLOSED_PREVENTS_UPDATE}]})
    name = {"POST": "tags", "PUT": "additional_tags", "DELETE": "remove_tags"}[request.method]
    apply_one(sandbox, slot, {name: body.get("tags")}, many=True)
    return json_reply({"tags": sandbox.store.tags(slot)}, status=201 if request.method == "POST" else 200)
