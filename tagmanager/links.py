"""Addresses in Zendesk that our pages point to."""

from __future__ import annotations

from tagmanager import connections


def ticket_link(ref: int) -> str:
    """Where people see the ticket; "" while no account is set up."""
    try:
        return connections.ticket_address(ref)
    except connections.NotConnected:
        return ""
