"""An earlier job as the filling of its tool's form, to be run again or changed a little."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from django.forms import BooleanField, Field, FileField, MultipleChoiceField
from django.http import QueryDict

from jobs.models import Job
from jobs.source_spec import LISTED, SourceSpec, Stored
from jobs.states import FollowUp, Guarded
from jobs.work import Verify
from tagmanager.changes.job_options import JobOptions
from tagmanager.forms.job_form import OWN, OptionsForm, TicketFilterForm
from tagmanager.intake.source_kinds.base import AND, NOT
from tagmanager.intake.source_kinds.earlier_job import tickets_of
from tagmanager.intake.source_kinds.numbers import MOST_TYPED
from tagmanager.intake.source_kinds.registry import kind_of, kinds, of_kind
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools import tool
from tagmanager.tools.base import ChoosesTickets, ToolForm


@dataclass(frozen=True, slots=True)
class Filling:
    """The initial values of each form."""

    tool: dict[str, Any] = dataclass_field(default_factory=dict)
    source: dict[str, Any] = dataclass_field(default_factory=dict)
    options: dict[str, Any] = dataclass_field(default_factory=dict)


def sources_in(address: QueryDict) -> dict[str, Any]:
    """The tickets that an address names by the fields of the form; files cannot stand in one."""
    filled: dict[str, Any] = {}
    for kind in kinds():
        for prefix in ("", AND, NOT):
            for name, field in kind.fields(extra=bool(prefix)).items():
                sent = f"{prefix}-{name}" if prefix else name
                if sent in address and not isinstance(field, FileField):
                    filled[sent] = _value(address, sent, field)
        if kind.panel and any(filled.get(way.name) for way in kind.ways):
            filled.setdefault("kind", kind.panel)
    fields = TicketFilterForm.base_fields.items()
    filled |= {name: _value(address, name, field) for name, field in fields if name in address}
    if "kind" in address:
        filled["kind"] = address["kind"]
    return filled


def options_in(address: QueryDict) -> dict[str, Any]:
    """How an address wants the job run. It never holds what makes one form a single job."""
    fields = OptionsForm.base_fields.items()
    return {
        name: _value(address, name, field)
        for name, field in fields
        if name in address and name not in ("nonce", "dry_run")
    }


def _value(address: QueryDict, name: str, field: Field) -> Any:
    if isinstance(field, MultipleChoiceField):
        return address.getlist(name)
    return bool(address[name]) if isinstance(field, BooleanField) else address[name]


def filling_of(job: Job) -> Filling:
    """The request for the job, as people would type it; for the real run of a preview that of the preview."""
    if job.follow_up == FollowUp.RUN and job.parent is not None:
        job = job.parent
    params, asked = job.tool_params, JobOptions.of(job)
    options = {
        "include_closed": asked.include_closed,
        "no_ai_agent": asked.only.no_ai_agent,
        "verify": asked.verify == Verify.ALL.value,
        "guard": asked.guard,
        "guard_stays": job.guarded == Guarded.STAYS,
        "limit": job.limit,
        "canary": job.canary,
    }
    chosen = tool(job.tool)
    if chosen.form_class.lists_tickets:
        return Filling(_rows(job, chosen.form_class), {}, options)
    spec = SourceSpec.read(job.source)
    says_which = isinstance(chosen, ChoosesTickets) and chosen.source_for(params).stored == spec.of[0]
    source = _sources(job, spec, is_own=says_which) | _only(asked.only)
    options["order"] = str(spec.order)
    return Filling(chosen.form_class.filling(params), source, options)


def _rows(job: Job, form: type[ToolForm]) -> dict[str, Any]:
    """The rows as they were given; {} for too many, whose file has to be chosen again."""
    if job.source.get("kind") != LISTED or (job.source.get("number") or 0) > MOST_TYPED:
        return {}
    rows = job.listed.order_by("number")
    return form.refilled([(ref, given) for row in rows for ref, given in row.pairs if given is not None])


def _only(only: TicketFilter) -> dict[str, Any]:
    filled = {"having": " ".join(sorted(only.having)), "lacking": " ".join(sorted(only.lacking))}
    return filled | {"status": sorted(only.statuses)}


def _sources(job: Job, spec: SourceSpec, *, is_own: bool) -> dict[str, Any]:
    """All parts of the source, each in its field; the job's own tickets where the page has no such field."""
    first = spec.of[0]
    filled: dict[str, Any] = {"kind": OWN} if is_own else _fields(job, first, 0, extra=False)
    if spec.is_plain:
        return filled
    if not (is_own or _names(first, filled)):
        return tickets_of(job)
    for number, part in list(enumerate(spec.parts))[1:]:
        prefix = AND if number < len(spec.of) else NOT
        fields = _fields(job, part, number, extra=True)
        named = {f"{prefix}-{name}": value for name, value in fields.items() if name != "kind"}
        if not _names(part, fields, prefix) or named.keys() & filled.keys():
            return tickets_of(job)
        filled |= named
    return filled


def _fields(job: Job, source: Stored, part: int, *, extra: bool) -> dict[str, Any]:
    return of_kind(source, lambda kind: kind.filling(source, job=job, part=part, extra=extra), {})


def _names(source: Stored, fields: dict[str, Any], prefix: str = "") -> bool:
    """Whether these fields name the source itself, and stand in the form with this prefix."""
    kind = kind_of(source)
    if kind is None or fields.get("kind") != kind.panel:
        return False
    return not prefix or any(way.name in fields and prefix in way.labels for way in kind.ways)
