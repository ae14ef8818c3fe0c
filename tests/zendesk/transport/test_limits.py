from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zendesk.recorded import names, sample
from zendesk import RateLimit
from zendesk.transport.limits import (
    EndpointLimit,
    endpoint_limits,
    exhausted_endpoint,
    retry_after_of,
    retry_after_or_default,
)


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"x-rate-limit": "700", "x-rate-limit-remaining": "699"}, RateLimit(700, 699, None)),
        (
            {"rate-limit": "700", "rate-limit-remaining": "3", "rate-limit-reset": "58"},
            RateLimit(700, 3, 58.0),
        ),
        (
            {"ratelimit-limit": "10", "ratelimit-remaining": "0", "ratelimit-reset": "0"},
            RateLimit(10, 0, 0.0),
        ),
        ({"X-Rate-Limit": "400", "RateLimit-Remaining": "5", "RATELIMIT-RESET": "9"}, RateLimit(400, 5, 9.0)),
        (
            {"x-rate-limit": "junk", "rate-limit": "400", "x-rate-limit-remaining": " 7 "},
            RateLimit(400, 7, None),
        ),
        ({"x-rate-limit": "400"}, None),
        ({"x-rate-limit-remaining": "400"}, None),
        ({"x-rate-limit": "0", "x-rate-limit-remaining": "0"}, None),
        ({"x-rate-limit": "1", "x-rate-limit-remaining": "0"}, RateLimit(1, 0, None)),
        ({"x-rate-limit": "-5", "x-rate-limit-remaining": "nan"}, None),
        ({}, None),
    ],
)
def test_the_account_limit_is_read_in_every_spelling(headers, rate):
    assert RateLimit.from_headers(headers) == rate


@pytest.mark.parametrize("name", [n for n in names() if "x-rate-limit" in sample(n).headers])
def test_every_recorded_answer_has_a_limit(name):
    headers = sample(name).headers
    rate = RateLimit.from_headers(headers)
    assert rate is not None
    assert (rate.limit, rate.remaining) == (700, int(headers["x-rate-limit-remaining"]))


@pytest.mark.parametrize(
    ("header", "limit"),
    [
        ("zendesk-ratelimit-tickets-index", EndpointLimit("tickets-index", 100, 93, 16.0)),
        ("Zendesk-Rate-Limit-Tickets-Update", EndpointLimit("tickets-update", 100, 93, 16.0)),
    ],
)
def test_endpoint_limits_are_read_in_both_spellings(header, limit):
    assert endpoint_limits({header: "total=100; remaining=93; resets=16", "x-rate-limit": "7"}) == [limit]


def test_an_endpoint_limit_of_another_shape_is_tolerated():
    assert endpoint_limits({"zendesk-ratelimit-x": "soon"}) == [EndpointLimit("x", None, None, None)]


def test_an_exhausted_endpoint_limit_matters_only_while_the_account_may_call():
    spent = {"zendesk-ratelimit-search-index": "total=100; remaining=0; resets=20"}
    account = {"x-rate-limit": "400", "x-rate-limit-remaining": "0"}
    assert exhausted_endpoint(spent) == EndpointLimit("search-index", 100, 0, 20.0)
    assert exhausted_endpoint({**spent, **account}) is None
    assert exhausted_endpoint(sample("429-TooManyJobs").headers) is None


@pytest.mark.parametrize(
    ("remaining", "share", "seconds"),
    [(121, 0.7, 0.0), (120, 0.7, 25.0), (0, 0.7, 25.0), (1, 1.0, 0.0), (0, 1.0, 25.0), (399, 0.001, 25.0)],
)
def test_calls_stop_once_only_the_share_of_others_is_left(remaining, share, seconds):
    assert RateLimit(400, remaining, 25.0).hold_for(share) == seconds


def test_the_hold_is_short_without_a_reset_time_and_capped_with_an_absurd_one():
    assert RateLimit(400, 0, None).hold_for(0.7) == 10.0
    assert RateLimit(400, 0, 1e9).hold_for(0.7) == 600.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "999999"}, 600.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "-0.5"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
        ({"Date": "Mon, 06 Nov 2023 08:00:00 GMT", "Retry-After": "Mon, 06 Nov 2023 08:00:30 GMT"}, 30.0),
    ],
)
def test_retry_after_is_read_and_kept_in_bounds(headers, seconds):
    assert retry_after_of(headers) == seconds


def test_a_429_without_retry_after_waits_for_the_endpoint_or_ten_seconds():
    assert retry_after_or_default({}) == 10.0
    spent = {"zendesk-ratelimit-x": "total=5; remaining=0; resets=42"}
    assert retry_after_or_default(spent) == 42.0
    assert retry_after_or_default({**spent, "retry-after": "7"}) == 7.0


@given(
    st.dictionaries(
        st.sampled_from(
            ["x-rate-limit", "ratelimit-remaining", "rate-limit-reset", "zendesk-ratelimit-x", "retry-after"]
        ),
        st.text(max_size=20) | st.from_regex(r"total=\S*; remaining=\S*; resets=\S*"),
    )
)
def test_invalid_headers_count_as_missing(headers):
    rate = RateLimit.from_headers(headers)
    assert rate is None or (rate.limit >= 1 and rate.remaining >= 0 and rate.hold_for(0.7) >= 0)
    endpoint_limits(headers)
    assert 1.0 <= retry_after_or_default(headers) <= 600.0


def test_the_headers_of_2026_are_read() -> None:
    headers = {
        "zendesk-ratelimit-ticket-fields-index": "total=20; remaining=0; resets=50",
        "zendesk-ratelimit-incremental-exports-cursor": "total=20; remaining=17; resets=48",
        "zendesk-ratelimit-search-index": "total=2500; remaining=2499; resets=50",
        "x-rate-limit": "400",
        "x-rate-limit-remaining": "399",
        "ratelimit-limit": "400",
        "ratelimit-reset": "50",
    }
    assert endpoint_limits(headers) == [
        EndpointLimit("ticket-fields-index", 20, 0, 50.0),
        EndpointLimit("incremental-exports-cursor", 20, 17, 48.0),
        EndpointLimit("search-index", 2500, 2499, 50.0),
    ]
    assert RateLimit.from_headers(headers) == RateLimit(400, 399, 50.0)
    assert exhausted_endpoint(headers) == EndpointLimit("ticket-fields-index", 20, 0, 50.0)
