"""Lists of the account's setup that name tags."""

from zendesk.sandbox.account.setup import FOR_ADMINS, LISTS
from zendesk.sandbox.errors import forbidden, not_found
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def _answer(sandbox: Sandbox, request: Request, name: str) -> Reply:
    options = sandbox.options
    if name in options.withheld or (name in FOR_ADMINS and options.role != "admin"):
        raise forbidden()
    if name in options.missing_lists:
        raise not_found()
    key, records = LISTS[name]
    if options.setup_lists == "bare":
        return json_reply({key: records})
    if options.setup_lists == "offset":
        number, per_page = paging.offset_page(request)
        shown = records[(number - 1) * per_page : number * per_page]
        return json_reply({key: shown, **paging.offset_metadata(request, number, per_page, len(records))})
    return paging.paginated(request, key, records, "position,id")


def sla_policies(sandbox: Sandbox, request: Request) -> Reply:
    return _answer(sandbox, request, "slas/policies")


def queues(sandbox: Sandbox, request: Request) -> Reply:
    return _answer(sandbox, request, "queues")


def workspaces(sandbox: Sandbox, request: Request) -> Reply:
    return _answer(sandbox, request, "workspaces")


def deletion_schedules(sandbox: Sandbox, request: Request) -> Reply:
    return _answer(sandbox, request, "deletion_schedules")


def webhooks(sandbox: Sandbox, request: Request) -> Reply:
    return _answer(sandbox, request, "webhooks")
