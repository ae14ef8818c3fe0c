"""Several calls to Zendesk at the same time, for one question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from zendesk import Zendesk, ZendeskError

K = TypeVar("K")

#: Calls at the same time: enough for a dozen short lists to take as long as two.
AT_ONCE = 6


@dataclass(slots=True)
class Answers:
    """What was read, and why the rest was not, each by its key."""

    read: dict[Any, Any] = field(default_factory=dict)
    failed: dict[Any, ZendeskError] = field(default_factory=dict)


def ask_all(zendesk: Zendesk, questions: Mapping[K, Callable[[Zendesk], object]]) -> Answers:
    """Ask all of them; one that fails takes no other away.

    If none is answered, raises the `ZendeskError` of the first: Zendesk is away, or refuses everything.
    """
    answers = Answers()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="zendesk-questions") as threads:
        asked = {key: threads.submit(question, zendesk) for key, question in questions.items()}
        for key, answer in asked.items():
            try:
                answers.read[key] = answer.result()
            except ZendeskError as problem:
                answers.failed[key] = problem
    if answers.failed and not answers.read:
        raise next(iter(answers.failed.values()))
    return answers
