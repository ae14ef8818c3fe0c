"""Apply a macro of Zendesk's to any number of tickets, as far as that can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.numerals import MOST
from tagmanager import choices, connections, macros
from tagmanager.macros import Translation
from tagmanager.tickets import FieldValue, Seen, TicketChange, too_long
from tagmanager.tools.base import Answer, LeftOut, NothingToDo, ToolForm
from zendesk import Macro, NotFound, ZendeskError

#: A form does not wait longer for Zendesk than this, seconds.
PATIENCE = 3.0


class ApplyMacroForm(ToolForm):
    macro = forms.IntegerField(
        label="Macro",
        min_value=1,
        max_value=MOST,
        help_text="It is read once, now: a macro that is edited later changes nothing about the job.",
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            "The number of a macro is a whole number, such as 360001.",
        )
        | {"required": "Say which macro."},
    )
    without = forms.BooleanField(
        label="Leave out what cannot be done from here",
        required=False,
        help_text="Comments, e-mails, attachments and the like are not sent. Without this tick a macro with "
        "such parts is refused, and they are named.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._found: Macro | None = None
        self._translation = Translation()
        offered = choices.macros()
        if offered.choices:
            self._offer(offered.choices)

    def _offer(self, macros: list[tuple[int, str]]) -> None:
        field = self.fields["macro"]
        options: list[tuple[Any, str]] = [("", "Choose a macro…"), *macros]
        typed = str(self.data.get(self.add_prefix("macro")) or self.initial.get("macro") or "")
        if typed and typed not in {str(number) for number, _ in options}:
            options.append((typed, f"Macro {typed}"))
        field.widget = forms.Select(choices=options)

    def clean_macro(self) -> int:
        number: int = self.cleaned_data["macro"]
        try:
            with connections.connect(patience=PATIENCE) as zendesk:
                self._found = zendesk.macro(number)
                known = zendesk.ticket_fields() if macros.names_fields(self._found) else ()
                self._translation = macros.translated(self._found, known)
        except NotFound as exc:
            raise ValidationError(
                f"There is no macro {number} in Zendesk, or the connected user may not see it.", "no_macro"
            ) from exc
        except (connections.NotConnected, ZendeskError) as exc:
            raise ValidationError(str(exc), "zendesk") from exc
        if not self._found.active:
            raise ValidationError(
                f"The macro “{self._found.title}” is not active. Activate it in Zendesk, or choose another.",
                "inactive",
            )
        return number

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors or self._found is None:
            return cleaned
        missing = "; ".join(self._translation.left_out)
        if not self._translation.does_something:
            raise ValidationError(
                f"Nothing of the macro “{self._found.title}” can be applied from here. It would lack: "
                f"{missing or 'it has no actions'}.",
                "nothing",
            )
        if missing and not cleaned["without"]:
            raise ValidationError(
                f"Not all of the macro “{self._found.title}” can be applied from here. It would lack: "
                f"{missing}. Say that this is to be left out, or choose another macro.",
                "left_out",
            )
        return cleaned

    @property
    def notes(self) -> list[str]:
        missing = "; ".join(self._translation.left_out)
        return [f"Of the macro this is left out: {missing}."] if missing else []

    def params(self) -> dict[str, Any]:
        assert self._found is not None  # it is valid
        found = self._translation
        return {
            "macro": self._found.id,
            "macro_title": self._found.title,
            "add": [] if found.exact else sorted(found.add),
            "remove": sorted(found.remove),
            "set": sorted(found.add) if found.exact else [],
            "fields": found.fields,
            "left_out": found.left_out,
        } | ({"clear_tags": True} if found.exact and not found.add else {})

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        return {"macro": params["macro"], "without": bool(params["left_out"])}


class ApplyMacro:
    """Sets the fields and tags that a macro sets, on tickets where they are not so already."""

    slug = "apply-macro"
    name = "Apply a macro"
    summary = "Set the tags and fields that a macro sets. What it would send or write is not done."
    form_class = ApplyMacroForm

    def title(self, params: dict[str, Any], tickets: str) -> str:
        part = ", in part," if params["left_out"] else ""
        return f"Apply the macro “{params['macro_title']}”{part} to {tickets}"

    def fields_of(self, params: dict[str, Any]) -> Sequence[str]:
        return list(params["fields"])

    def change_for(self, ticket: Seen, params: dict[str, Any]) -> Answer:
        wanted: dict[str, FieldValue] = params["fields"]
        differing = {name: value for name, value in wanted.items() if ticket.fields.get(name) != value}
        exact = bool(params["set"] or params.get("clear_tags"))
        if exact:
            tags = frozenset(params["set"])
        else:
            tags = ticket.tags - frozenset(params["remove"]) | frozenset(params["add"])
        added, removed = tags - ticket.tags, ticket.tags - tags
        change = TicketChange(added, removed, exact=exact and bool(added or removed), fields=differing)
        if not change:
            return NothingToDo()
        if problem := too_long(change.applied_to(ticket.tags)):
            return LeftOut("too_many_tags", problem)
        return change
