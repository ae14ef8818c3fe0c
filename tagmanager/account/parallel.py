"""Several questions to Zendesk at the same time, for one part of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tagmanager.account import connection
from tagmanager.account.queries import FRAGMENT_MAX_WAIT
from tagmanager.account.shared_gate import SharedGate
from zendesk import Zendesk, ZendeskError

K = TypeVar("K")

#: Calls at the same time: enough for a dozen short lists to take as long as two.
AT_ONCE = 6


@dataclass(slots=True)
class Answers:
    """What was read, and why the rest was not, each by its key."""

    read: dict[Any, Any] = field(default_factory=dict)
    failed: dict[Any, ZendeskError] = field(default_factory=dict)


def ask_all(questions: Mapping[K, Callable[[Zendesk], object]]) -> Answers:
    """Ask all of them; one that fails takes no other away. Raises `NotConnected`.

    If none is answered, raises the `ZendeskError` of the first: Zendesk is away, or refuses everything.
    """
    gate = _ThreadGate()
    answers = Answers()
    with (
        connection.connect(max_wait=FRAGMENT_MAX_WAIT, gate=gate) as zendesk,
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="zendesk-questions") as threads,
    ):
        asked = {key: threads.submit(question, zendesk) for key, question in questions.items()}
        for key, answer in asked.items():
            try:
                answers.read[key] = answer.result()
            except ZendeskError as problem:
                answers.failed[key] = problem
    gate.write_back()
    if answers.failed and not answers.read:
        raise next(iter(answers.failed.values()))
    return answers


class _ThreadGate:
    """The shared gate as it stands now, for threads: they have no connection to the database."""

    def __init__(self) -> None:
        self._until = SharedGate().not_before()
        self._holds: list[tuple[float, str]] = []

    def not_before(self) -> float:
        return self._until

    def hold(self, until: float, why: str) -> None:
        self._until = max(self._until, until)
        self._holds.append((until, why))

    def write_back(self) -> None:
        """Store the longest hold for all processes; in the thread that made this gate."""
        if self._holds:
            SharedGate().hold(*max(self._holds))
