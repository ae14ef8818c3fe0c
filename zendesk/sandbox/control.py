"""The demo's own levers, at `/_control`: no credentials, no limits, not in the ledger.

- `GET`, `POST`, `DELETE /_control/faults`: a rule or a list of rules (see `faults`), or none
- `GET /_control/ledger` (`?summary=1` leaves out the counts per ticket)
- `GET /_control/tickets?ids=1,2`: the truth about tickets; `POST`: a list of `{"id", "add", "remove", "status",
  "delete"}`, done as by someone else
- `GET`, `POST /_control/config`: scale, latency, rate_limit and other options, while it runs
"""

import json
from dataclasses import asdict
from typing import Any

from zendesk.sandbox.asked import Asked
from zendesk.sandbox.faults import Faults
from zendesk.sandbox.replies import Refusal, Reply, answer
from zendesk.sandbox.state import Sandbox


def handle(sandbox: Sandbox, asked: Asked) -> Reply:
    """Pull a lever; 400 with a sentence if it cannot be."""
    lever = asked.path.removeprefix("/_control/")
    try:
        with sandbox.lock:
            match asked.method, lever:
                case _, "faults":
                    return _faults(sandbox, asked)
                case "GET", "ledger":
                    return answer(sandbox.ledger.to_json(tickets="summary" not in asked.query))
                case "GET", "tickets":
                    return answer({"tickets": [_truth(sandbox, number) for number in asked.ids()]})
                case "POST", "tickets":
                    return _edit(sandbox, _body(asked))
                case "GET", "config":
                    return answer(_config(sandbox))
                case "POST", "config":
                    sandbox.configure(**_body(asked))
                    return answer(_config(sandbox))
    except Refusal as refusal:
        return refusal.reply()
    except (ValueError, TypeError, KeyError) as exc:
        return answer({"error": str(exc)}, status=400)
    return answer({"error": f"There is no {asked.method} /_control/{lever}."}, status=404)


def _body(asked: Asked) -> Any:
    return json.loads(asked.body)


def _faults(sandbox: Sandbox, asked: Asked) -> Reply:
    if asked.method == "DELETE":
        sandbox.faults.clear()
    elif asked.method == "POST":
        rules = _body(asked)
        # All or none: first into a list of their own, where a wrong one is told.
        checked = Faults()
        for rule in rules if isinstance(rules, list) else [rules]:
            checked.add(**rule)
        sandbox.faults.rules += checked.rules
    return answer([rule.to_json() for rule in sandbox.faults.rules])


def _truth(sandbox: Sandbox, ticket_id: int) -> dict[str, Any]:
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


def _edit(sandbox: Sandbox, edits: Any) -> Reply:
    for edit in edits if isinstance(edits, list) else [edits]:
        if edit.get("delete"):
            sandbox.delete(int(edit["id"]))
        else:
            sandbox.edit(int(edit["id"]), edit.get("add", ()), edit.get("remove", ()), edit.get("status"))
    return answer({"ok": True})


def _config(sandbox: Sandbox) -> dict[str, Any]:
    return {name: value for name, value in asdict(sandbox.options).items() if name != "clock"}
