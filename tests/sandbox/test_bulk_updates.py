"""update_many: what is accepted, what each ticket becomes, and how a job tells of it."""

import json
from typing import Any

import pytest

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox import (
    FIELD_FEATURES,
    FIELD_FOLLOW_UP,
    FIELD_PLAN,
    FIELD_PRODUCT,
    VIEW_UNSOLVED,
)

CONFLICT = (
    "Safe Update prevented the update due to outdated ticket data. "
    "Please fetch the latest ticket data and try again."
)


def updated(number: int) -> dict[str, Any]:
    return {"action": "update", "status": "Updated", "success": True, "id": number}


def with_tags(zendesk: Zendesk, tags: str) -> int:
    """A ticket that is not closed, with exactly these tags."""
    number = zendesk.ids("open", count=1)[0]
    held = zendesk.sandbox.ticket(number).tags
    zendesk.sandbox.edit(number, add=tags.split(), remove=[tag for tag in held if tag not in tags.split()])
    return number


def tags_of(zendesk: Zendesk, number: int) -> str:
    return " ".join(zendesk.sandbox.ticket(number).tags)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("a b", {"additional_tags": ["c"]}, "a b c"),
        ("a b", {"additional_tags": "c d"}, "a b c d"),
        ("a b", {"remove_tags": ["b", "not_there"]}, "a"),
        ("a b", {"additional_tags": ["c"], "remove_tags": "a"}, "b c"),
        ("a b", {"tags": ["c"]}, "c"),
        ("a b", {"tags": []}, ""),
        ("a", {"additional_tags": ["VIP!", "#hash", "one two", "größe", "a/b:c-d_e", "@@"]},
         "a a/b:c-d_e größe hash one two vip"),
        ("a", {"additional_tags": ["a"]}, "a"),
        ("plan_free", {"additional_tags": ["plan_team"]}, "plan_team"),
        ("feature_login", {"additional_tags": ["feature_sync"]}, "feature_login feature_sync"),
        ("a", {"custom_fields": [{"id": FIELD_PRODUCT, "value": "product_api"}]}, "a product_api"),
        ("a product_api", {"custom_fields": [{"id": FIELD_PRODUCT, "value": None}]}, "a"),
        ("a", {"custom_fields": [{"id": FIELD_FOLLOW_UP, "value": True}]}, "a follow_up_needed"),
        ("a feature_sync", {"custom_fields": [{"id": FIELD_FEATURES, "value": ["feature_login"]}]},
         "a feature_login"),
    ],
)  # fmt: skip
def test_a_change_results_in_the_expected_tags(
    zendesk: Zendesk, before: str, change: dict[str, Any], after: str
) -> None:
    number = with_tags(zendesk, before)

    job = zendesk.job(zendesk.tag([number], **change))

    assert (job["results"], tags_of(zendesk, number)) == ([updated(number)], after)


def test_replacing_the_tags_clears_their_fields(zendesk: Zendesk) -> None:
    number = with_tags(zendesk, "plan_team feature_login feature_sync follow_up_needed")

    def fields() -> dict[int, Any]:
        ticket = zendesk.read(f"tickets/{number}.json")["ticket"]
        assert ticket["fields"] == ticket["custom_fields"]
        return {field["id"]: field["value"] for field in ticket["custom_fields"]}

    before = fields()
    zendesk.tag([number], tags=["other"])
    after = fields()

    named = (FIELD_PLAN, FIELD_FEATURES, FIELD_FOLLOW_UP)
    assert [before[name] for name in named] == ["plan_team", ["feature_login", "feature_sync"], True]
    assert [after[name] for name in named] == [None, None, False]


def test_each_ticket_of_a_batch_gets_its_own_change(zendesk: Zendesk) -> None:
    one, two, three = zendesk.ids()
    body = {
        "tickets": [{"id": one, "tags": "x"}, {"id": two, "tags": ["y"]}, {"id": three, "status": "hold"}]
    }

    zendesk.call("PUT", "tickets/update_many.json", json=body)

    assert [tags_of(zendesk, number) for number in (one, two)] == ["x", "y"]
    assert zendesk.sandbox.ticket(three).status == "hold"


