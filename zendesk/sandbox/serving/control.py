"""Controls for tests, at `/_control`: without credentials, limits or traces in the ledger.

- `GET`, `POST`, `DELETE /_control/faults`: show, add or clear fault rules (see `faults`)
- `GET /_control/ledger` (`?summary=1` omits the counts per ticket)
- `GET /_control/tickets?ids=1,2`: the true state of tickets
- `GET /_control/refs`: the ids of all tickets
- `POST /_control/tickets`: a list of `{"id", "add", "remove", "status", "comment", "values", "delete"}`, each
  edit as another user; `values` are those of fields, such as `{"priority": null}`; `{"id", "ai_agent": true}`
  hands a ticket to an AI agent, `false` escalates it to people
- `POST /_control/macros`: a list of `{"id", "title", "actions", "active"}`, each edit or new macro as another
  user; `actions` are those of the API
- `POST /_control/hold`: keep bulk jobs queued; `{"after": 2}` exempts the next two
- `POST /_control/release`: end the hold
- `GET /_control/open_jobs`: the ids of the bulk jobs queued or running
- `GET`, `POST /_control/config`: show or change options at run time
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from zendesk.sandbox.errors import ApiError
from zendesk.sandbox.faults import Faults
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def handle(sandbox: Sandbox, request: Request) -> Reply:
    """Run one control; invalid input gets a 400 with a sentence."""
    name = request.path.removeprefix("/_control/")
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return json_reply({"error": f"There is no {request.method} /_control/{name}."}, status=404)
    try:
        with sandbox.lock:
            return handler(sandbox, request)
    except ApiError as refusal:
        return refusal.reply()
    except (ValueError, TypeError, KeyError) as exc:
        return json_reply({"error": str(exc)}, status=400)


def _body(request: Request) -> Any:
    return json.loads(request.body)


def _faults(sandbox: Sandbox, request: Request) -> Reply:
    if request.method == "DELETE":
        sandbox.faults.clear()
    elif request.method == "POST":
        rules = _body(request)
        # All or none: an invalid rule raises before any is added.
        checked = Faults()
        for rule in rules if isinstance(rules, list) else [rules]:
            checked.add(**rule)
        sandbox.faults.rules += checked.rules
    return json_reply([rule.to_json() for rule in sandbox.faults.rules])


def _ledger(sandbox: Sandbox, request: Request) -> Reply:
    return json_reply(sandbox.ledger.to_json(tickets="summary" not in request.query))


def _tickets(sandbox: Sandbox, request: Request) -> Reply:
    return json_reply({"tickets": [_ticket_state(sandbox, number) for number in request.ids()]})


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
    return json_reply({"refs": sandbox.ticket_ids()})


def _edit(sandbox: Sandbox, request: Request) -> Reply:
    edits = _body(request)
    for edit in edits if isinstance(edits, list) else [edits]:
        if edit.get("delete"):
            sandbox.delete(int(edit["id"]))
        elif "ai_agent" in edit:
            sandbox.set_ai_agent(int(edit["id"]), holds=bool(edit["ai_agent"]))
        else:
            sandbox.edit(
                int(edit["id"]),
                edit.get("add", ()),
                edit.get("remove", ()),
                edit.get("status"),
                comment=edit.get("comment", ""),
                values=edit.get("values"),
            )
    return json_reply({"ok": True})


def _edit_macros(sandbox: Sandbox, request: Request) -> Reply:
    edits = _body(request)
    for edit in edits if isinstance(edits, list) else [edits]:
        changes = {name: edit[name] for name in ("title", "active") if name in edit}
        if "actions" in edit:
            changes["actions"] = tuple((action["field"], action["value"]) for action in edit["actions"])
        sandbox.edit_macro(int(edit["id"]), **changes)
    return json_reply({"ok": True})


def _hold(sandbox: Sandbox, request: Request) -> Reply:
    sandbox.hold(**(_body(request) if request.body else {}))
    return json_reply({"ok": True})


def _release(sandbox: Sandbox, _request: Request) -> Reply:
    sandbox.release()
    return json_reply({"ok": True})


def _open_jobs(sandbox: Sandbox, _request: Request) -> Reply:
    sandbox.advance()
    return json_reply({"open": sandbox.jobs.open_ids()})


def _config(sandbox: Sandbox, _request: Request) -> Reply:
    return json_reply({name: value for name, value in asdict(sandbox.options).items() if name != "clock"})


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
    ("POST", "macros"): _edit_macros,
    ("POST", "hold"): _hold,
    ("POST", "release"): _release,
    ("GET", "open_jobs"): _open_jobs,
    ("GET", "config"): _config,
    ("POST", "config"): _configure,
}
