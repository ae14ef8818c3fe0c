"""The request of a job, in words instead of stored names."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.common.formatting import some
from jobs.models import Job
from jobs.presentation.labels import labels
from jobs.reports.exports import custom_fields
from jobs.source_spec import SEVERAL, SourceSpec, Stored
from jobs.states import FollowUp, Guarded, Status

#: By stored name of a parameter; others are shown under their own name.
LABELS = {
    "add": "Tags to add",
    "remove": "Tags to remove",
    "set": "Exactly these tags",
    "pairs": "Tags to rename",
    "macro": "Macro",
    "each_its_own": "Each row with a change of its own",
    "macro_title": "Name of the macro",
    "fields": "Fields to set",
    "custom": "Checkboxes to set",
    "left_out": "Left out of the macro",
    "public_reply": "Public reply",
    "internal_note": "Internal note",
    "html": "Written in HTML",
    "as_of": "Macro as of",
    "mark": "Mark left",
}
#: Parameters that say nothing to people.
UNNAMED = frozenset({"does"})
#: By stored name of an option; others, such as the names of fields, say how the rest is to be read.
OPTION_LABELS = {
    "include_closed": "Closed tickets",
    "only": "Only tickets that",
    "guard": "Guard tag",
    "verify": "Read back",
}
#: What is read back of the changed tickets, by `jobs.work.Verify`.
READ_BACK = {
    "sample": "A sample of the changed tickets",
    "all": "Every changed ticket",
    "off": "No changed ticket",
}
#: How many entries of a long list are shown.
MOST_NAMED = 12


def _of_several(source: Stored) -> str:
    """The parts one after the other, each as it is called alone."""
    spec = SourceSpec.read(source)
    united = [source_words(part) for part in spec.of]
    words = [united[0], *(f"also: {_lower_first(each)}" for each in united[1:])]
    words += [f"but not: {_lower_first(source_words(part))}" for part in spec.without]
    return "; ".join([*words, spec.order.label] if spec.order else words)


def _lower_first(words: str) -> str:
    return words[:1].lower() + words[1:]


def request_summary(job: Job) -> list[tuple[str, str]]:
    """Name and value, in the order in which people ask: what, on which tickets, how. No query."""
    if job.follow_up == FollowUp.UNDO:  # its parameters are those of the job that it undoes
        return [
            ("What", f"Undo of job {job.parent_id}: takes back what that job did, ticket by ticket"),
            *([("What stays", stays)] if (stays := labels().what_stays(job)) else []),
            ("Tickets", source_words(job.source)),
            ("Tickets closed since", "Included" if job.chosen_options.get("include_closed") else "Left out"),
        ]
    if job.follow_up == FollowUp.UNGUARD:
        tag = _value_words(job.chosen_options.get("guard", ""))
        return [
            ("What", f"Takes the guard tag {tag} off where job {job.parent_id} put it on"),
            ("Tickets", source_words(job.source)),
        ]
    return [
        ("What", labels().tool_name(job.tool)),
        *_params(job),
        *_options(job),
        ("Tickets", source_words(job.source)),
        ("At most", some(job.limit, "ticket") if job.limit else "All tickets"),
        *_canary(job),
        *_guard(job),
        ("Mode", "Dry run: nothing is written to Zendesk" if job.dry_run else "Real run"),
    ]


def _canary(job: Job) -> Iterator[tuple[str, str]]:
    if not job.canary:
        return
    number = f"The first {job.canary:,} tickets" if job.canary > 1 else "The first ticket"
    if job.tried_at:
        then = "then it asked whether to go on"
    elif job.status in (Status.SUCCEEDED, Status.PARTIAL) and not job.dry_run:
        then = "but no more were to be sent, so it did not hold"
    else:
        then = "then it asks whether to go on"
    yield "Tried on", f"{number}, {then}"


def _guard(job: Job) -> Iterator[tuple[str, str]]:
    """The tag itself is among the options."""
    if job.guarded == Guarded.UNTIL_END:
        yield "Guard tag comes off", "By itself, when the job has ended"
    elif job.guarded == Guarded.STAYS:
        yield "Guard tag comes off", "When somebody asks for it"


def source_words(source: Stored) -> str:
    """Where the tickets come from, as people read it; of a kind or shape not known here, as it is stored."""
    if source.get("kind") == SEVERAL and "of" in source:
        return _of_several(source)
    return labels().source_words(source) or _value_words(source)


def _params(job: Job) -> Iterator[tuple[str, str]]:
    for name, value in job.tool_params.items():
        if name in UNNAMED:
            continue
        label = LABELS.get(name, name.replace("_", " ").capitalize())
        # Another tool may use the name for something else.
        if name == "fields" and isinstance(value, dict):
            yield label, _first_few([": ".join(labels().field(job, *each)) for each in value.items()])
        elif name == "custom" and isinstance(value, dict):
            fields = custom_fields(value).items()
            yield label, _first_few([": ".join(labels().field(job, *each)) for each in fields])
        elif value not in ([], {}, "", None):
            yield label, _value_words(value)


def _options(job: Job) -> Iterator[tuple[str, str]]:
    options = job.chosen_options
    for name, label in OPTION_LABELS.items():
        value = options.get(name)
        if name == "include_closed" and name in options:
            yield label, "Included" if value else "Left out"
        elif name == "only" and isinstance(value, dict) and (words := labels().filter_words(value)):
            yield label, words
        elif name == "verify" and value:
            yield label, READ_BACK.get(value, str(value))
        elif value:
            yield label, _value_words(value)


def _value_words(value: object) -> str:
    """A stored value in words; a mapping of texts is shown as "old → new"."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        texts = all(isinstance(part, str) for part in value.values())
        parts = [
            f"{name} → {part or '(nothing)'}" if texts else f"{name}: {_value_words(part)}"
            for name, part in value.items()
        ]
        return _first_few(parts)
    if isinstance(value, list):
        return _first_few([_value_words(part) for part in value])
    return str(value)


def _first_few(parts: list[str]) -> str:
    more = f" and {len(parts) - MOST_NAMED:,} more" if len(parts) > MOST_NAMED else ""
    return ", ".join(parts[:MOST_NAMED]) + more
