"""The tool that changes each ticket by its own row: form, job, and the form again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from tests.demo import Demo, demo_zendesk

PATH = "/tools/tag-rows/"


@pytest.fixture
def demo(web: Client, settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings) as running:
        yield running


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def test_rows_are_typed_previewed_and_asked_for_again(web: Client, demo: Demo) -> None:
    first, second = demo.open_tickets[:2]
    rows = f"id,add,remove\n{first},east,\n{second},west,none"
    page = web.post(PATH, {"typed_rows": rows, "dry_run": "on", "nonce": "n"}, follow=True)
    job = Job.objects.get()
    assert (job.title, job.planned) == ("Change the tags of 2 tickets given by number, row by row", 2)
    assert "2 will change" in words(page.content)
    again = web.get(f"{PATH}?again={job.pk}").content.decode()
    assert rows in again.replace("\r", "")


def test_a_file_of_rows_is_taken(web: Client, demo: Demo) -> None:
    ref = demo.open_tickets[0]
    file = SimpleUploadedFile("east.csv", f"id;add\n{ref};east\n{ref};east\n".encode())
    page = web.post(PATH, {"rows": file, "nonce": "n"}, follow=True)
    assert "1 row says again what an earlier row says" in words(page.content)
    assert "east" in demo.tags(ref)


def test_an_error_is_shown_and_the_typed_rows_stay(web: Client, demo: Demo) -> None:
    page = web.post(PATH, {"typed_rows": "id,add\nx,vip", "nonce": "n"})
    assert "Line 2: &#x27;x&#x27; is not a ticket number." in page.content.decode()
    assert "x,vip" in page.content.decode()
    assert "On which tickets" not in page.content.decode()
    assert not Job.objects.exists()


def test_rows_are_given_as_text_or_as_a_file(web: Client, demo: Demo) -> None:
    file = SimpleUploadedFile("rows.csv", b"id,add\n7,east\n")
    page = web.post(PATH, {"typed_rows": "id,add\n7,east", "rows": file, "nonce": "n"})
    assert "Give the rows as text or as a file, not both." in page.content.decode()
    page = web.post(PATH, {"nonce": "n"})
    assert "Give at least one row: a ticket number, and tags to add or to remove." in page.content.decode()
    picture = SimpleUploadedFile("rows.csv", b"\x89PNG\r\n")
    page = web.post(PATH, {"rows": picture, "nonce": "n"})
    assert "The file is a picture." in page.content.decode()