@pytest.mark.parametrize(("treatment", "is_told"), [("warned", True), ("ignored", False)])
def test_a_batch_may_ignore_tags_to_add_and_to_remove(start: Start, treatment: str, is_told: bool) -> None:
    zendesk = start(batch_tag_changes=treatment)
    number = with_tags(zendesk, "a b")
    change = {"id": number, "additional_tags": ["c"], "remove_tags": ["a"], "status": "hold"}

    response = zendesk.call("PUT", "tickets/update_many.json", json={"tickets": [change]})

    told = response.headers.get("x-zendesk-api-warn", "")
    assert [f"tickets.{name}" in told for name in ("additional_tags", "remove_tags", "status")] == [
        is_told,
        is_told,
        False,
    ]
    assert (tags_of(zendesk, number), zendesk.sandbox.ticket(number).status) == ("a b", "hold")
    zendesk.tag([number], additional_tags=["c"])
    assert tags_of(zendesk, number) == "a b c"


def test_other_members_change_too(zendesk: Zendesk) -> None:
    number = zendesk.ids(count=1)[0]
    wished = {"subject": "New", "priority": "urgent", "type": "task", "assignee_id": None, "group_id": 1}

    zendesk.tag([number], status="pending", **wished)

    ticket = zendesk.read(f"tickets/{number}.json")["ticket"]
    assert {name: ticket[name] for name in (*wished, "status")} == {**wished, "status": "pending"}


def test_a_description_is_silently_ignored(zendesk: Zendesk) -> None:
    response = zendesk.update_many(zendesk.ids(count=1), description="other")

    assert response.status_code == 200
    assert "x-zendesk-api-warn" not in response.headers


def test_a_misspelt_key_is_dropped_with_a_warning_and_the_job_succeeds(zendesk: Zendesk) -> None:
    number = with_tags(zendesk, "a")

    response = zendesk.update_many([number], aditional_tags=["b"])

    assert response.headers["x-zendesk-api-warn"] == (
        '{:allowed_parameters=>{:controller=>"tickets", :action=>"update_many", '
        ':unpermitted_keys=>["ticket.aditional_tags"], :invalid_values=>[]}}'
    )
    job = zendesk.job(response.json()["job_status"]["id"])
    assert (job["results"], tags_of(zendesk, number)) == ([updated(number)], "a")


def test_ids_in_the_body_are_ignored(zendesk: Zendesk) -> None:
    body = {"ticket": {"additional_tags": ["a"]}, "ids": zendesk.ids()}

    assert zendesk.call("PUT", "tickets/update_many.json", json=body).status_code == 400


def test_an_id_given_twice_is_processed_once(zendesk: Zendesk) -> None:
    one, two, _ = zendesk.ids()

    job = zendesk.job(zendesk.tag([one, two, one], additional_tags=["a"]))

    assert (job["total"], job["results"]) == (2, [updated(one), updated(two)])
    assert zendesk.sandbox.ledger.updates[one] == 1


def test_ids_that_do_not_exist_are_error_items(zendesk: Zendesk) -> None:
    one, two, _ = zendesk.ids()
    zendesk.sandbox.delete(two)

    job = zendesk.job(zendesk.tag([5, one, two], additional_tags=["a"]))

    assert job["status"] == "completed"
    assert job["results"] == [
        {"index": 0, "error": "RecordNotFound", "id": 5, "details": "Not found"},
        updated(one),
        {"index": 2, "error": "RecordNotFound", "id": two, "details": "Not found"},
    ]


def test_ids_that_do_not_exist_may_be_missing_from_the_results(start: Start) -> None:
    zendesk = start(missing_ids="omit")
    one = zendesk.ids(count=1)[0]

    job = zendesk.job(zendesk.tag([5, one], additional_tags=["a"]))

    assert (job["total"], job["results"]) == (2, [updated(one)])


