"""Every fault does what it says, and only where and as often as it was asked to."""

from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox.faults import CALL_KINDS, JOB_KINDS, KINDS

UPDATE = "PUT /api/v2/tickets/update_many"
ME = "GET /api/v2/users/me"


def order(zendesk: Zendesk, match: str, kind: str, **params: Any) -> None:
    response = zendesk.call("POST", "/_control/faults", json=[{"match": match, "kind": kind, **params}])
    assert response.status_code == 200, response.text


def tagged(zendesk: Zendesk, ids: list[int]) -> list[bool]:
    return ["mark" in zendesk.sandbox.ticket(number).tags for number in ids]


def mark(zendesk: Zendesk, ids: list[int]) -> dict[str, Any]:
    """Tag these in one job; the job as it is then."""
    return zendesk.job(zendesk.tag(ids, additional_tags=["mark"]))


def test_a_rate_limit_refuses_and_does_nothing(zendesk: Zendesk) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "rate_limited", retry_after=7)

    response = zendesk.update_many(ids, additional_tags=["mark"])

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["error"] == "APIRateLimitExceeded"
    assert (tagged(zendesk, ids), zendesk.sandbox.ledger.jobs) == ([False] * 3, [])
    assert mark(zendesk, ids)["status"] == "completed"


def test_a_rate_limit_may_lack_retry_after_or_be_html(zendesk: Zendesk) -> None:
    order(zendesk, ME, "rate_limited", retry_after=None, html=True)

    response = zendesk.get("users/me.json")

    assert (response.status_code, "retry-after" in response.headers) == (429, False)
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(("kind", "done"), [("server_error_before", False), ("server_error_after", True)])
def test_a_server_error_comes_before_or_after_the_work(
    zendesk: Zendesk, kind: str, done: bool, status: int
) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, kind, status=status, retry_after=3)

    response = zendesk.update_many(ids, additional_tags=["mark"])

    assert (response.status_code, response.headers["retry-after"]) == (status, "3")
    assert tagged(zendesk, ids) == [done] * 3


@pytest.mark.parametrize(("kind", "done"), [("reset_before", False), ("reset_after", True)])
def test_a_connection_breaks_before_or_after_the_work(zendesk: Zendesk, kind: str, done: bool) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, kind)

    with pytest.raises(requests.ConnectionError, match="Connection reset"):
        zendesk.update_many(ids, additional_tags=["mark"])

    assert tagged(zendesk, ids) == [done] * 3
    assert zendesk.get("users/me.json").status_code == 200


@pytest.mark.parametrize("head", [False, True])
def test_an_answer_comes_byte_by_byte_and_the_work_is_done(zendesk: Zendesk, head: bool) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "trickle", pause=0.001, head=head)

    response = zendesk.update_many(ids, additional_tags=["mark"])

    assert (response.status_code, response.json()["job_status"]["total"]) == (200, 3)
    assert tagged(zendesk, ids) == [True] * 3


@pytest.mark.parametrize("after_work", [False, True])
def test_an_answer_may_never_come(zendesk: Zendesk, after_work: bool) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "hang", after_work=after_work)
    path = f"{zendesk.server.url}/api/v2/tickets/update_many?ids={ids[0]}"

    with pytest.raises(requests.Timeout):
        zendesk.session.put(path, json={"ticket": {"additional_tags": ["mark"]}}, timeout=0.2)

    assert tagged(zendesk, ids[:1]) == [after_work]


def test_an_answer_may_be_truncated(zendesk: Zendesk) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "truncated")

    response = zendesk.update_many(ids, additional_tags=["mark"])

    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert tagged(zendesk, ids) == [True] * 3


def test_an_answer_may_be_html_instead_of_json(zendesk: Zendesk) -> None:
    order(zendesk, ME, "html")

    response = zendesk.get("users/me.json")

    assert (response.status_code, response.text[:15]) == (200, "<!DOCTYPE html>")
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_jobs_of_other_users_may_fill_the_queue(zendesk: Zendesk) -> None:
    order(zendesk, UPDATE, "too_many_jobs")

    response = zendesk.update_many(zendesk.ids(), additional_tags=["mark"])

    assert (response.status_code, response.json()["error"]) == (429, "TooManyJobs")


def test_a_token_may_be_refused(zendesk: Zendesk) -> None:
    order(zendesk, ME, "unauthorized")

    assert zendesk.get("users/me.json").json()["error"] == "invalid_token"
    assert zendesk.get("users/me.json").status_code == 200


def test_all_tokens_but_the_fixed_one_can_be_revoked(zendesk: Zendesk) -> None:
    wish = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
    token = zendesk.call("POST", "/oauth/tokens", json=wish).json()["access_token"]
    order(zendesk, ME, "revoke_tokens")
    ours = {"Authorization": f"Bearer {token}"}

    before = zendesk.call("GET", "views.json", headers=ours).status_code
    revoking = zendesk.call("GET", "users/me.json", headers=ours).status_code
    fixed = zendesk.get("users/me.json").status_code

    assert (before, revoking, fixed) == (200, 401, 200)


@pytest.mark.parametrize("kind", ["job_failed", "job_killed"])
@pytest.mark.parametrize("done", [0, 2])
def test_a_whole_job_may_fail(zendesk: Zendesk, kind: str, done: int) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, kind, done=done)

    job = mark(zendesk, ids)

    assert (job["status"], job["results"]) == (kind.removeprefix("job_"), None)
    assert job["message"].endswith("at 2026-11-23 12:00:00 +0000")
    assert tagged(zendesk, ids) == [place < done for place in range(3)]


