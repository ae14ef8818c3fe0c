"""Removing tags by pattern: from a pattern over the ticks to a job, with and without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from jobs.states import FollowUp
from tests.demo import Demo, follow, zendesk_away
from tests.demo import demo_zendesk as running

PATH = "/tools/remove-pattern/"
NONCE = {"nonce": "a-nonce-of-this-test"}


@pytest.fixture
def demo(db: None, settings: Settings) -> Iterator[Demo]:
    """Some tickets with tags of one kind: temp_a on three, temp_b on two of these, temp_c on one other."""
    cache.clear()
    with running(settings, tickets=60) as demo:
        one, two, three, four = demo.open_tickets[:4]
        for ref in (one, two, three):
            demo.account.edit(ref, add=["temp_a"])
        for ref in (one, two):
            demo.account.edit(ref, add=["temp_b"])
        demo.account.edit(four, add=["temp_c", "temporary"])
        yield demo
    cache.clear()


def truth(demo: Demo) -> dict[int, set[str]]:
    return {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}


def ticks(page: str) -> dict[str, bool]:
    """The offered tags in their order, each with whether it is ticked."""
    found = re.findall(r'<input [^>]*name="tags" value="([^"]+)"( checked)?>', page)
    return {name: bool(checked) for name, checked in found}


def seen(page: str) -> str:
    (found,) = re.findall(r'name="seen" value="([^"]*)"', page)
    return str(found)


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_first_the_tags_are_shown_and_then_the_ticked_ones_are_removed(web: Client, demo: Demo) -> None:
    before = truth(demo)
    first = web.post(PATH, NONCE | {"patterns": "TEMP_*"})
    page = first.content.decode()
    assert "These are the 3 tags that fit." in words(first.content)
    assert ticks(page) == {"temp_a": True, "temp_b": True, "temp_c": True}
    assert Job.objects.count() == 0
    web.post(PATH, NONCE | {"patterns": "TEMP_*", "seen": seen(page), "tags": ["temp_a", "temp_c"]})
    job = Job.objects.get()
    assert (job.status, job.changed, job.title) == (
        "succeeded",
        4,
        "Remove temp_a, temp_c from tickets tagged temp_a or temp_c",
    )
    assert job.params == {"patterns": ["temp_*"], "remove": ["temp_a", "temp_c"], "include_closed": False}
    assert truth(demo) == {ref: tags - {"temp_a", "temp_c"} for ref, tags in before.items()}
    follow(job, FollowUp.UNDO)
    assert truth(demo) == before


def test_ticks_outlive_a_change_of_the_patterns(web: Client, demo: Demo) -> None:
    part = web.get("/tools/parts/meant", {"patterns": "temp_a temp_b"}).content.decode()
    assert ticks(part) == {"temp_a": True, "temp_b": True}
    part = web.get(
        "/tools/parts/meant", {"patterns": "temp_? temporary", "seen": seen(part), "tags": ["temp_a"]}
    ).content.decode()
    assert ticks(part) == {"temp_a": True, "temp_b": False, "temp_c": True, "temporary": True}
    assert "3 tickets" in words(part.encode())
    assert "knows the tags of the last 60 days only" in words(part.encode())


def test_the_same_pattern_on_a_chosen_source_and_again(web: Client, demo: Demo) -> None:
    ref = demo.open_tickets[0]
    filled = {"patterns": "temp_*", "seen": "temp_*", "tags": ["temp_a"], "ids": str(ref)}
    web.post(PATH, NONCE | filled)
    job = Job.objects.get()
    assert (job.title, job.changed) == ("Remove temp_a from 1 ticket given by number", 1)
    page = web.get(PATH, {"again": job.pk}).content.decode()
    assert ticks(page) == {"temp_a": True, "temp_b": False, "temp_c": False}
    assert seen(page) == "temp_*"


def test_an_address_may_name_the_patterns(web: Client, demo: Demo) -> None:
    assert ticks(web.get(PATH, {"patterns": "temp_c"}).content.decode()) == {"temp_c": True}


def test_a_count_of_all_tickets_is_the_list_where_there_is_one(web: Client, demo: Demo) -> None:
    web.post("/tools/tag-inventory/count")
    part = words(web.get("/tools/parts/meant", {"patterns": "temp_*"}).content)
    assert "As counted on all tickets ," in part


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"patterns": "*"}, "* would mean every tag, or nearly so."),
        ({"patterns": "temp_a ?*"}, "?* would mean every tag, or nearly so."),
        ({"patterns": "temp_[ab]"}, "temp_[ab]: temp_[ab] would be stored as temp_ab"),
        ({"patterns": ""}, "Give at least one pattern, such as temp_*."),
        ({"patterns": "nothing_*"}, "No tag that is known fits. Look at the patterns."),
        ({"patterns": "temp_*", "seen": "temp_*"}, "Tick at least one of the tags."),
        ({"patterns": "temp_*", "seen": "temp_*", "tags": "vip"}, "Tick at least one of the tags."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_started(
    web: Client, demo: Demo, filled: dict[str, str], sentence: str
) -> None:
    assert sentence in words(web.post(PATH, NONCE | filled).content)
    assert Job.objects.count() == 0


def test_an_away_zendesk_is_reported_where_the_tags_would_stand(web: Client, settings: Settings) -> None:
    with zendesk_away(settings):
        page = words(web.post(PATH, NONCE | {"patterns": "temp_*"}).content)
    assert "The tags of the account could not be read." in page
    assert "cannot be reached" in page
