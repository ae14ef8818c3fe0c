"""`remove_tags`: which tags it takes, what it says first, and what it refuses."""

from __future__ import annotations

import json

import pytest

from jobs.models import Job
from jobs.states import FollowUp
from tests.demo import Demo, follow
from tests.processes import Ran, command


def remove_tags(*arguments: str) -> Ran:
    return command("remove_tags", *arguments)


@pytest.fixture
def temporary(demo: Demo) -> list[int]:
    """Three tickets with temp_a, two of them with temp_b too."""
    refs = demo.open_tickets[:3]
    for ref in refs:
        demo.account.edit(ref, add=["temp_a"])
    for ref in refs[:2]:
        demo.account.edit(ref, add=["temp_b"])
    return refs


def truth(demo: Demo) -> dict[int, set[str]]:
    return {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}


def test_the_tags_are_listed_and_then_taken_off_every_ticket(demo: Demo, temporary: list[int]) -> None:
    before = truth(demo)
    ran = remove_tags("--pattern", "temp_*", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.changed, job.params["remove"]) == (0, 3, ["temp_a", "temp_b"])
    assert ran.out.splitlines()[:3] == [
        (
            "temp_* means 2 tags. By Zendesk's own list, which knows the tags of the last 60 days only; "
            "manage.py tag_inventory --count counts all tickets."
        ),
        "  temp_a: 3 tickets",
        "  temp_b: 2 tickets",
    ]
    assert truth(demo) == {ref: tags - {"temp_a", "temp_b"} for ref, tags in before.items()}
    follow(job, FollowUp.UNDO)
    assert truth(demo) == before


def test_some_can_be_kept_and_a_source_narrows(demo: Demo, temporary: list[int]) -> None:
    ran = remove_tags("--pattern", "temp_*", "--keep", "*_b", "--ids", str(temporary[0]), "--yes")
    assert (ran.code, Job.objects.get().changed) == (0, 1)
    assert "temp_b" in demo.tags(temporary[0])
    assert "temp_a" in demo.tags(temporary[1])


def test_json_stands_alone_on_standard_output(demo: Demo, temporary: list[int]) -> None:
    ran = remove_tags("--pattern", "temp_?", "--dry-run", "--output", "json")
    assert json.loads(ran.out)["planned"] == 3
    assert "temp_a: 3 tickets" in ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--pattern", "*", "--yes"], "--pattern: * would mean every tag, or nearly so."),
        (["--pattern", "nothing_*", "--yes"], "No tag that is known fits nothing_*."),
        (["--pattern", "temp_*", "--keep", "temp_?", "--yes"], "No tag that is known fits temp_*."),
        (["--pattern", "temp_*"], "Add --yes to do it."),
    ],
)
def test_what_cannot_be_done_is_said_before_a_job_is_made(
    demo: Demo, temporary: list[int], arguments: list[str], sentence: str
) -> None:
    ran = remove_tags(*arguments)
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert sentence in ran.err
