"""Changes that differ from ticket to ticket travel whole: all tags of the ticket, with its stamp."""

from __future__ import annotations

import html
from typing import Any

import pytest

from jobs.models import Job
from jobs.states import FollowUp, Outcome
from tests.demo import Demo, counts, follow
from tests.processes import command
from zendesk import sandbox as zd

pytestmark = pytest.mark.once

TREATMENTS = ("done", "warned", "ignored")


def make(demo: Demo, *actions: tuple[str, Any]) -> str:
    """A macro of the demo with these actions; its number."""
    demo.account.edit_macro(4711, actions=actions)
    return "4711"


def apply(demo: Demo, macro: str, refs: list[int], *options: str) -> Job:
    ids = ",".join(map(str, refs))
    ran = command("apply_macro", "--ids", ids, "--macro", macro, "--yes", *options)
    assert ran.code == 0, ran.err
    return Job.objects.latest("pk")


@pytest.mark.parametrize("treatment", TREATMENTS)
@pytest.mark.parametrize("macro", [zd.MACRO_NOTE, zd.MACRO_RESET_TAGS, zd.MACRO_HOSTILE])
def test_a_ticket_called_changed_has_the_tags_whatever_the_batch_form_ignores(
    demo: Demo, treatment: str, macro: int
) -> None:
    demo.account.configure(batch_tag_changes=treatment)
    refs = demo.open_tickets[:30]
    before = {ref: demo.tags(ref) for ref in refs}
    mails = ("--yes-email", "30") if macro == zd.MACRO_HOSTILE else ()
    job = apply(demo, str(macro), refs, *mails)
    known = {zd.MACRO_NOTE: {"night_shift"}, zd.MACRO_HOSTILE: {"hostile"}}
    wished = {ref: before[ref] | known[macro] if macro in known else {"triage"} for ref in refs}
    assert {ref: demo.tags(ref) for ref in refs} == wished
    assert counts(job).keys() == {Outcome.CHANGED.value}
    follow(job, FollowUp.UNDO)
    assert {ref: demo.tags(ref) for ref in refs} == before


def test_a_guard_tag_travels_with_them_and_comes_off(demo: Demo) -> None:
    demo.account.configure(batch_tag_changes="ignored")
    refs = demo.open_tickets[:3]
    before = {ref: demo.tags(ref) for ref in refs}
    apply(demo, str(zd.MACRO_NOTE), refs, "--guard", "bulk_update", "--guard-stays")
    assert {ref: demo.tags(ref) for ref in refs} == {
        ref: tags | {"night_shift", "bulk_update"} for ref, tags in before.items()
    }
    follow(Job.objects.latest("pk"), FollowUp.UNGUARD)
    assert {ref: demo.tags(ref) for ref in refs} == {
        ref: tags | {"night_shift"} for ref, tags in before.items()
    }


def test_an_option_of_a_dropdown_replaces_the_one_that_stood_there_and_undo_brings_that_back(
    demo: Demo,
) -> None:
    """In the whole list the order would decide: `product_api` comes before the option that it replaces."""
    note = ("comment_value", "Moved."), ("comment_mode_is_public", "false")
    macro = make(demo, ("current_tags", "product_api"), *note)
    ref = demo.open_tickets[0]
    options = {"product_app", "product_hardware", "product_api", "product_billing"}
    demo.account.edit(ref, add=["product_billing"])
    others = demo.tags(ref) - options
    job = apply(demo, macro, [ref])
    assert demo.tags(ref) == others | {"product_api"}
    follow(job, FollowUp.UNDO)
    assert demo.tags(ref) == others | {"product_billing"}


def test_where_no_tag_changes_none_is_sent(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can then have taken a tag off that this job brings back."""
    note = ("comment_value", html.escape("Seen.")), ("comment_mode_is_public", "false")
    macro = make(demo, ("priority", "high"), *note)
    sent: list[dict[str, Any]] = []
    begin = demo.account.jobs.queue

    def queue(updates: list[Any], *others: Any) -> Any:
        sent.extend(update.change for update in updates)
        return begin(updates, *others)

    monkeypatch.setattr(demo.account.jobs, "queue", queue)
    apply(demo, macro, demo.open_tickets[:3])
    assert [sorted(change.keys() & {"tags", "additional_tags", "remove_tags"}) for change in sent] == [[]] * 3
