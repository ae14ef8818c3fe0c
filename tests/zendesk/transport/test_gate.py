from __future__ import annotations

import pytest

from tests.zendesk.conftest import BASE
from tests.zendesk.recorded import sample
from zendesk import LocalGate, RateLimited

LAST_CALL = {"x-rate-limit": "400", "ratelimit-remaining": "120", "ratelimit-reset": "40"}
ME = f"{BASE}/api/v2/users/me.json"
COUNT = f"{BASE}/api/v2/search/count.json"


class NotedGate(LocalGate):
    """Writes down why it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def hold(self, until: float, why: str) -> None:
        super().hold(until, why)
        self.reasons.append(why)


def test_a_hold_is_never_shortened():
    gate = LocalGate()
    assert gate.not_before() == 0.0
    gate.hold(200.0, "long")
    gate.hold(100.0, "short")
    assert gate.not_before() == 200.0


def test_all_clients_at_the_gate_wait_once_the_share_is_used_up(http, connect, clock):
    gate = NotedGate()
    first, second = connect(gate=gate, max_wait=60), connect(gate=gate, max_wait=60)
    http.get(ME, json=sample("users-me").body, headers=LAST_CALL)
    http.get(COUNT, json={"count": 6})

    first.me()
    assert gate.reasons == ["120 of 400 calls are left in this minute"]
    assert second.search_count("") == 6
    assert clock.slept == [40.0]


def test_the_share_decides_when_calls_stop(http, connect, clock):
    zendesk = connect(rate_share=0.8)
    http.get(ME, json=sample("users-me").body, headers=LAST_CALL)
    zendesk.me()
    zendesk.me()
    assert clock.slept == []


def test_a_429_holds_every_client_at_the_gate(http, connect, clock):
    gate = LocalGate()
    hit, other = connect(gate=gate, max_wait=0), connect(gate=gate, max_wait=30)
    http.get(ME, status=429, headers={"Retry-After": "17"})
    http.get(ME, json=sample("users-me").body)

    with pytest.raises(RateLimited) as caught:
        hit.me()
    assert caught.value.retry_after == 17.0
    assert other.me().name == "Example Agent"
    assert clock.slept == [17.0]


def test_a_wait_beyond_the_maximum_raises_at_once_without_a_call(http, connect, clock, calls):
    gate = LocalGate()
    gate.hold(clock() + 25, "someone else was told to wait")
    with pytest.raises(RateLimited) as caught:
        connect(gate=gate, max_wait=24).me()
    assert caught.value.retry_after == 25.0
    assert (calls, clock.slept) == ([], [])


def test_the_limit_of_an_endpoint_holds_only_that_endpoint(http, connect, clock):
    zendesk = connect(max_wait=11)
    views = [f"{BASE}/api/v2/views/{number}/count.json" for number in (7, 8)]
    spent = {"zendesk-ratelimit-views-count": "total=5; remaining=0; resets=12", "x-rate-limit": "400"}
    http.get(views[0], status=429, headers={**spent, "x-rate-limit-remaining": "390"})
    http.get(ME, json=sample("users-me").body)
    http.get(views[1], json=sample("view-count-fresh").body)

    with pytest.raises(RateLimited) as caught:
        zendesk.view_count(7)
    assert caught.value.retry_after == 12.0
    zendesk.me()
    assert clock.slept == []

    clock.move(2)
    assert zendesk.view_count(8).value == 1182
    assert clock.slept == [10.0]


def test_the_rate_share_must_be_between_0_and_1(connect):
    for share in (0, -0.1, 1.1):
        with pytest.raises(ValueError, match="share of the rate limit"):
            connect(rate_share=share)
