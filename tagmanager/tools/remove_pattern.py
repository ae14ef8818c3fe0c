"""Remove tags by pattern: the matching tags are shown, and the ticked ones are removed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.work import Unchanged
from tagmanager.intake import sources
from tagmanager.intake.sources import Source
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools import tag_patterns
from tagmanager.tools.base import Answer, ToolForm, join
from tagmanager.tools.tag_patterns import MatchedTags


class TicksField(forms.MultipleChoiceField):
    """Ticked tags. The choices depend on the patterns, so the form checks them."""

    def to_python(self, value: Any) -> list[str]:
        return super().to_python(value.split() if isinstance(value, str) else value)

    def valid_value(self, value: str) -> bool:  # noqa: ARG002
        return True


class RemovePatternForm(ToolForm):
    prefix: str | None = None
    part = "tools/remove_pattern.html"

    patterns = forms.CharField(
        label="Patterns",
        max_length=2_000,
        help_text="* stands for any characters, ? for one. Several are separated by blanks.",
        widget=forms.TextInput(
            attrs={"placeholder": "temp_*", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "required": "Give at least one pattern, such as temp_*.",
            "max_length": "The patterns are too long: they may have 2,000 characters together.",
            "null_characters_not_allowed": "The text holds a character that is not text. Type it anew.",
        },
    )
    #: The patterns whose matches were shown, ticked or not.
    seen = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)
    tags = TicksField(
        label="Tags", required=False, error_messages={"invalid_list": "Tick the tags that are to go."}
    )

    def clean_patterns(self) -> list[str]:
        return tag_patterns.read(self.cleaned_data["patterns"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if cleaned["seen"].split() != cleaned["patterns"]:
            raise ValidationError(self.meant.problem or self._check_first(), "look")
        ticked = [
            tag
            for tag in dict.fromkeys(cleaned["tags"])
            if tag_patterns.matches_any(tag, cleaned["patterns"])
        ]
        if not ticked:
            raise ValidationError("Tick at least one of the tags.", "nothing")
        if len(ticked) > tag_patterns.MOST_TAGS:
            raise ValidationError(
                f"One job takes {tag_patterns.MOST_TAGS:,} tags. Give narrower patterns.", "many"
            )
        cleaned["tags"] = ticked
        return cleaned

    def _check_first(self) -> str:
        number = len(self.meant.tags)
        if not number:
            return "No tag that is known fits. Look at the patterns."
        these = "This is the one tag that fits" if number == 1 else f"These are the {number:,} tags that fit"
        return f"{these}. Take the tick off what is to stay, and send the form again."

    @cached_property
    def meant(self) -> MatchedTags:
        """The tags that match the patterns filled in; asks Zendesk."""
        try:
            wanted = tag_patterns.read(str(self["patterns"].value() or ""))
        except ValidationError:  # the field reports it
            return MatchedTags()
        seen, ticked = str(self["seen"].value() or ""), self["tags"].value() or ()
        return tag_patterns.find_matches(wanted, seen=seen.split(), ticked=ticked)

    def params(self) -> dict[str, Any]:
        return {"patterns": self.cleaned_data["patterns"], "remove": sorted(self.cleaned_data["tags"])}

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        written = " ".join(params["patterns"])
        return {"patterns": written, "seen": written, "tags": params["remove"]}


class RemovePattern:
    """Removes tags from tickets; a job stores the tags themselves, not only the patterns."""

    slug = "remove-pattern"
    name = "Remove tags by pattern"
    icon = "pattern"
    summary = "Find tags such as temp_*, tick which are to go, and take them off all tickets."
    form_class = RemovePatternForm
    own_tickets = "All tickets with one of the ticked tags"

    def title(self, params: dict[str, Any], tickets: str) -> str:
        tags: Sequence[str] = params["remove"]
        if len(tags) <= sources.MOST_NAMED:
            return f"Remove {join(list(tags))} from {tickets}"
        return f"Remove {len(tags):,} tags that fit {join(params['patterns'])} from {tickets}"

    def source_for(self, params: dict[str, Any]) -> Source:
        """Every ticket that carries one of the tags."""
        return sources.any_of(params["remove"])

    def pairs_of(self, params: dict[str, Any]) -> dict[str, str]:
        return dict.fromkeys(params["remove"], "")

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:
        return TicketChange(remove=frozenset(params["remove"]))

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        return TicketChange(remove=ticket.tags.intersection(params["remove"])) or Unchanged()
