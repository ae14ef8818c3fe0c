"""The warning about ignored parts of a call, in the shapes in which it may come."""

from __future__ import annotations

import pytest

from zendesk import JobSlots
from zendesk.answer_headers import ignored_part

RECORDED = (
    '{:allowed_parameters=>{:controller=>"tickets", :action=>"update_many", '
    ':unpermitted_keys=>["ticket.additional_tags", "ticket.x"], :invalid_values=>[]}}'
)


@pytest.mark.parametrize(
    ("header", "keys"),
    [
        (RECORDED, {"additional_tags", "x"}),
        (
            '{"allowed_parameters":{"unpermitted_keys":["tickets.tags"],"invalid_values":["status"]}}',
            {"tags", "status"},
        ),
        ("{:allowed_parameters=>{:unpermitted_keys=>[], :invalid_values=>[]}}", set()),
        ("additional_tags was ignored", set()),
    ],
)
def test_the_ignored_keys_are_read(header: str, keys: set[str]) -> None:
    part = ignored_part({"X-Zendesk-API-Warn": header})
    assert part is not None
    assert part.keys == keys


def test_a_warning_without_lists_is_about_every_key_that_it_mentions() -> None:
    part = ignored_part({"x-zendesk-api-warn": "additional_tags was ignored"})
    assert part is not None
    assert [key for key in ("additional_tags", "tags", "remove_tags") if part.names(key)] == [
        "additional_tags"
    ]


def test_a_warning_with_lists_is_about_their_keys_alone() -> None:
    text = '{:controller=>"tags", :unpermitted_keys=>["ticket.status"]}'
    part = ignored_part({"x-zendesk-api-warn": text})
    assert part is not None
    assert [key for key in ("status", "tags") if part.names(key)] == ["status"]


@pytest.mark.parametrize("headers", [{}, {"x-zendesk-api-warn": "  "}])
def test_no_warning(headers: dict[str, str]) -> None:
    assert ignored_part(headers) is None


@pytest.mark.parametrize(
    ("headers", "slots"),
    [
        ({"zendesk-ratelimit-inflight-jobs": "total=30; remaining=29; resets=60"}, JobSlots(30, 29)),
        ({"Zendesk-Rate-Limit-Inflight-Jobs": "total=30; remaining=0"}, JobSlots(30, 0)),
        ({"inflight-jobs": "total=30;remaining=4;resets=60"}, JobSlots(30, 4)),
        ({"inflight-jobs": "total=30; remaining=31"}, JobSlots(30, 30)),
        ({"inflight-jobs": "total=30"}, None),
        ({"inflight-jobs": "soon"}, None),
        ({}, None),
    ],
)
def test_the_slots_for_bulk_jobs_are_read(headers: dict[str, str], slots: JobSlots | None) -> None:
    assert JobSlots.from_headers(headers) == slots
