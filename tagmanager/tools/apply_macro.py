"""Apply a Zendesk macro to any number of tickets, as far as that can be undone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.work import Skipped, Unchanged
from tagmanager.account import asking, choices, connection
from tagmanager.macros import field_names, translation
from tagmanager.macros.application import AppliedMacro, digest_of
from tagmanager.macros.comments import Comment
from tagmanager.macros.field_names import FieldNames
from tagmanager.macros.translation import Translation
from tagmanager.ticket_change import (
    FieldValue,
    MacroPreview,
    TicketChange,
    TicketSnapshot,
    same_choice,
    same_value,
    too_long,
)
from tagmanager.tools.base import Answer, ToolForm
from tagmanager.tools.fields import WholeNumberField
from zendesk import Macro, NotFound, ZendeskError

#: The parameter that holds the text of a comment, by whether customers see it.
COMMENT_PARAMS = {True: "public_reply", False: "internal_note"}
#: The placeholder for the person who applies the macro.
CURRENT_USER = "current_user"
#: The most calls to understand a macro: a token, itself, and pages of fields, statuses and groups.
MOST_CALLS = 15
#: How much of a macro is applied.
ALL, POSSIBLE, FIELDS = "all", "possible", "fields"


class ApplyMacroForm(ToolForm):
    asks_zendesk = True
    prefix: str | None = None

    macro = WholeNumberField(
        label="Macro",
        wrong="The number of a macro is a whole number, such as 360001.",
        help_text="It is read once, now: edited later, it changes nothing about the job. One with "
        "placeholders is filled in by Zendesk for each ticket, and stops the job when it is edited.",
        error_messages={"required": "Say which macro."},
    )
    extent = forms.ChoiceField(
        label="How much of it",
        required=False,
        choices=[
            (ALL, "All of it, or nothing"),
            (POSSIBLE, "What can be done from here"),
            (FIELDS, "Only its tags and fields"),
        ],
        help_text="The first posts its comment, and refuses a macro with parts that cannot be done from "
        "here, with their names. The last posts and mails nothing.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._macro: Macro | None = None
        self._translation = Translation()
        self._names = FieldNames()
        self._mark = secrets.token_hex(12)
        self.offered = choices.macros()
        if self.offered.choices:
            self._offer(self.offered.choices)
        else:
            self.fields["macro"].widget.attrs["list"] = self.offered.list_id

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
            with asking.asking(MOST_CALLS) as zendesk:
                self._macro = zendesk.macro(number)
                known = zendesk.ticket_fields() if translation.names_fields(self._macro) else ()
                named = {action.field for action in self._macro.actions}
                statuses = field_names.custom_statuses(zendesk, named)
                self._translation = translation.translate(self._macro, known, statuses)
                self._names = field_names.read(zendesk, self._named, statuses)
        except NotFound as exc:
            raise ValidationError(
                f"There is no macro {number} in Zendesk, or the connected user may not see it.", "no_macro"
            ) from exc
        except (connection.NotConnected, ZendeskError) as exc:
            raise ValidationError(str(exc), "zendesk") from exc
        if not self._macro.active:
            raise ValidationError(
                f"The macro “{self._macro.title}” is not active. Activate it in Zendesk, or choose another.",
                "inactive",
            )
        return number

    @property
    def _named(self) -> list[str]:
        """The fields that the macro sets, by the names of its actions."""
        checkboxes = (f"{translation.CUSTOM_FIELD}{number}" for number in self._translation.custom)
        return [*self._translation.fields, *checkboxes]

    def clean_extent(self) -> str:
        return self.cleaned_data["extent"] or ALL

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors or self._macro is None:
            return cleaned
        if cleaned["extent"] == FIELDS:
            self._translation.leave_comment_out()
        missing = "; ".join(self._translation.left_out)
        if not self._translation.does_something:
            raise ValidationError(
                f"Nothing of the macro “{self._macro.title}” can be applied from here. It would lack: "
                f"{missing or 'it has no actions'}.",
                "nothing",
            )
        if missing and cleaned["extent"] == ALL:
            raise ValidationError(
                f"Not all of the macro “{self._macro.title}” can be applied from here. It would lack: "
                f"{missing}. Say that this is to be left out, or choose another macro.",
                "left_out",
            )
        return cleaned

    @property
    def notes(self) -> list[str]:
        missing = "; ".join(self._translation.left_out)
        notes = [f"Of the macro this is left out: {missing}."] if missing else []
        status = self._translation.fields.get(translation.CUSTOM_STATUS)
        if status is not None and self._names.value(translation.CUSTOM_STATUS, status) == str(status):
            notes.append(
                f"Zendesk does not tell the name of the custom status {status}, so it is shown by its number."
            )
        comment = self._translation.comment
        if comment is not None and CURRENT_USER in comment.text:
            notes.append("Its comment names the person who applies it: from here that is the connected user.")
        return notes

    @property
    def writes_to_customers(self) -> bool:
        comment = self._translation.comment
        return comment is not None and comment.is_public

    @property
    def display_names(self) -> FieldNames:
        return self._names

    def params(self) -> dict[str, Any]:
        assert self._macro is not None  # it is valid
        found = self._translation
        return {
            "macro": self._macro.id,
            "macro_title": self._macro.title,
            "add": [] if found.exact else sorted(found.add),
            "remove": sorted(found.remove),
            "set": sorted(found.add) if found.exact else [],
            "fields": found.fields,
            "left_out": found.left_out,
        } | self._extra_params(found)

    def _extra_params(self, found: Translation) -> dict[str, Any]:
        assert self._macro is not None
        more: dict[str, Any] = {}
        if found.custom:
            more["custom"] = {str(number): value for number, value in found.custom.items()}
        if found.exact and not found.add:
            more["clear_tags"] = True
        if found.is_asked_for_each:
            more["as_of"] = self._macro.updated_at
            more["does"] = digest_of(self._macro)
        if found.comment is not None:
            more[COMMENT_PARAMS[found.comment.is_public]] = found.comment.text
            more["mark"] = self._mark
            if found.comment.is_html:
                more["html"] = True
        return more

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        extent = ALL
        if params["left_out"]:
            extent = POSSIBLE if comment_of(params) is not None else FIELDS
        return {"macro": params["macro"], "extent": extent}


def comment_of(params: dict[str, Any]) -> Comment | None:
    """The comment that a job with these parameters posts, before placeholders are filled in."""
    for is_public, name in COMMENT_PARAMS.items():
        if name in params:
            return Comment(params[name], is_public, params.get("html", False))
    return None


class ApplyMacro:
    """Sets the fields and tags that a macro sets, where they differ, and posts its comment on each ticket."""

    slug = "apply-macro"
    name = "Apply a macro"
    icon = "macro"
    summary = "Set the tags and fields that a macro sets, and post its comment, on any number of tickets."
    form_class = ApplyMacroForm

    def title(self, params: dict[str, Any], tickets: str) -> str:
        part = ", in part," if params["left_out"] else ""
        return f"Apply the macro “{params['macro_title']}”{part} to {tickets}"

    def fields_of(self, params: dict[str, Any]) -> Sequence[str]:
        return list(params["fields"])

    def reads_of(self, params: dict[str, Any]) -> Sequence[int]:
        return [int(number) for number in params.get("custom", {})]

    def macro_of(self, params: dict[str, Any]) -> AppliedMacro:
        return AppliedMacro(
            params["macro"],
            params["macro_title"],
            params.get("as_of", ""),
            params.get("mark", ""),
            comment_of(params),
            params.get("does", ""),
        )

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:
        macro = self.macro_of(params)
        if macro.is_asked_for_each or params["set"] or params.get("clear_tags"):
            return None
        return TicketChange(
            frozenset(params["add"]),
            frozenset(params["remove"]),
            fields=params["fields"],
            comment=macro.comment.kind if macro.comment else "",
            custom={int(number): value for number, value in params.get("custom", {}).items()},
        )

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        macro = self.macro_of(params)
        if not macro.is_asked_for_each:
            change = _same_for_all(ticket, params, macro)
        elif ticket.macro_preview is not None and ticket.macro_preview.problem:
            problem = ticket.macro_preview.problem
            return Skipped(
                "not_foreseen", f"Zendesk could not preview the macro on this ticket, twice: {problem}"
            )
        elif ticket.macro_preview is not None:
            change = _as_previewed(ticket, ticket.macro_preview, params)
        else:
            return Skipped("not_foreseen", "Zendesk does not say what the macro would make of this ticket.")
        if not change:
            return Unchanged()
        if problem := too_long(change.applied_to(ticket.tags)):
            return Skipped("too_many_tags", problem)
        return change


def _same_for_all(ticket: TicketSnapshot, params: dict[str, Any], macro: AppliedMacro) -> TicketChange:
    exact = bool(
        params["set"] or params.get("clear_tags")
    )  # jobs of an earlier release, before such macros were previewed
    if exact:
        tags = frozenset(params["set"])
    else:
        tags = ticket.tags - frozenset(params["remove"]) | frozenset(params["add"])
    comment = macro.comment.kind if macro.comment else ""
    change = _difference(ticket, tags, params["fields"], comment, params)
    return replace(change, exact=exact and bool(change.add or change.remove))


def _as_previewed(ticket: TicketSnapshot, preview: MacroPreview, params: dict[str, Any]) -> TicketChange:
    # A preview shows the new value of a dropdown or checkbox, but not always the tag that comes with it.
    tags = preview.tags - frozenset(params["remove"]) | frozenset(params["set"] or params["add"])
    fields = dict(preview.fields)
    if translation.CUSTOM_STATUS in params["fields"]:  # a preview shows it perhaps as text, or as it was
        fields[translation.CUSTOM_STATUS] = params["fields"][translation.CUSTOM_STATUS]
    return replace(_difference(ticket, tags, fields, preview.comment, params), stamped=True)


def _difference(
    ticket: TicketSnapshot,
    tags: frozenset[str],
    fields: Mapping[str, FieldValue],
    comment: str,
    params: dict[str, Any],
) -> TicketChange:
    differing = {name: value for name, value in fields.items() if not same_value(ticket.value(name), value)}
    checkboxes = {int(number): value for number, value in params.get("custom", {}).items()}
    custom = {
        number: value
        for number, value in checkboxes.items()
        if not same_choice(ticket.custom.get(number), value)
    }
    return TicketChange(
        tags - ticket.tags, ticket.tags - tags, fields=differing, comment=comment, custom=custom
    )
