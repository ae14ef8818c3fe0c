"""`apply_macro`: each ticket ends as Zendesk's own preview of the macro shows it, and undo puts it back."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from jobs.models import Job
from jobs.states import FollowUp
from tests.commands.conftest import Ran, command
from tests.demo import Demo, counts, follow
from zendesk import sandbox as zd

COMPARED = ("tags", "status", "type", "priority", "group_id", "assignee_id", "custom_fields")


def apply_macro(*arguments: str) -> Ran:
    return command("apply_macro", *arguments)


def joined(refs: list[int]) -> str:
    return ",".join(map(str, refs))


def read(demo: Demo, path: str) -> Any:
    answer = requests.get(
        f"{demo.url}/api/v2/{path}", headers={"Authorization": f"Bearer {zd.BEARER_TOKEN}"}, timeout=30
    )
    answer.raise_for_status()
    return answer.json()


def compared(ticket: dict[str, Any]) -> dict[str, Any]:
    fields = sorted(((field["id"], field["value"]) for field in ticket["custom_fields"]), key=lambda f: f[0])
    return {name: ticket[name] for name in COMPARED} | {"tags": set(ticket["tags"]), "custom_fields": fields}


def truth(demo: Demo, refs: list[int]) -> dict[int, dict[str, Any]]:
    return {ref: compared(read(demo, f"tickets/{ref}.json")["ticket"]) for ref in refs}


def previews(demo: Demo, refs: list[int], macro: int) -> dict[int, dict[str, Any]]:
    """What the demo Zendesk itself says the macro would make of each ticket."""
    path = "tickets/{}/macros/{}/apply.json"
    return {ref: compared(read(demo, path.format(ref, macro))["result"]["ticket"]) for ref in refs}


@pytest.mark.parametrize(
    "macro", [zd.MACRO_ESCALATE, zd.MACRO_CLOSE_SPAM, zd.MACRO_UNTAG, zd.MACRO_RESET_TAGS]
)
def test_every_ticket_ends_as_zendesks_own_preview_shows_it_and_undo_puts_it_back(
    demo: Demo, macro: int
) -> None:
    refs = demo.open_tickets[:60]
    before, wished = truth(demo, refs), previews(demo, refs, macro)
    ran = apply_macro("--ids", joined(refs), "--macro", str(macro), "--yes")
    job = Job.objects.get()
    changed = sum(wished[ref] != before[ref] for ref in refs)
    left = len(refs) - changed
    assert (ran.code, counts(job)) == (0, {"changed": changed} | ({"unchanged": left} if left else {}))
    assert truth(demo, refs) == wished
    assert demo.account.ledger.updates.total() == changed
    assert counts(follow(job, FollowUp.UNDO)) == {"changed": changed}
    assert truth(demo, refs) == before


def test_a_dropdown_is_set_and_put_back_with_its_tag(demo: Demo) -> None:
    refs = demo.open_tickets[:40]
    before, wished = truth(demo, refs), previews(demo, refs, zd.MACRO_SOLVE_FIXED)
    apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_SOLVE_FIXED), "--without", "--yes")
    for ref, ticket in truth(demo, refs).items():
        # A preview shows the field and not yet the tag that comes with it.
        tags = {tag for tag in before[ref]["tags"] if not tag.startswith("resolution_")}
        as_left = {"assignee_id": before[ref]["assignee_id"], "tags": tags | {"resolution_fixed"}}
        assert ticket == wished[ref] | as_left
    follow(Job.objects.get(), FollowUp.UNDO)
    assert truth(demo, refs) == before


def test_what_cannot_be_done_is_told_before_and_nothing_is_made(demo: Demo) -> None:
    ran = apply_macro("--ids", str(demo.open_tickets[0]), "--macro", str(zd.MACRO_SOLVE_FIXED), "--yes")
    assert ran.code == 2
    assert (
        "It would lack: the assignee (whoever applies it: from here that would be the connected user); "
        "its comment."
    ) in ran.err
    assert not Job.objects.exists()


def test_with_the_rest_left_out_no_comment_is_posted_and_the_job_says_so(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    ran = apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_NOTE), "--without", "--yes")
    assert ran.code == 0
    assert "Of the macro this is left out: its comment." in ran.out + ran.err
    title = "Apply the macro “Note: checked by the night shift”, in part, to 3 tickets given by number"
    assert Job.objects.get().title == title
    ledger = demo.account.ledger
    assert ledger.public_comments.total() + ledger.internal_comments.total() == 0
    assert all("night_shift" in demo.tags(ref) for ref in refs)


def test_a_lost_answer_is_told_by_the_fields_and_no_ticket_is_written_twice(demo: Demo) -> None:
    refs = demo.open_tickets[:30]
    wished = previews(demo, refs, zd.MACRO_ESCALATE)
    demo.fault("reset_after", times=1)
    assert apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_ESCALATE), "--yes").code == 0
    assert truth(demo, refs) == wished
    assert max(demo.account.ledger.updates.values()) == 1


def test_a_dry_run_writes_nothing_and_its_run_applies_the_macro(demo: Demo) -> None:
    refs = demo.open_tickets[:5]
    before, wished = truth(demo, refs), previews(demo, refs, zd.MACRO_ESCALATE)
    ran = apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_ESCALATE), "--dry-run")
    assert (ran.code, truth(demo, refs)) == (0, before)
    follow(Job.objects.get(), FollowUp.RUN)
    assert truth(demo, refs) == wished


@pytest.mark.parametrize(
    ("macro", "sentence"),
    [
        (zd.MACRO_INACTIVE, "is not active. Activate it in Zendesk"),
        (1, "There is no macro 1 in Zendesk"),
        (0, "The number of a macro is a whole number"),
    ],
)
def test_a_macro_that_cannot_be_applied_is_refused_with_a_sentence(
    demo: Demo, macro: int, sentence: str
) -> None:
    ran = apply_macro("--ids", str(demo.open_tickets[0]), "--macro", str(macro), "--yes")
    assert (ran.code, sentence in ran.err) == (2, True)


def test_where_zendesk_cannot_be_reached_the_command_could_not_run(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_SECRET = "wrong-secret"
    assert apply_macro("--ids", "1", "--macro", "1", "--yes").code == 1