def test_closed_tickets_fail_one_by_one(zendesk: Zendesk) -> None:
    open_one, closed = zendesk.ids("open", count=1)[0], zendesk.ids("closed", count=1)[0]
    before = zendesk.sandbox.ticket(closed)

    job = zendesk.job(zendesk.tag([closed, open_one], additional_tags=["a"]))

    assert job["results"] == [
        {
            "index": 0,
            "error": "TicketUpdateFailed",
            "id": closed,
            "details": "Status: closed prevents ticket update",
        },
        updated(open_one),
    ]
    assert zendesk.sandbox.ticket(closed) == before


def test_only_an_admin_can_tag_closed_tickets_even_if_the_account_allows_it(start: Start) -> None:
    zendesk = start(allow_closed=True, role="agent")
    closed = zendesk.ids("closed", count=1)[0]
    [result] = zendesk.job(zendesk.tag([closed], additional_tags=["a"]))["results"]
    assert result["details"] == "Status: closed prevents ticket update"


def test_closed_tickets_can_be_tagged_if_the_account_allows_it(start: Start) -> None:
    zendesk = start(allow_closed=True)
    closed = zendesk.ids("closed", count=1)[0]

    zendesk.tag([closed], additional_tags=["late"])
    refused = zendesk.job(zendesk.tag([closed], status="open"))
    on_the_ticket = zendesk.call("PUT", f"tickets/{closed}/tags.json", json={"tags": ["other"]})

    assert "late" in zendesk.sandbox.ticket(closed).tags
    assert refused["results"][0]["details"] == "Status: closed prevents ticket update"
    assert on_the_ticket.status_code == 422


def test_tags_beyond_5096_characters_are_refused(zendesk: Zendesk) -> None:
    number = with_tags(zendesk, "x" * 5000)

    fits = zendesk.job(zendesk.tag([number], additional_tags=["y" * 95]))
    too_long = zendesk.job(zendesk.tag([number], additional_tags=["z"]))

    assert fits["results"] == [updated(number)]
    assert too_long["results"][0]["details"] == "Tags: is too long (maximum is 5096 characters)"


def test_a_change_without_effect_is_still_an_update(zendesk: Zendesk) -> None:
    number = with_tags(zendesk, "a")
    zendesk.clock.move(60)

    zendesk.tag([number], additional_tags=["a"])

    assert zendesk.sandbox.ticket(number).updated_at == "2026-11-23T12:01:00Z"
    assert zendesk.sandbox.ledger.updates[number] == 1


def test_public_and_internal_comments_are_counted_separately(zendesk: Zendesk) -> None:
    one, two, three = zendesk.ids()
    zendesk.tag([one], comment={"body": "for all", "public": True})
    zendesk.tag([two], comment={"body": "for us", "public": False})
    zendesk.tag([three], additional_tags=["no_comment"])

    ledger = zendesk.sandbox.ledger

    assert (ledger.public_comments, ledger.internal_comments) == ({one: 1}, {two: 1})


def test_a_job_and_its_tickets_advance_with_the_clock(start: Start) -> None:
    zendesk = start(scale=1.0)
    ids = zendesk.ids(count=100)
    job_id = zendesk.tag(ids, additional_tags=["slow"])

    def story() -> tuple[str, int | None, int]:
        job = zendesk.job(job_id)
        done = sum("slow" in zendesk.sandbox.ticket(number).tags for number in ids)
        return job["status"], job["progress"], done

    told = [story()]
    for seconds in (0.9, 0.2, 3.9, 4.95, 1.0):
        zendesk.clock.move(seconds)
        told.append(story())

    assert told == [
        ("queued", None, 0),
        ("queued", None, 0),
        ("working", 1, 1),
        ("working", 44, 44),
        ("working", 99, 99),
        ("completed", 100, 100),
    ]
    assert zendesk.job(job_id)["message"] == "Completed at 2026-11-23 12:00:10 +0000"


def test_a_job_of_one_ticket_takes_about_two_seconds(start: Start) -> None:
    zendesk = start(scale=1.0)
    job_id = zendesk.tag(zendesk.ids(count=1), additional_tags=["a"])

    zendesk.clock.move(2)

    assert zendesk.job(job_id)["status"] == "completed"