def test_a_stuck_job_occupies_a_slot(start: Start) -> None:
    zendesk = start(max_jobs=1)
    ids = zendesk.ids()
    order(zendesk, UPDATE, "job_stuck")
    job_id = zendesk.tag(ids, additional_tags=["mark"])

    zendesk.clock.move(20 * 3600)

    assert (zendesk.job(job_id)["status"], tagged(zendesk, ids)) == ("queued", [False] * 3)
    assert zendesk.update_many(ids, additional_tags=["mark"]).status_code == 429


def test_a_job_may_be_stuck_for_a_while(zendesk: Zendesk) -> None:
    order(zendesk, UPDATE, "job_stuck", seconds=900)
    job_id = zendesk.tag(zendesk.ids(), additional_tags=["mark"])

    zendesk.clock.move(899)
    before = zendesk.job(job_id)["status"]
    zendesk.clock.move(1)

    assert (before, zendesk.job(job_id)["status"]) == ("queued", "completed")


def test_the_status_of_a_job_may_be_gone_although_it_ran(zendesk: Zendesk) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "job_gone")
    job_id = zendesk.tag(ids, additional_tags=["mark"])

    response = zendesk.get(f"job_statuses/{job_id}.json")

    assert (response.status_code, tagged(zendesk, ids)) == (404, [True] * 3)
    assert zendesk.read("job_statuses/show_many.json", ids=job_id)["job_statuses"] == []
    assert zendesk.read("job_statuses.json")["job_statuses"] == []


@pytest.mark.parametrize(("kind", "results"), [("results_null", None), ("results_object", {"success": True})])
def test_a_completed_job_may_lack_a_list_of_results(zendesk: Zendesk, kind: str, results: Any) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, kind)

    job = mark(zendesk, ids)

    assert (job["status"], job["results"], tagged(zendesk, ids)) == ("completed", results, [True] * 3)


def test_a_completed_job_may_omit_results(zendesk: Zendesk) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "results_missing", count=2)

    job = mark(zendesk, ids)

    assert [item["id"] for item in job["results"]] == ids[:1]
    assert tagged(zendesk, ids) == [True] * 3


def test_some_tickets_may_fail_with_given_words(zendesk: Zendesk) -> None:
    ids = zendesk.ids()
    _, two, three = ids
    order(zendesk, UPDATE, "item_error", ids=[two], code="AccessDenied", text="You may not.")
    order(zendesk, UPDATE, "item_error", ids=[three], text="Old words.", shape="old")

    job = mark(zendesk, ids)

    assert job["results"][1:] == [
        {"index": 1, "error": "AccessDenied", "id": two, "details": "You may not."},
        {"id": three, "title": "Ticket", "success": False, "errors": "Old words."},
    ]
    assert tagged(zendesk, ids) == [True, False, False]


def test_a_poisonous_ticket_fails_its_whole_job(zendesk: Zendesk) -> None:
    one, two, three = zendesk.ids()
    order(zendesk, UPDATE, "poison", ids=[two], times=None)

    statuses = [mark(zendesk, ids)["status"] for ids in ([one], [one, two], [three], [two])]

    assert statuses == ["completed", "failed", "completed", "failed"]
    assert tagged(zendesk, [one, two, three]) == [True, False, True]


@pytest.mark.parametrize("params", [{"count": 2}, {"ids": "the first two"}])
def test_some_tickets_may_conflict(zendesk: Zendesk, params: dict[str, Any]) -> None:
    ids = zendesk.ids()
    order(zendesk, UPDATE, "conflict", **({"ids": ids[:2]} if "ids" in params else params))

    job = mark(zendesk, ids)

    assert [item.get("error") for item in job["results"]] == ["UpdateConflict", "UpdateConflict", None]
    assert tagged(zendesk, ids) == [False, False, True]


def test_a_rule_hits_the_calls_it_describes(zendesk: Zendesk) -> None:
    order(zendesk, ME, "server_error_before", status=500, after=2, every=2, times=2)

    statuses = [zendesk.get("users/me.json").status_code for _ in range(7)]

    assert statuses == [200, 200, 500, 200, 500, 200, 200]
    (rule,) = zendesk.call("GET", "/_control/faults").json()
    assert (rule["seen"], rule["fired"]) == (7, 2)


def test_a_permanent_rule_ends_when_cleared(zendesk: Zendesk) -> None:
    order(zendesk, "* /api/v2/", "server_error_before", times=None)
    broken = [zendesk.get(path).status_code for path in ("users/me", "views", "tags.json")]

    cleared = zendesk.call("DELETE", "/_control/faults").json()

    assert (broken, cleared) == ([503] * 3, [])
    assert zendesk.get("users/me.json").status_code == 200


@pytest.mark.parametrize(
    "rule",
    [
        {"match": ME, "kind": "no_such_fault"},
        {"match": "users/me", "kind": "html"},
        {"match": ME, "kind": "html", "every": 0},
        {"kind": "html"},
    ],
)
def test_an_invalid_rule_is_refused_with_its_whole_list(zendesk: Zendesk, rule: dict[str, Any]) -> None:
    response = zendesk.call("POST", "/_control/faults", json=[{"match": ME, "kind": "html"}, rule])

    assert (response.status_code, zendesk.sandbox.faults.rules) == (400, [])
    assert response.json()["error"]


def test_each_kind_is_for_calls_or_for_jobs() -> None:
    assert CALL_KINDS.isdisjoint(JOB_KINDS)
    assert CALL_KINDS | JOB_KINDS == KINDS
