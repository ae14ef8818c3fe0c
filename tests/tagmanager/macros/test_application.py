"""Whether the comment of a macro was posted, by the history of its ticket."""

from __future__ import annotations

from typing import Any, cast

import pytest

from jobs.work import DeliveryEvidence, Sendable
from tagmanager.macros.application import MARK, Application, AppliedMacro
from zendesk import Audit, Zendesk

MADE, NOT_MADE, UNCLEAR = DeliveryEvidence.MADE, DeliveryEvidence.NOT_MADE, DeliveryEvidence.UNCLEAR
POSTED = "2026-11-30T10:05:00Z"


class Account:
    """One ticket that got a comment."""

    def __init__(self, custom: dict[str, Any]) -> None:
        metadata = {"custom": custom}
        self.history = [{"created_at": POSTED, "metadata": metadata, "events": [{"type": "Comment"}]}]

    def audits(self, ticket_id: int) -> list[Audit]:  # noqa: ARG002 - there is one ticket
        return [Audit.from_json(each) for each in self.history]


def evidence(custom: dict[str, Any], *, read_at: str) -> DeliveryEvidence:
    account = cast(Zendesk, Account(custom))
    application = Application(account, AppliedMacro(40, "Reply", mark="ours"), ())
    return application.find_evidence([Sendable(7, {"updated_at": read_at}, {})], None)[7]


@pytest.mark.parametrize("custom", [{MARK: "ours"}, {"custom": {MARK: "ours"}}])
def test_our_mark_is_found_however_deep_an_audit_shows_it(custom: dict[str, Any]) -> None:
    assert evidence(custom, read_at="2026-11-30T10:00:00Z") is MADE


@pytest.mark.parametrize(
    ("read_at", "found"),
    [
        ("2026-11-30T10:00:00Z", UNCLEAR),
        ("2026-11-30T19:00:00+09:00", UNCLEAR),  # as a text it is later than the comment
        ("2026-11-30T19:06:00+09:00", NOT_MADE),
        ("yesterday", UNCLEAR),
    ],
)
def test_a_comment_since_the_reading_leaves_it_open(read_at: str, found: DeliveryEvidence) -> None:
    assert evidence({}, read_at=read_at) is found