def test_a_ticket_changed_while_the_job_is_queued_conflicts(start: Start) -> None:
    zendesk = start(scale=1.0)
    one, two, three = zendesk.ids()
    job_id = zendesk.tag([one, two, three], additional_tags=["ours"])
    zendesk.sandbox.edit(two, add=["theirs"], by="another agent")

    zendesk.clock.move(5)

    assert zendesk.job(job_id)["results"] == [
        updated(one),
        {"index": 1, "error": "UpdateConflict", "id": two, "details": CONFLICT},
        updated(three),
    ]
    assert "ours" not in zendesk.sandbox.ticket(two).tags


def test_two_jobs_on_the_same_ticket_conflict(start: Start) -> None:
    zendesk = start(scale=1.0)
    ids = zendesk.ids()
    first, second = (zendesk.tag(ids, additional_tags=[tag]) for tag in ("first", "second"))

    zendesk.clock.move(5)

    assert zendesk.job(first)["results"] == [updated(number) for number in ids]
    assert [item["error"] for item in zendesk.job(second)["results"]] == ["UpdateConflict"] * 3
    assert dict(zendesk.sandbox.ledger.updates) == dict.fromkeys(ids, 1)


def test_stamps_in_a_batch_decide_about_conflicts(zendesk: Zendesk) -> None:
    one, two, three = zendesk.ids()
    stamps = {number: zendesk.sandbox.ticket(number).updated_at for number in (one, two)}
    zendesk.sandbox.edit(two, add=["theirs"])
    body = {
        "tickets": [
            {"id": one, "tags": ["ours"], "updated_stamp": stamps[one], "safe_update": True},
            {"id": two, "tags": ["ours"], "updated_stamp": stamps[two], "safe_update": True},
            {"id": three, "tags": ["ours"], "safe_update": True},
        ]
    }

    job_id = zendesk.call("PUT", "tickets/update_many.json", json=body).json()["job_status"]["id"]

    results = zendesk.job(job_id)["results"]
    assert results[0] == updated(one)
    assert results[1] == {"index": 1, "error": "UpdateConflict", "id": two, "details": CONFLICT}
    assert (results[2]["id"], results[2]["error"]) == (three, "TicketUpdateFailed")
    assert "theirs" in zendesk.sandbox.ticket(two).tags


def test_the_thirty_first_job_is_refused_with_the_ids_of_the_others(start: Start) -> None:
    zendesk = start(scale=1.0)
    jobs = [zendesk.tag([number], additional_tags=["a"]) for number in zendesk.ids(count=30)]

    refused = zendesk.update_many(zendesk.ids(), additional_tags=["b"])
    zendesk.clock.move(5)
    accepted = zendesk.update_many(zendesk.ids(), additional_tags=["b"])

    assert (refused.status_code, refused.json()) == (
        429,
        {
            "error": "TooManyJobs",
            "description": "Too many TicketBulkUpdateJobV3 jobs are currently queued or running. "
            "Try again later.",
            "current_job_ids": jobs,
        },
    )
    assert accepted.status_code == 200
    assert len(zendesk.sandbox.ledger.jobs) == 31


def test_too_many_jobs_may_have_another_status(start: Start) -> None:
    zendesk = start(max_jobs=0, too_many_jobs_status=503)

    response = zendesk.update_many(zendesk.ids(), additional_tags=["a"])

    assert (response.status_code, response.json()["error"]) == (503, "TooManyJobs")


def test_show_many_returns_several_jobs_and_the_list_begins_with_ended_ones(start: Start) -> None:
    zendesk = start(scale=1.0)
    ended = zendesk.tag(zendesk.ids(count=1), additional_tags=["a"])
    zendesk.clock.move(10)
    waiting = zendesk.tag(zendesk.ids(count=1), additional_tags=["a"])

    together = zendesk.read("job_statuses/show_many.json", ids=f"{waiting},{ended},V3-unknown")
    listed = zendesk.read("job_statuses.json", **{"page[size]": 10})["job_statuses"]

    assert [job["id"] for job in together["job_statuses"]] == [waiting, ended]
    assert [job["id"] for job in listed] == [ended, waiting]


