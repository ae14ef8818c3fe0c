"""The demo Zendesk answers in the shape of recorded answers of the live API.

`samples/` holds answers of the live API (betamax cassettes of facetoe/zenpy, commit fa6aab1) and, where no
recording is public, documented ones; each file names its source. For each, the demo is asked the same, and
its answer must have the same status, the same header names and the same keys with the same JSON types, all
the way down.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Start
from zendesk.sandbox import (
    CLIENT_ID,
    CLIENT_SECRET,
    EMAIL,
    MACRO_NOTE,
    VIEW_NOT_ARCHIVED,
    VIEW_UNSOLVED,
)
from zendesk.sandbox.account.people import ROLE_ID

SAMPLES = Path(__file__).parent / "samples"

# Headers of every HTTP answer, which the recordings left out; the label of a call; and the header of the job
# limit, which is documented but was not sent in 2024.
OWN_HEADERS = {"date", "content-length", "x-request-id", "zendesk-ratelimit-inflight-jobs"}

# Keys and values that differ for a reason.
LEFT_OUT = {
    # Which members are there depends on the macro. The documented example shows `fields` as one object, the
    # recorded tickets as a list.
    "macro-apply.json": {"result.ticket.assignee_id", "result.ticket.fields", "result.ticket.group_id"},
}
OWN_KEYS = {
    # Public code relies on `scoped_body`; the documented example leaves it out. The tags are this macro's.
    "macro-apply.json": {"result.ticket.comment.scoped_body", "result.ticket.tags"},
    # A search for users there, for tickets here: what is in an item is compared with the ticket samples.
    "search-export-page1.json": {"results"},
}
# Null in the demo's ticket where the recorded ticket has a value, and the other way round.
NULLABLE = {"type", "priority", "assignee_id", "group_id", "alias", "before_cursor", "prev"}

Ask = Callable[[Start, dict[str, Any]], requests.Response]


def style_of(sample: dict[str, Any]) -> str:
    """Headers were renamed between the recordings of 2023 and those of 2024."""
    return "2023" if "recorded 2023" in sample["_source"] else "2024"


def get(path: str, **options: Any) -> Ask:
    def ask(start: Start, sample: dict[str, Any]) -> requests.Response:
        return start(header_style=style_of(sample), **options).get(path)

    return ask


def view_page(page: int) -> Ask:
    def ask(start: Start, sample: dict[str, Any]) -> requests.Response:
        zendesk = start(header_style=style_of(sample))
        response = zendesk.get(f"views/{VIEW_NOT_ARCHIVED}/tickets", **{"page[size]": 1})
        for _ in range(page - 1):
            after = response.json()["meta"]["after_cursor"]
            response = zendesk.get(
                f"views/{VIEW_NOT_ARCHIVED}/tickets", **{"page[size]": 1, "page[after]": after}
            )
        return response

    return ask


def count_of_view(times: int) -> Ask:
    def ask(start: Start, sample: dict[str, Any]) -> requests.Response:
        zendesk = start(header_style=style_of(sample))
        return [zendesk.get(f"views/{VIEW_UNSOLVED}/count.json") for _ in range(times)][-1]

    return ask


def batch(start: Start, sample: dict[str, Any], size: int, **options: Any) -> tuple[Any, requests.Response]:
    zendesk = start(header_style=style_of(sample), **options)
    tickets = [{"id": number, "subject": "test"} for number in zendesk.ids(count=size)]
    return zendesk, zendesk.call("PUT", "tickets/update_many.json", json={"tickets": tickets})


def job_queued(size: int) -> Ask:
    return lambda start, sample: batch(start, sample, size)[1]


def job_after(size: int, seconds: float) -> Ask:
    def ask(start: Start, sample: dict[str, Any]) -> requests.Response:
        zendesk, queued = batch(start, sample, size, scale=1.0)
        zendesk.clock.move(seconds)
        job: requests.Response = zendesk.get(f"job_statuses/{queued.json()['job_status']['id']}.json")
        return job

    return ask


def job_with_failed_items(start: Start, sample: dict[str, Any]) -> requests.Response:
    """The recorded job is one of organizations; its failed items are the only real ones that are public."""
    zendesk = start(header_style=style_of(sample))
    job = zendesk.tag([*zendesk.ids(count=1), *zendesk.ids("closed", count=2)], additional_tags=["a"])
    return zendesk.get(f"job_statuses/{job}.json")


def put(change: dict[str, Any], *statuses: str, ticket_id: int | None = None, **options: Any) -> Ask:
    def ask(start: Start, sample: dict[str, Any]) -> requests.Response:
        zendesk = start(header_style=style_of(sample), **options)
        number = ticket_id or zendesk.ids(*statuses, count=1)[0]
        return zendesk.call("PUT", f"tickets/{number}.json", json={"ticket": {"id": number, **change}})

    return ask


def solve_without_resolution(start: Start, sample: dict[str, Any]) -> requests.Response:
    zendesk = start(require_resolution=True)
    tickets = (zendesk.sandbox.ticket(number) for number in zendesk.ids("open", count=50))
    number = next(
        ticket.id for ticket in tickets if not any(tag.startswith("resolution") for tag in ticket.tags)
    )
    return zendesk.call("PUT", f"tickets/{number}", json={"ticket": {"status": "solved"}})


def too_many_values(start: Start, sample: dict[str, Any]) -> requests.Response:
    return start(header_style=style_of(sample)).update_many(list(range(101)), additional_tags=["a"])


def too_many_jobs(start: Start, sample: dict[str, Any]) -> requests.Response:
    zendesk = start(scale=1.0, max_jobs=2)
    return [zendesk.update_many(zendesk.ids(), additional_tags=["a"]) for _ in range(3)][-1]


def past_the_incremental_limit(start: Start, sample: dict[str, Any]) -> requests.Response:
    zendesk = start()
    return [zendesk.get("incremental/tickets/cursor.json", start_time=0) for _ in range(11)][-1]


def show_many(start: Start, sample: dict[str, Any]) -> requests.Response:
    zendesk = start(header_style=style_of(sample))
    return zendesk.get("tickets/show_many.json", ids=",".join(map(str, zendesk.ids(count=100))))


def as_caller(**credentials: Any) -> Ask:
    def ask(start: Start, sample: dict[str, Any]) -> requests.Response:
        zendesk = start(header_style=style_of(sample))
        zendesk.session.headers.pop("Authorization")
        zendesk.session.headers.update(credentials.get("headers", {}))
        return zendesk.call("GET", "users/me.json", auth=credentials.get("auth"))

    return ask


def token(start: Start, sample: dict[str, Any]) -> requests.Response:
    wish = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": "read tickets:write",
    }
    return start().call("POST", "/oauth/tokens", json=wish)


def without_the_scope(start: Start, sample: dict[str, Any]) -> requests.Response:
    zendesk = start()
    wish = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": "tickets:read",
    }
    granted = zendesk.call("POST", "/oauth/tokens", json=wish).json()["access_token"]
    zendesk.session.headers["Authorization"] = f"Bearer {granted}"
    return zendesk.get("search.json", query="type:ticket")


OLD_STAMP = {"safe_update": "true", "updated_stamp": "2020-01-01T00:00:00Z", "subject": "test"}

ASKED: dict[str, Ask] = {
    "400-InvalidPaginationDepth.json": get("tickets.json?page=101"),
    "400-TooManyValues-tickets.json": too_many_values,
    "401-bad-credentials.json": as_caller(auth=(f"{EMAIL}/token", "wrong")),
    "401-invalid_token.json": as_caller(headers={"Authorization": "Bearer ended"}),
    "403-forbidden-object.json": get("incremental/tickets/cursor.json?start_time=0", role="agent"),
    "403-missing-scope.json": without_the_scope,
    "404-RecordNotFound-ticket.json": put({"subject": "test"}, ticket_id=2**63 - 1),
    "409-UpdateConflict.json": put(OLD_STAMP),
    "422-closed-ticket.json": put({"subject": "test"}, "closed"),
    "422-required-to-solve.json": solve_without_resolution,
    "429-APIRateLimitExceeded-incremental.json": past_the_incremental_limit,
    "429-TooManyJobs.json": too_many_jobs,
    "custom_role.json": get(f"custom_roles/{ROLE_ID}.json"),
    "incremental-tickets-cursor.json": get("incremental/tickets/cursor.json?per_page=1&start_time=0"),
    "macro-apply.json": get(f"macros/{MACRO_NOTE}/apply.json"),
    "macros-list-cursor.json": get("macros.json?page[size]=100"),
    "oauth-token-201.json": token,
    "orgs-update_many-completed-with-errors.json": job_with_failed_items,
    "search-export-page1.json": get("search/export.json?page[size]=1&query=type:ticket&filter[type]=ticket"),
    "tags-list-cursor.json": get("tags.json?page[size]=1"),
    "tags-list-last-page.json": get("tags.json?page[size]=100"),
    "tags-list-offset.json": get("tags.json"),
    "tickets-PUT-200.json": put({"subject": "another"}),
    "tickets-list-cursor.json": get("tickets.json?page[size]=1"),
    "tickets-list-offset.json": get("tickets.json"),
    "tickets-show_many.json": show_many,
    "update_many-01-queued.json": job_queued(100),
    "update_many-02-working.json": job_after(100, 5),
    "update_many-03-working-late.json": job_after(100, 9.9),
    "update_many-04-completed.json": job_after(100, 15),
    "update_many-1-queued.json": job_queued(1),
    "update_many-50-completed.json": job_after(50, 6),
    "users-me-anonymous.json": as_caller(),
    "users-me.json": get("users/me.json"),
    "view-count-fresh.json": count_of_view(2),
    "view-count-loading.json": count_of_view(1),
    "view-tickets-cursor-page1.json": view_page(1),
    "view-tickets-cursor-page2.json": view_page(2),
    "view-tickets-offset.json": get(f"views/{VIEW_NOT_ARCHIVED}/tickets"),
    "views-active.json": get("views/active.json"),
    "views-list-cursor.json": get("views.json?page[size]=100"),
}


def differences(recorded: Any, ours: Any, name: str, at: str = "") -> list[str]:
    """Where the shapes part: a sentence for each place."""
    if at in LEFT_OUT.get(name, ()) or at in OWN_KEYS.get(name, ()):
        return []
    key = at.rpartition(".")[2]
    if recorded is None or (ours is None and key in NULLABLE):
        return []
    if kind(recorded) != kind(ours):
        return [f"{at}: {kind(recorded)} was recorded, the demo has {ours!r}"]
    if isinstance(recorded, dict):
        return differences_of_objects(recorded, ours, name, at)
    if isinstance(recorded, list):
        items = [item for item in recorded if not is_note(item)]
        return [
            line
            for place, (left, right) in enumerate(zip(items, ours, strict=False))
            for line in differences(left, right, name, f"{at}[{place}]" if at.endswith("]") else at)
        ]
    return []


def differences_of_objects(recorded: Any, ours: Any, name: str, at: str) -> list[str]:
    prefix = f"{at}." if at else ""
    allowed = LEFT_OUT.get(name, set()) | OWN_KEYS.get(name, set())
    lines = [
        f"{prefix}{key} is missing" for key in recorded.keys() - ours.keys() if prefix + key not in allowed
    ]
    lines += [f"{prefix}{key} is new" for key in ours.keys() - recorded.keys() if prefix + key not in allowed]
    for key in recorded.keys() & ours.keys():
        lines += differences(recorded[key], ours[key], name, prefix + key)
    return lines


def is_note(item: Any) -> bool:
    """Long lists were cut, and say so."""
    return isinstance(item, str) and item.startswith("<")


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    return {str: "a text", list: "a list", dict: "an object", type(None): "null"}[type(value)]


def test_every_sample_is_compared() -> None:
    assert {path.name for path in SAMPLES.glob("*.json")} == set(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_has_the_shape_of_the_recorded_one(start: Start, name: str) -> None:
    sample = json.loads((SAMPLES / name).read_text())

    response = ASKED[name](start, sample)

    recorded = sample["response"]
    assert response.status_code == recorded["status"], response.text
    assert differences(recorded["body"], response.json(), name) == []
    headers = {header.lower() for header in response.headers} - OWN_HEADERS
    if "recorded 20" in sample["_source"]:
        assert headers == set(recorded["headers"])
    else:
        assert {"content-type", "x-rate-limit", "x-rate-limit-remaining"} <= headers


# Words that clients compare with, not only their type.
SAME_WORDS = (
    "400-TooManyValues-tickets.json",
    "401-bad-credentials.json",
    "401-invalid_token.json",
    "403-missing-scope.json",
    "404-RecordNotFound-ticket.json",
    "409-UpdateConflict.json",
    "422-closed-ticket.json",
    "429-APIRateLimitExceeded-incremental.json",
)


@pytest.mark.parametrize("name", SAME_WORDS)
def test_an_error_repeats_the_recorded_one_word_for_word(start: Start, name: str) -> None:
    sample = json.loads((SAMPLES / name).read_text())

    assert ASKED[name](start, sample).json() == sample["response"]["body"]


def test_the_warning_about_dropped_keys_is_the_recorded_one(start: Start) -> None:
    sample = json.loads((SAMPLES / "tickets-PUT-200.json").read_text())

    headers = ASKED["tickets-PUT-200.json"](start, sample).headers

    assert headers["x-zendesk-api-warn"] == sample["response"]["headers"]["x-zendesk-api-warn"]


def test_a_jobs_messages_match_the_recorded_ones(start: Start) -> None:
    sample = json.loads((SAMPLES / "update_many-02-working.json").read_text())
    recorded = sample["response"]["body"]["job_status"]
    zendesk = start(scale=1.0)
    job_id = zendesk.tag(zendesk.ids(count=100), additional_tags=["a"])
    zendesk.clock.move(1.0 + 0.09 * recorded["progress"] + 0.01)

    job = zendesk.job(job_id)

    told = ("total", "progress", "status", "message", "results")
    assert {name: job[name] for name in told} == {name: recorded[name] for name in told}
