"""The levers and the pages, which are for people and tests and no part of Zendesk."""

from html import unescape

import pytest

from tests.sandbox.conftest import Clock, Start, Zendesk
from zendesk.sandbox import API_TOKEN, BEARER_TOKEN, CLIENT_ID, CLIENT_SECRET


def test_controls_need_no_credentials_and_count_towards_no_limit(start: Start) -> None:
    zendesk = start(rate_limit=0)
    zendesk.session.headers.pop("Authorization")

    for path in ("faults", "ledger", "config", f"tickets?ids={zendesk.ids()[0]}"):
        assert zendesk.call("GET", f"/_control/{path}").status_code == 200
    assert zendesk.sandbox.ledger.calls == {}


def test_the_ledger_is_available_over_http(zendesk: Zendesk) -> None:
    one, two, _ = zendesk.ids()
    zendesk.tag([one, two], additional_tags=["a"])
    zendesk.tag([two], comment={"body": "x", "public": True})

    ledger = zendesk.call("GET", "/_control/ledger").json()
    summary = zendesk.call("GET", "/_control/ledger?summary=1").json()

    assert ledger["updates"] == {str(one): 1, str(two): 2}
    assert ledger["public_comments"] == {str(two): 1}
    assert summary == {
        "calls": {"PUT tickets/update_many": 2},
        "answers": {"200": 2},
        "jobs": 2,
        "most_jobs_at_once": 1,
        "tickets_updated": 2,
        "updates_made": 3,
        "items_sent": 3,
        "most_updates_of_one_ticket": 2,
        "public_comments_made": 1,
        "internal_comments_made": 0,
    }


def test_controls_edit_and_delete_tickets_as_another_user(zendesk: Zendesk) -> None:
    one, two, _ = zendesk.ids("open")
    edits = [{"id": one, "add": ["theirs"], "status": "pending"}, {"id": two, "delete": True}]

    zendesk.call("POST", "/_control/tickets", json=edits)
    truth = zendesk.call("GET", f"/_control/tickets?ids={one},{two}").json()["tickets"]

    assert ("theirs" in truth[0]["tags"], truth[0]["status"], truth[0]["updates"]) == (True, "pending", 0)
    assert truth[1] == {"id": two, "status": None}


def test_options_change_at_run_time(zendesk: Zendesk) -> None:
    config = zendesk.call("POST", "/_control/config", json={"scale": 2.0, "rate_limit": 5}).json()

    assert (config["scale"], config["rate_limit"], config["tickets"]) == (2.0, 5, 400)
    assert zendesk.get("users/me.json").headers["x-rate-limit"] == "5"


def test_held_bulk_jobs_stay_queued_until_they_are_released(zendesk: Zendesk) -> None:
    one, two, three = zendesk.ids()
    zendesk.call("POST", "/_control/hold", json={"after": 1})

    jobs = [zendesk.tag([number], additional_tags=["new"]) for number in (one, two, three)]
    held = [zendesk.job(job)["status"] for job in jobs]
    zendesk.call("POST", "/_control/hold", json={"after": 1})  # counts anew, from the oldest in the queue
    second = [zendesk.job(job)["status"] for job in jobs]
    zendesk.call("POST", "/_control/release")
    released = [zendesk.job(job)["status"] for job in jobs]

    assert held == ["completed", "queued", "queued"]
    assert second == ["completed", "completed", "queued"]
    assert released == ["completed"] * 3
    assert zendesk.sandbox.ledger.updates == {one: 1, two: 1, three: 1}


def test_a_hold_catches_jobs_that_have_not_begun_and_they_take_their_time_afterwards(
    start: Start, clock: Clock
) -> None:
    zendesk = start(scale=1.0)
    one, two, _ = zendesk.ids()
    works = zendesk.tag([one, two], additional_tags=["new"])
    clock.move(1.05)
    waits = zendesk.tag([one], additional_tags=["later"])

    zendesk.call("POST", "/_control/hold")
    clock.move(3600)
    held = [zendesk.job(job)["status"] for job in (works, waits)]
    zendesk.call("POST", "/_control/release")
    released = zendesk.job(waits)["status"]
    clock.move(1.1)

    assert held == ["completed", "queued"]
    assert (released, zendesk.job(waits)["status"]) == ("queued", "completed")


@pytest.mark.parametrize("body", [{"tickets": 5}, {"nonsense": 1}, {"seed": 2}])
def test_the_error_names_options_that_are_fixed(zendesk: Zendesk, body: dict[str, int]) -> None:
    response = zendesk.call("POST", "/_control/config", json=body)

    assert (response.status_code, next(iter(body)) in response.json()["error"]) == (400, True)


def test_an_unknown_control_gets_a_404(zendesk: Zendesk) -> None:
    assert zendesk.call("POST", "/_control/nothing").status_code == 404
    assert zendesk.call("POST", "/_control/tickets", json=[{"id": 1, "add": ["a"]}]).status_code == 400


def test_the_home_page_shows_the_credentials(zendesk: Zendesk) -> None:
    page = zendesk.call("GET", "/")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for word in (CLIENT_ID, CLIENT_SECRET, BEARER_TOKEN, API_TOKEN):
        assert word in page.text


def test_the_page_of_a_ticket_escapes_hostile_text(start: Start) -> None:
    zendesk = start(tickets=3000)
    store = zendesk.sandbox.store
    slot = next(slot for slot in range(store.count) if "<script>" in store.subject(slot))

    page = zendesk.call("GET", f"/agent/tickets/{store.ids[slot]}")

    assert (page.status_code, "<script>" in page.text) == (200, False)
    assert store.subject(slot) in unescape(page.text)


def test_a_page_that_does_not_exist_is_not_found(zendesk: Zendesk) -> None:
    assert zendesk.call("GET", "/agent/tickets/1").status_code == 404
    assert zendesk.call("GET", "/nothing").status_code == 404
