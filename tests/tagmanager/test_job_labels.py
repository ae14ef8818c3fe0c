"""What the project tells the pages of `jobs` about its own things."""

from __future__ import annotations

from typing import Any

import pytest

from tagmanager import job_labels


def test_a_tool_is_called_by_its_name_also_when_it_is_gone() -> None:
    assert job_labels.tool_name("bulk-tag") == "Add and remove tags"
    assert job_labels.tool_name("tag-by-weather") == "Tag by weather"


@pytest.mark.parametrize(
    ("outcome", "reason", "advice"),
    [
        ("skipped", "closed", job_labels.ADVICE["closed"]),
        ("failed", "conflict", job_labels.ADVICE["conflict"]),
        ("failed", "SomethingNewOfZendesk", "Mend what Zendesk names, then retry."),
        ("skipped", "something_of_a_tool", ""),
    ],
)
def test_what_can_be_done_is_reported_by_reason(outcome: str, reason: str, advice: str) -> None:
    assert job_labels.advice_on(outcome, reason) == advice


def test_without_an_account_a_ticket_has_no_address(settings: Any) -> None:
    settings.ZENDESK_BASE_URL = settings.ZENDESK_SUBDOMAIN = ""
    assert job_labels.item_address(4711) == ""
