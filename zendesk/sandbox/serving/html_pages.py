"""The two pages for people: a home page and one ticket."""

from html import escape

from zendesk.sandbox import access
from zendesk.sandbox.account import people
from zendesk.sandbox.account.field_values import STATUSES
from zendesk.sandbox.replies import Reply, html_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets import rendering
from zendesk.sandbox.timestamps import iso

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}
code{{background:#eef1f4;padding:.1rem .3rem}}dt{{font-weight:600}}dd{{margin:0 0 .6rem}}</style>
</head><body>{body}</body></html>"""


def handle(sandbox: Sandbox, request: Request) -> Reply:
    """`/` or `/agent/tickets/{id}`; else 404."""
    if request.method == "GET" and request.path == "/":
        return html_reply(_home(sandbox))
    number = request.path.removeprefix("/agent/tickets/")
    if request.method == "GET" and request.path.startswith("/agent/tickets/") and number.isdecimal():
        return _ticket(sandbox, int(number))
    return html_reply(
        _PAGE.format(title="Not found", body="<h1>Not found</h1><p>There is no such page.</p>"), status=404
    )


def _home(sandbox: Sandbox) -> str:
    body = f"""<h1>Demo Zendesk</h1>
<p>A Zendesk account in memory with {sandbox.store.count:,} made-up tickets. It answers the calls of the
Zendesk Support API at <code>/api/v2</code> that a bulk tagger needs, with the same limits, delays and
pitfalls. Nothing here is real, and nothing survives a restart.</p>
<h2>Credentials</h2><dl>
<dt>OAuth client (client credentials)</dt>
<dd><code>{access.CLIENT_ID}</code> with the secret <code>{access.CLIENT_SECRET}</code></dd>
<dt>Bearer token</dt><dd><code>{access.BEARER_TOKEN}</code></dd>
<dt>E-mail and API token</dt><dd><code>{access.EMAIL}</code> with <code>{access.API_TOKEN}</code></dd></dl>
<h2>Controls</h2><p><a href="/_control/ledger?summary=1">Calls and changes so far</a> ·
<a href="/_control/faults">Active faults</a> · <a href="/_control/config">Options</a></p>"""
    return _PAGE.format(title="Demo Zendesk", body=body)


def _ticket(sandbox: Sandbox, ticket_id: int) -> Reply:
    with sandbox.lock:
        sandbox.advance()
        store = sandbox.store
        slot = store.slot(ticket_id)
        if slot is None:
            body = f"<h1>No ticket {ticket_id}</h1><p>It never existed or was deleted.</p>"
            return html_reply(_PAGE.format(title=f"No ticket {ticket_id}", body=body), status=404)
        rows = {
            "Status": STATUSES[store.status[slot]],
            "Priority": store.priority(slot) or "none",
            "Requester": people.name(rendering.requester_id(store, slot)) or "",
            "Tags": " ".join(store.tags(slot)) or "none",
            "Created": iso(store.created(slot)),
            "Updated": iso(store.updated(slot)),
        }
        subject = store.subject(slot)
    parts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    body = f"<p>Ticket #{ticket_id}</p><h1>{escape(subject)}</h1><dl>{parts}</dl>"
    return html_reply(_PAGE.format(title=f"#{ticket_id}", body=body))
