"""The forms of a tool's page as one: what to do, on which tickets, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2s
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.forms import BaseForm, MultipleChoiceField
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from jobs.actions import Submission
from jobs.actors import Actor
from jobs.work import Verify
from tagmanager.changes import guard_tag
from tagmanager.forms.job_form import OptionsForm, SourceForm
from tagmanager.forms.prefill import Filling
from tagmanager.forms.submit import submit
from tagmanager.intake import kept_files, source_size
from tagmanager.intake.sources import Source
from tagmanager.intake.tables.given import KEPT, printable_name
from tagmanager.intake.text_file import TableField
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools.base import ChoosesTickets, Tool, ToolForm
from tagmanager.tools.demands import why_not_made, why_not_read

MAIL_PREVIEW_FIRST = (
    "This replies publicly, which e-mails a customer for each ticket, so a preview comes first. Press "
    "Preview: it counts them, shows what some of them would read, writes nothing, and starts the job from "
    "there."
)
#: The field in which a person confirms what was understood of a table.
UNDERSTOOD = "understood"


@dataclass(frozen=True, slots=True)
class PageForms:
    """What one page of a tool asks. Only a valid one answers questions about what was chosen."""

    tool: Tool
    tool_form: ToolForm
    source_form: SourceForm | None  # None: the tool's own form lists the tickets
    options_form: OptionsForm

    @classmethod
    def sent(cls, tool: Tool, data: QueryDict, files: MultiValueDict[str, UploadedFile[Any]]) -> PageForms:
        """The forms that a browser sent."""
        source_form = _source_form(tool, data, files)
        return cls(tool, tool.form_class(data, files), source_form, OptionsForm(data))

    @classmethod
    def draft(cls, tool: Tool, data: QueryDict) -> PageForms:
        """The forms while a person still fills them in: files are not sent, and no source is looked up."""
        none: MultiValueDict[str, UploadedFile[Any]] = MultiValueDict()
        source_form = _source_form(tool, data, none, is_draft=True)
        return cls(tool, tool.form_class(data, none), source_form, OptionsForm(data))

    @classmethod
    def empty(cls, tool: Tool, filling: Filling) -> PageForms:
        """Forms to be filled in, beginning with the filling."""
        return cls(
            tool,
            tool.form_class(initial=filling.tool),
            _source_form(tool, initial=filling.source),
            OptionsForm(initial=filling.options),
        )

    @classmethod
    def restored(cls, tool: Tool, typed: QueryDict) -> PageForms:
        """Forms with everything that was typed before, unchecked until they are sent."""
        forms = cls.empty(tool, Filling(source=typed.dict()))
        for form in forms:
            for name, field in form.fields.items():
                sent = form.add_prefix(name)
                if sent in typed:
                    is_multiple = isinstance(field, MultipleChoiceField)
                    form.initial[name] = typed.getlist(sent) if is_multiple else typed[sent]
        return forms

    def __iter__(self) -> Iterator[BaseForm]:
        """Each form, and those that stand in others."""
        for form in self._outer:
            yield form
            yield from getattr(form, "parts", ())

    @property
    def _outer(self) -> list[BaseForm]:
        return [form for form in (self.tool_form, self.source_form, self.options_form) if form is not None]

    def is_valid(self) -> bool:
        """Whether all forms are; each is checked, so that a person sees every error at once."""
        valid = [form.is_valid() for form in self._outer]
        return all(valid)

    @property
    def has_errors(self) -> bool:
        return any(form.errors for form in self._outer)

    def add_error(self, sentence: str) -> None:
        """Show a sentence over the form that says which tickets."""
        (self.source_form or self.tool_form).add_error(None, sentence)

    @property
    def panel(self) -> str:
        """The way to say which tickets that the page shows first; "" for its own choice."""
        return (self.source_form["kind"].value() if self.source_form else "") or ""

    @property
    def source(self) -> Source:
        """The tickets."""
        if self.source_form is None:
            return self.tool_form.listed
        tool = self.tool
        own = tool.source_for(self.tool_form.params()) if isinstance(tool, ChoosesTickets) else None
        return self.source_form.chosen(own, self.options_form.cleaned_data["order"])

    @property
    def only(self) -> TicketFilter:
        """Which of the tickets."""
        only = self.source_form.only if self.source_form else TicketFilter()
        return replace(only, no_ai_agent=self.options_form.cleaned_data["no_ai_agent"])

    @property
    def notes(self) -> list[str]:
        """What a person reads once the job is made, a sentence each."""
        return [*self.tool_form.notes, *(self.source_form.notes if self.source_form else ())]

    @property
    def is_dry_run(self) -> bool:
        return bool(self.options_form.cleaned_data["dry_run"])

    @property
    def is_careful(self) -> bool:
        """Whether something given was interpreted or left out, which people read before a real run."""
        return self.tool_form.is_careful or (self.source_form is not None and self.source_form.is_careful)

    @property
    def understood(self) -> str:
        """The same as long as the notes are: a person who sends it back has read them."""
        return blake2s("\n".join(self.notes).encode(), digest_size=16).hexdigest()

    @property
    def is_understood(self) -> bool:
        """Whether a real run may begin: nothing was interpreted or left out, or a person has read what."""
        return not self.is_careful or self.options_form.data.get(UNDERSTOOD) == self.understood

    def keep_files(self) -> bool:
        """Keep the tables that were sent, so that nobody chooses them again; False if a file is lost."""
        sent = 0
        for form in self:
            kept = form.kept_files = {}  # type: ignore[attr-defined]
            for name, field in form.fields.items():
                upload = form.files.get(form.add_prefix(name))
                sent += upload is not None
                if not isinstance(field, TableField):
                    continue
                if upload and 0 < (upload.size or 0) <= settings.UPLOAD_LIMIT:
                    kept[name] = kept_files.keep(upload), printable_name(upload.name or "")
                    sent -= 1
        return not sent

    def drop_files(self) -> None:
        """Remove the files that were kept for this form, which has become a job."""
        for form in self:
            for name, field in form.fields.items():
                if isinstance(field, TableField):
                    kept_files.drop(str(form.data.get(form.add_prefix(name) + KEPT) or ""))

    def is_possible(self) -> bool:
        """Whether the job can be carried out as it is; the reason against it is added as an error."""
        params = self.tool_form.params()
        if why := why_not_made(self.tool, params) or why_not_read(self.tool, params):
            self.tool_form.add_error(None, why)
            return False
        source, options = self.source, self.options_form.cleaned_data
        if why := self._why_not_guarded():
            self.options_form.add_error("guard", why)
            return False
        if why := source_size.why_not_tried(source, self.only, options["limit"], options["canary"]):
            self.options_form.add_error("canary", why)
            return False
        if not options["dry_run"] and (why := self._why_preview_first(source)):
            self.add_error(why)
            return False
        return True

    def _why_not_guarded(self) -> str:
        guard = self.options_form.cleaned_data["guard"]
        if not guard:
            return ""
        given = self.tool_form.listed.given if self.source_form is None else None
        return guard_tag.why_not_guarded(guard, self.tool_form.params(), given)

    def _why_preview_first(self, source: Source) -> str:
        if self.tool_form.writes_to_customers:
            return MAIL_PREVIEW_FIRST
        return source_size.why_preview_first(source, self.only, self.options_form.cleaned_data["limit"])

    def submit(self, *, by: Actor, nonce: str, here: bool) -> Submission:
        """Make the job, with `here` to be run in this process; raises `NotPossible`."""
        options: Mapping[str, Any] = self.options_form.cleaned_data
        return submit(
            self.tool,
            self.tool_form,
            self.source,
            by=by,
            only=self.only,
            limit=options["limit"],
            canary=options["canary"],
            dry_run=options["dry_run"],
            include_closed=options["include_closed"],
            guard=options["guard"],
            guard_stays=options["guard_stays"],
            verify=Verify.ALL if options["verify"] else None,
            here=here,
            nonce=nonce,
        )


def _source_form(tool: Tool, *sent: Any, **how: Any) -> SourceForm | None:
    if tool.form_class.lists_tickets:
        return None
    own = tool.own_tickets if isinstance(tool, ChoosesTickets) else ""
    return SourceForm(*sent, own_tickets=own, **how)