def test_a_job_is_forgotten_after_a_day(zendesk: Zendesk) -> None:
    job_id = zendesk.tag(zendesk.ids(), additional_tags=["a"])
    zendesk.clock.move(24 * 3600)
    still_there = zendesk.get(f"job_statuses/{job_id}.json").status_code
    zendesk.clock.move(1)

    gone = zendesk.get(f"job_statuses/{job_id}.json")

    assert still_there == 200
    assert (gone.status_code, gone.json()["error"]) == (404, "RecordNotFound")


def test_a_tag_that_a_trigger_adds_again_stays(start: Start) -> None:
    zendesk = start(readding_tag="vip")
    number = with_tags(zendesk, "a vip")

    job = zendesk.job(zendesk.tag([number], remove_tags=["vip", "a"]))

    assert (job["results"], tags_of(zendesk, number)) == ([updated(number)], "vip")
    titles = [trigger["title"] for trigger in zendesk.read("triggers.json")["triggers"]]
    assert titles[-1] == "Keep vip"


def test_the_ledger_separates_updates_from_items_sent(zendesk: Zendesk) -> None:
    one, closed = zendesk.ids("open", count=1)[0], zendesk.ids("closed", count=1)[0]

    zendesk.tag([one, closed], additional_tags=["a"])
    zendesk.tag([one], additional_tags=["a"])

    ledger = zendesk.sandbox.ledger
    assert (ledger.updates, ledger.sent) == ({one: 2}, {one: 2, closed: 1})
    assert ledger.calls == {"PUT tickets/update_many": 2}


@pytest.mark.parametrize("body", ["nonsense", "[]", '{"ticket": 5}', "{}"])
def test_a_body_that_is_no_ticket_is_refused(zendesk: Zendesk, body: str) -> None:
    response = zendesk.call("PUT", f"tickets/update_many.json?ids={zendesk.ids()[0]}", data=body)

    assert response.status_code == 400
    assert json.loads(response.text)["error"]


def test_a_whole_view_can_be_tagged_in_slices(start: Start) -> None:
    zendesk = start(rate_limit=10_000)
    ids = zendesk.sandbox.view_ticket_ids(VIEW_UNSOLVED)

    for begin in range(0, len(ids), 100):
        zendesk.tag(ids[begin : begin + 100], additional_tags=["all_of_them"])

    tagged = zendesk.read("search/count.json", query="tags:all_of_them")["count"]
    assert (tagged, sum(zendesk.sandbox.ledger.updates.values())) == (len(ids), len(ids))


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("exact", ["30 26", "30 25", "30 26"]),
        ("late", ["30 26", "30 26", "30 24"]),
        ("queued", ["30 29", "30 28", "30 29"]),
        ("absent", ["", "", ""]),
        ("total=0; remaining=-1", ["0 -1", "0 -1", "0 -1"]),
    ],
)
def test_the_header_of_free_slots_counts_other_users_jobs_as_the_option_says(
    start: Start, header: str, named: list[str]
) -> None:
    zendesk = start(scale=1.0, other_jobs=3, slots_header=header, slots_lag=1.5)
    found = []
    for number, seconds in zip(zendesk.ids(count=3), (0.5, 1.5, 0), strict=True):
        headers = zendesk.update_many([number], additional_tags=["a"]).headers
        value = headers.get("zendesk-ratelimit-inflight-jobs", "")
        found.append(" ".join(part.partition("=")[2] for part in value.split("; ")[:2]))
        zendesk.clock.move(seconds)
    assert found == named


def test_jobs_of_other_users_leave_fewer_slots(start: Start) -> None:
    zendesk = start(scale=1.0, other_jobs=29)
    first = zendesk.tag(zendesk.ids(count=1), additional_tags=["a"])
    refused = zendesk.update_many(zendesk.ids(), additional_tags=["b"])
    assert refused.status_code == 429
    current = refused.json()["current_job_ids"]
    assert (len(current), first in current) == (30, True)
    zendesk.sandbox.configure(other_jobs=0)
    assert zendesk.update_many(zendesk.ids(), additional_tags=["b"]).status_code == 200
