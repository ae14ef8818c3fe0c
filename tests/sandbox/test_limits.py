"""Rate limits: a fixed minute, told in the headers of the year that was asked for."""

from tests.sandbox.conftest import Start, Zendesk


def test_the_calls_of_a_minute_count_down_and_reset(start: Start) -> None:
    zendesk = start(rate_limit=3)
    zendesk.clock.move(20)
    told = [zendesk.get("users/me.json").headers["ratelimit-remaining"] for _ in range(3)]

    refused = zendesk.get("users/me.json")
    zendesk.clock.move(40)
    again = zendesk.get("users/me.json")

    assert told == ["2", "1", "0"]
    assert (refused.status_code, refused.headers["retry-after"], refused.headers["ratelimit-reset"]) == (
        429,
        "40",
        "40",
    )
    assert refused.json() == {
        "error": "APIRateLimitExceeded",
        "description": "Number of allowed API requests per minute exceeded",
    }
    assert (again.status_code, again.headers["ratelimit-remaining"], again.headers["ratelimit-reset"]) == (
        200,
        "2",
        "60",
    )


def test_a_refused_call_has_no_effect(start: Start) -> None:
    zendesk = start(rate_limit=1)
    zendesk.get("users/me.json")

    response = zendesk.update_many(zendesk.ids(), additional_tags=["a"])

    assert (response.status_code, zendesk.sandbox.ledger.jobs) == (429, [])


def test_the_headers_can_be_those_of_2023(start: Start) -> None:
    zendesk = start(header_style="2023")

    headers = {name.lower(): value for name, value in zendesk.get("tickets.json").headers.items()}

    assert headers["rate-limit-remaining"] == headers["x-rate-limit-remaining"] == "699"
    assert headers["zendesk-rate-limit-tickets-index"] == "total=100; remaining=99; resets=60"
    assert "ratelimit-remaining" not in headers


def test_the_list_of_tickets_allows_a_hundred_calls_a_minute(zendesk: Zendesk) -> None:
    answers = [zendesk.get("tickets.json?per_page=1") for _ in range(101)]

    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert answers[0].headers["zendesk-ratelimit-tickets-index"] == "total=100; remaining=99; resets=60"


def test_single_updates_are_limited_and_bulk_updates_are_not(zendesk: Zendesk) -> None:
    one, two, _ = zendesk.ids()
    change = {"ticket": {"status": "open"}}

    singles = [zendesk.call("PUT", f"tickets/{one}.json", json=change).status_code for _ in range(101)]
    bulk = zendesk.update_many([two], additional_tags=["a"])

    assert singles == [200] * 100 + [429]
    assert "zendesk-ratelimit-tickets-update" not in bulk.headers
    assert bulk.headers["zendesk-ratelimit-inflight-jobs"] == "total=30; remaining=29; resets=60"
    assert bulk.status_code == 200
