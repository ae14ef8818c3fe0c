"""Form fields for what staff type: tags, one tag, and a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.common.input import MAX_INT64
from zendesk import TagError, parse_tags


class TagsField(forms.CharField):
    """Tags, separated by spaces or commas; cleaned to a sorted list in the form that Zendesk stores."""

    takes_tags = True  # shown with suggestions, and with what would be stored

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, str) or value is None:
            value = [value or ""]
        return self._parse(value)

    def run_validators(self, value: Any) -> None:
        """The parsing has said all there is to say."""

    def _parse(self, value: Iterable[str]) -> list[str]:
        try:
            return sorted(parse_tags(value))
        except TagError as problem:
            raise ValidationError(str(problem), code="tag") from problem


class OneTagField(TagsField):
    """Cleaned to the tag; "" where none was given."""

    def clean(self, value: Any) -> str:
        tags: list[str] = super().clean(value)
        if len(tags) > 1:
            raise ValidationError(f"Give one tag; these are {len(tags)}: {', '.join(tags)}.", code="one_tag")
        return tags[0] if tags else ""


class WholeNumberField(forms.IntegerField):
    """A whole number from 1 to `most`; `wrong` is what is said of anything else."""

    def __init__(self, *, wrong: str, most: int | None = MAX_INT64, **options: Any) -> None:
        told = dict.fromkeys(("invalid", "min_value", "max_value"), wrong) | options.pop("error_messages", {})
        super().__init__(min_value=1, max_value=most, error_messages=told, **options)
