"""The old place of `tagmanager.job_labels`, which settings of an earlier release name in `JOBS_WORDS`."""

from tagmanager.job_labels import (
    advice_on,
    asked,
    field,
    filter_words,
    item_address,
    source_words,
    tool_name,
    undo_limits,
    warning_on,
    what_stays,
)

__all__ = [
    "advice_on",
    "asked",
    "field",
    "filter_words",
    "item_address",
    "source_words",
    "tool_name",
    "undo_limits",
    "warning_on",
    "what_stays",
]
