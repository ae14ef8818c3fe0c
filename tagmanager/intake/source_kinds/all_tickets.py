"""All tickets of the account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.models import Job
from jobs.source_spec import Stored
from tagmanager.account.status import account_status
from tagmanager.intake.source_kinds.base import SourceKind, Way
from tagmanager.intake.source_kinds.source import Source
from zendesk import ADMINS_ONLY, NotAllowed, Page, Ticket, Zendesk


def all_tickets() -> Source:
    """Every ticket of the account that is not deleted, archived and closed ones too; for admins."""
    return Source({"kind": "all"})


def must_be_admin(zendesk: Zendesk) -> None:
    """Raises `NotAllowed` where the connected user may not list all tickets."""
    if (role := zendesk.me().role) != "admin":
        raise NotAllowed(f"{ADMINS_ONLY} The connected user is an {role}.")


class AllTickets(SourceKind):
    kind = "all"
    panel, tab, tab_place = "all", "All", 6
    ways = (
        Way(
            "all_tickets",
            option="all",
            help="All tickets of the account, archived ones too; for admins.",
            argument={"action": "store_const", "const": [True]},
        ),
    )
    #: The export goes by the time of each ticket's change, and takes any.
    keeps_cursor = True

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        tick = forms.BooleanField(
            label="All tickets of the account",
            required=False,
            help_text="Archived and closed ones too. Zendesk lists them for admins only, 10,000 a minute.",
        )
        return {"all_tickets": tick}

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        return all_tickets() if form.cleaned_data.get(way) else None

    def checked(self, source: Source, zendesk: Zendesk | None) -> Source:
        """A page refuses who is known to be no admin; where nobody knows, the job finds out."""
        if zendesk is not None:
            must_be_admin(zendesk)
            return source
        found = account_status()
        if found.role and found.role != "admin":
            raise ValidationError(
                f"{ADMINS_ONLY} The connected user, {found.user}, is an {found.role}.", code="no_admin"
            )
        return source

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str]:
        return "all_tickets", ""

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        return {"kind": self.panel, "all_tickets": True}

    def phrase(self, stored: Stored) -> str:
        return "all tickets"

    def words(self, stored: Stored) -> str:
        return "All tickets of the account"

    def pages(self, zendesk: Zendesk, stored: Stored, cursor: str) -> Iterator[Page[Ticket]]:
        for page in zendesk.incremental_tickets(cursor=cursor or None):
            yield replace(page, items=[ticket for ticket in page.items if ticket.status != "deleted"])

    def completeness_doubt(
        self,
        zendesk: Zendesk,
        stored: Stored,
        found: int,
        *,
        taken_out: bool,
    ) -> str:
        if taken_out:
            return ""
        return "Not in it is what was changed within the minute before: Zendesk's export leaves that out."
