"""`manage.py zendesk_check`: check the connection, the user, and their limitations."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from jobs.cli.commands import JobCommand, add_output_option
from tagmanager.cli.account import as_command_errors, connected
from zendesk import Connection, check


class Command(JobCommand):
    help = "Checks the connection to Zendesk: the user, permissions, rate limit, and when credentials expire."

    def add_arguments(self, parser: CommandParser) -> None:
        add_output_option(parser)

    def handle(self, *, output: str, **_: Any) -> None:
        with connected() as zendesk, as_command_errors():
            connection = check(zendesk)
            address = zendesk.base_url
        if output == "json":
            self.stdout.write(json.dumps(_as_json(address, connection)))
            return
        user, end = connection.user, connection.credentials_end
        notes = connection.warnings or ("Nothing is known that would keep this user from changing tags.",)
        self.tell(
            f"The connection works: {address}", f"  Signed in as {user.name} ({user.email}), {user.role}."
        )
        self.tell(*(f"  {note}" for note in notes))
        self.tell(f"  {_closed(connection)}", f"  {_pace(connection)}", f"  {_bulk_jobs()}")
        self.tell(f"  Credential: {end.text}")


def _closed(connection: Connection) -> str:
    if connection.may_change_closed:
        return (
            "Closed tickets: this user may change them where the account allows it, which only trying tells."
        )
    return "Closed tickets: only admins may change them, whatever the account allows."


def _pace(connection: Connection) -> str:
    if connection.calls_per_minute is None:
        return "Zendesk did not tell how many calls a minute the account may make."
    ours = round(connection.calls_per_minute * settings.ZENDESK_RATE_SHARE)
    return (
        f"Calls per minute: {connection.calls_per_minute:,} for the whole account; {ours:,} of them are used "
        "here at most (ZENDESK_RATE_SHARE)."
    )


def _bulk_jobs() -> str:
    return (
        f"Bulk jobs: up to {settings.ZENDESK_MAX_JOBS} at a time (ZENDESK_MAX_JOBS), as far as the account "
        "has places free. Some always stay free for others."
    )


def _as_json(address: str, connection: Connection) -> dict[str, Any]:
    end = connection.credentials_end
    return {
        "address": address,
        "user": connection.user.name,
        "email": connection.user.email,
        "role": connection.role,
        "may_change_closed": connection.may_change_closed,
        "warnings": list(connection.warnings),
        "calls_per_minute": connection.calls_per_minute,
        "credential_ends": end.on.isoformat() if end.on else None,
        "credential": end.text,
    }
