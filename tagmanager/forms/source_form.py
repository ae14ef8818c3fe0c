"""The forms that name tickets: the same fields for those to take and for those to leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField

from tagmanager.account import connection
from tagmanager.account.choices import Choices
from tagmanager.intake.source_kinds.base import SourceKind, Way
from tagmanager.intake.source_kinds.registry import kinds
from tagmanager.intake.source_kinds.source import Source
from zendesk import Zendesk, ZendeskError


class SourceKindsForm(forms.Form):
    """A field for each way to name tickets; after `is_valid()`, `named` has a `Source` for each way used."""

    #: Whether it names further tickets, for which less is asked.
    is_extra = False

    def __init__(
        self,
        *args: Any,
        choices: Mapping[str, Choices | None] | None = None,
        zendesk: Zendesk | None = None,
        is_draft: bool = False,
        **kwargs: Any,
    ) -> None:
        """Offer `choices` by kind of source.

        With a connection that one is used, and what fails on it is raised instead of shown at a field. A
        draft asks nobody whether its sources exist.
        """
        super().__init__(*args, **kwargs)
        self.is_draft = is_draft
        self.offered = choices or {}
        self.zendesk = zendesk
        self.named: list[Source] = []
        self.ways: dict[str, SourceKind] = {}
        self.names: dict[SourceKind, list[str]] = {}  # of all fields of a kind
        for kind in kinds():
            if ways := [way for way in kind.ways if self._has(way)]:
                self._add(kind, ways, (choices or {}).get(kind.kind))

    def _has(self, way: Way) -> bool:
        return self.prefix is None or self.prefix in way.labels

    def _add(self, kind: SourceKind, ways: Iterable[Way], choices: Choices | None) -> None:
        fields = kind.fields(extra=self.is_extra)
        self.fields |= fields
        self.names[kind] = list(fields)
        for way in ways:
            self.ways[way.name] = kind
            if label := way.labels.get(self.prefix or ""):
                self.fields[way.name].label = label
        if choices:
            kind.offer(self, choices)

    @property
    def notes(self) -> list[str]:
        """What a person reads about the tickets once the job is made, a sentence each."""
        return [note for source in self.named for note in source.notes]

    @property
    def is_careful(self) -> bool:
        """Whether something given was interpreted or left out, which people read before a real run."""
        return any(source.is_careful for source in self.named)

    @property
    def is_used(self) -> bool:
        """Whether anything is filled in, or wrong: then it is shown unfolded."""
        return bool(self.errors) or any(self[way].value() for way in self.ways)

    @property
    def shown_fields(self) -> list[BoundField]:
        """All fields but those that there is no reason to show."""
        return [field for kind in self.names for field in self.fields_of(kind)]

    def fields_of(self, kind: SourceKind) -> list[BoundField]:
        """The fields of one kind that the page shows."""
        hidden = kind.hidden(self)
        return [self[name] for name in self.names[kind] if name not in hidden]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        used = self.read(self.ways)
        if not self.errors:
            self.name(used)
        return cleaned

    def read(self, ways: Iterable[str]) -> list[str]:
        """Put the source of each of these fields into `cleaned_data`; returns the fields used or wrong."""
        used = []
        for way in ways:
            if way not in self.errors:
                try:
                    self.cleaned_data[way] = self.ways[way].read(way, self)
                except ValidationError as problem:
                    self.add_error(way, problem)
            if way in self.errors or self.cleaned_data[way]:
                used.append(way)
        return used

    def name(self, ways: Iterable[str]) -> None:
        """Add the source of each of these fields to `named`, or say at the field why it cannot be one."""
        for way in ways:
            if self.is_draft:
                kind = self.ways[way]
                self.named.append(kind.assumed(self.cleaned_data[way], self.offered.get(kind.kind)))
                continue
            try:
                connection.address()
                connection.credentials()
                self.named.append(self.ways[way].checked(self.cleaned_data[way], self.zendesk))
            except ValidationError as problem:
                self.add_error(way, problem)
            except connection.NotConnected as problem:
                self.add_error(way, str(problem))
            except ZendeskError as problem:
                if self.zendesk is not None:
                    raise
                self.add_error(way, str(problem))


class ExtraSourceForm(SourceKindsForm):
    """Tickets to take as well (`prefix="and"`), or to leave out (`prefix="not"`)."""

    is_extra = True
