"""A ticket's audits and comments."""

from zendesk.sandbox.endpoints.tickets import slot_of_ticket
from zendesk.sandbox.errors import missing_scope
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets.audits import Audit, creation_audit
from zendesk.sandbox.tickets.rendering import requester_id


def index(sandbox: Sandbox, request: Request, ticket_id: int) -> Reply:
    """Oldest first. Archived tickets have none (developer.zendesk.com, ticket audits)."""
    if sandbox.options.audits == "refused":
        raise missing_scope("read")
    records = [audit.to_json(ticket_id) for audit in _audits(sandbox, ticket_id)]
    return paging.paginated(request, "audits", records)


def comments(sandbox: Sandbox, request: Request, ticket_id: int) -> Reply:
    """Oldest first, beginning with the customer's request."""
    found = [audit.comment_to_json() for audit in _audits(sandbox, ticket_id)]
    return paging.paginated(request, "comments", [comment for comment in found if comment])


def _audits(sandbox: Sandbox, ticket_id: int) -> list[Audit]:
    slot, store = slot_of_ticket(sandbox, ticket_id), sandbox.store
    if store.archived[slot] or sandbox.options.audits == "empty":
        return []
    first = creation_audit(ticket_id, store.created(slot), requester_id(store, slot), store.subject(slot))
    return [first, *sandbox.audits.for_ticket(ticket_id)]
