"""Searching macros: what is found, what is shown, and what is downloaded."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from django.test import Client
from pytest_django import Settings

from tests.demo import zendesk_away
from zendesk import sandbox

pytestmark = pytest.mark.once

PATH = "/tools/macro-search/"


def titles(web: Client, **query: str | list[str]) -> list[str]:
    answer = web.get(PATH, {"format": "json", **query})
    return [macro["title"] for macro in json.loads(answer.content)]


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_without_a_query_all_macros_are_listed_active_ones_first(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    page = web.get(PATH)
    rows = json.loads(web.get(PATH, {"format": "json"}).content)
    assert f"{len(rows)} macros" in words(page.content)
    order = [(not row["active"], row["title"].lower()) for row in rows]
    assert order == sorted(order)
    assert {row["active"] for row in rows} == {True, False}
    for row in rows:
        assert row["address"].endswith(f"/macros/{row['id']}")
        assert f'href="{row["address"]}"' in page.content.decode()


def test_all_words_must_occur_in_the_selected_parts(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    assert titles(web, q="CHURN_risk vip") == ["No longer vip"]
    assert titles(web, q="churn_risk", **{"in": ["title", "comment"]}) == []
    assert titles(web, q="churn_risk", **{"in": ["tags"]}) == ["No longer vip"]
    assert titles(web, q="no such words") == []
    assert "No macro has all of these words there." in words(web.get(PATH, {"q": "no such words"}).content)


def test_the_comment_of_a_macro_is_searched_as_plain_text(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    rows = json.loads(web.get(PATH, {"format": "json"}).content)
    speaking = next(row for row in rows if row["comment"])
    word = max(re.findall(r"[a-z]+", speaking["comment"]), key=len)
    assert speaking["title"] in titles(web, q=word.upper(), **{"in": ["comment"]})
    assert speaking["does"]
    told = [does for row in rows for does in row["does"]]
    assert [does for does in told if "comment_value" in does or "comment value" in does] == []


def test_groups_fields_and_the_current_user_are_shown_by_name(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    rows = json.loads(web.get(PATH, {"format": "json"}).content)
    does = {row["title"]: row["does"] for row in rows}
    assert does["Escalate to the specialists"] == [
        "priority: high",
        "group: Escalations",
        "add tags: escalated needs_review",
    ]
    assert does["Fixed: tell the customer"] == [
        "status: solved",
        "Resolution: resolution_fixed",
        "assignee: the person who applies it",
        "public comment: yes",
    ]


def test_a_csv_has_the_same_macros_with_harmless_cells(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    rows = list(csv.DictReader(io.StringIO(web.get(PATH, {"format": "csv"}).content.decode())))
    assert [row["title"].removeprefix("'") for row in rows] == titles(web)
    cells = [cell for row in rows for cell in row.values()]
    assert len(cells) > len(rows) > 1
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


@pytest.mark.parametrize(("kind", "status"), [("", 200), ("csv", 503), ("json", 503)])
def test_an_unavailable_zendesk_is_reported_with_a_sentence(
    web: Client, settings: Settings, kind: str, status: int
) -> None:
    with zendesk_away(settings):
        answer = web.get(PATH, {"format": kind} if kind else {})
    assert answer.status_code == status
    assert "cannot be reached" in words(answer.content)
    assert "Traceback" not in answer.content.decode()


def test_the_home_page_lists_it_among_the_tools(web: Client) -> None:
    page = web.get("/").content.decode()
    assert f'href="{PATH}">Search macros</a>' in page


def test_a_found_macro_links_to_applying_it(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    page = web.get(PATH, {"q": "churn_risk vip"}).content.decode()
    (link,) = re.findall(r'href="(/tools/apply-macro/\?macro=\d+)"', page)
    number = link.rpartition("=")[2]
    form = web.get(link).content.decode()
    assert re.search(rf'<option value="{number}" selected>|name="macro"[^>]*value="{number}"', form)
