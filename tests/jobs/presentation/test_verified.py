"""The sentence about changed tickets that were read back."""

from __future__ import annotations

import pytest
import time_machine

from jobs.models import Job
from jobs.presentation.verified import verified_words

BOTH = (
    "10 of 10 changed tickets were read back, last at 14:03: 1 shows the change, and on 9 it was made and "
    "has been undone since."
)
AT = "2026-11-30T14:03:20+00:00"


@pytest.mark.parametrize(
    ("changed", "verified", "undone", "words"),
    [
        (0, 0, 0, ""),
        (5_400, 0, 0, ""),
        (5_400, 200, 0, "200 of 5,400 changed tickets were read back, last at 14:03: all show the change."),
        (1, 1, 0, "1 of 1 changed ticket was read back, last at 14:03: it shows the change."),
        (
            10,
            10,
            9,
            BOTH,
        ),
    ],
)
@time_machine.travel("2026-11-30T15:00:00Z", tick=False)
def test_the_sentence_tells_how_many_and_when(changed: int, verified: int, undone: int, words: str) -> None:
    job = Job(changed=changed, verified=verified, evidence={"undone": undone, "last_at": AT})
    assert verified_words(job) == words


@time_machine.travel("2026-12-01T09:00:00Z", tick=False)
def test_another_day_is_named() -> None:
    job = Job(changed=2, verified=2, evidence={"last_at": AT})
    assert "last at 30 November, 14:03" in verified_words(job)
