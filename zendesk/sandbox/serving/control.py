"""The demo's own levers, at `/_control`: no credentials, no limits, not in the ledger.

- `GET`, `POST`, `DELETE /_control/faults`: a rule or a list of rules (see `faults`), or none
- `GET /_control/ledger` (`?summary=1` leaves out the counts per ticket)
- `GET /_control/tickets?ids=1,2`: the truth about tickets
- `GET /_control/refs`: the numbers of all tickets
- `POST /_control/tickets`: a list of `{"id", "add", "remove", "status", "comment", "delete"}`, done as by
  someone else
- `GET`, `POST /_control/config`: scale, latency, rate_limit and other options, while it runs
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from zendesk.sandbox.errors import ApiError
from zendesk.sandbox.faults import Faults
from zendesk.sandbox.replies import Reply, answer
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def handle(sandbox: Sandbox, request: Request) -> Reply:
    """Pull a lever; 400 with a sentence if it cannot be."""
    lever = request.path.removeprefix("/_control/")
    pull = _HANDLERS.get((request.method, lever))
    if pull is None:
        return answer({"error": f"There is no {request.method} /_control/{lever}."}, status=404)
    try:
        with sandbox.lock:
            return pull(sandbox, request)
    except ApiError as refusal:
        return refusal.reply()
    except (ValueError, TypeError, KeyError) as exc:
        return answer({"error": str(exc)}, status=400)


def _body(request: Request) -> Any:
    return json.loads(request.body)


def _faults(sandbox: Sandbox, request: Request) -> Reply:
    if request.method == "DELETE":
        sandbox.faults.clear()
    elif request.method == "POST":
        rules = _body(request)
        # All or none: first into a list of their own, where a wrong one is told.
        checked = Faults()
        for rule in rules if isinstance(rules, list) else [rules]:
            checked.add(**rule)
        sandbox.faults.rules += checked.rules
    return answer([rule.to_json() for rule in sandbox.faults.rules])


def _ledger(sandbox: Sandbox, request: Request) -> Reply:
    return answer(sandbox.ledger.to_json(tickets="summary" not in request.query))


def _tickets(sandbox: Sandbox, request: Request) -> Reply:
    return answer({"tickets": [_ticket_state(sandbox, number) for number in request.ids()]})


def _ticket_state(sandbox: Sandbox, ticket_id: int) -> dict[str, Any]:
    try:
        ticket = asdict(sandbox.ticket(ticket_id))
    except KeyError:
        return {"id": ticket_id, "status": None}
    ledger = sandbox.ledger
    return ticket | {
        "updates": ledger.updates[ticket_id],
        "sent": ledger.sent[ticket_id],
        "public_comments": ledger.public_comments[ticket_id],
        "internal_comments": ledger.internal_comments[ticket_id],
    }


def _refs(sandbox: Sandbox, _request: Request) -> Reply:
    return answer({"refs": sandbox.ticket_ids()})


def _edit(sandbox: Sandbox, request: Request) -> Reply:
    edits = _body(request)
    for edit in edits if isinstance(edits, list) else [edits]:
        if edit.get("delete"):
            sandbox.delete(int(edit["id"]))
        else:
            sandbox.edit(
                int(edit["id"]),
                edit.get("add", ()),
                edit.get("remove", ()),
                edit.get("status"),
                comment=edit.get("comment", ""),
            )
    return answer({"ok": True})


def _config(sandbox: Sandbox, _request: Request) -> Reply:
    return answer({name: value for name, value in asdict(sandbox.options).items() if name != "clock"})


def _configure(sandbox: Sandbox, request: Request) -> Reply:
    sandbox.configure(**_body(request))
    return _config(sandbox, request)


_HANDLERS: dict[tuple[str, str], Callable[[Sandbox, Request], Reply]] = {
    ("GET", "faults"): _faults,
    ("POST", "faults"): _faults,
    ("DELETE", "faults"): _faults,
    ("GET", "ledger"): _ledger,
    ("GET", "tickets"): _tickets,
    ("POST", "tickets"): _edit,
    ("GET", "refs"): _refs,
    ("GET", "config"): _config,
    ("POST", "config"): _configure,
}
