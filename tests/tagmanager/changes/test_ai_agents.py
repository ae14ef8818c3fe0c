"""Tickets that an AI agent handles: counted, named, left out on request; a refusal is each one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from jobs.engine import lost_search
from jobs.models import Job
from jobs.presentation.job_summary import request_summary
from jobs.reports import recount
from jobs.states import FollowUp, Outcome
from tagmanager.changes.ai_agents import AI_AGENT
from tagmanager.changes.job_options import JobOptions
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.previews.warnings import warnings_of
from tests.demo import Demo, counts, demo_zendesk, follow, outcomes, run, submit
from tests.processes import command

NO_AI_AGENT = TicketFilter(no_ai_agent=True)


@pytest.fixture
def demo(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    with demo_zendesk(settings, ai_agent_tickets=3) as running:
        yield running
        assert list(recount.drifts()) == []


def held(demo: Demo) -> list[int]:
    return sorted(demo.account.store.ids[slot] for slot in demo.account.store.ai_agent)


def both(demo: Demo) -> list[int]:
    """Three that an AI agent handles and three that none handles."""
    return [*held(demo), *[ref for ref in demo.open_tickets if ref not in held(demo)][:3]]


def test_a_preview_counts_and_names_them(demo: Demo) -> None:
    job = run(submit(refs=both(demo), dry_run=True, add=["brand-new"]))
    assert (job.planned, job.kinds) == (6, {AI_AGENT: 3})
    (said,) = [each.text for each in warnings_of(job).all if "AI agent" in each.text]
    assert said.startswith(
        f"An AI agent handles 3 of the tickets that would change: {', '.join(map(str, held(demo)))}. "
    )
    history = job.transitions.filter(why__contains="The list is complete").get()
    assert "6 would change (3 AI agent)" in history.why


def test_a_refusal_is_each_tickets_own(demo: Demo) -> None:
    job = run(submit(refs=both(demo), add=["brand-new"]))
    assert outcomes(job) == {ref: "failed" if ref in held(demo) else "changed" for ref in both(demo)}


def test_one_that_ignores_the_change_in_silence_stops_nobody_else(demo: Demo) -> None:
    demo.account.configure(ai_agent_updates="ignored")
    job = run(submit(refs=both(demo), add=["brand-new"]))
    assert (job.status, job.verified) == ("partial", 3)
    assert outcomes(job) == {ref: "failed" if ref in held(demo) else "changed" for ref in both(demo)}
    (reason,) = set(job.items.filter(outcome=Outcome.FAILED).values_list("reason", "detail"))
    assert reason[0] == "ai_agent"
    assert reason[1].endswith("Zendesk accepted the change and did not make it.")


def test_the_filter_leaves_them_out_of_the_job(demo: Demo) -> None:
    job = run(submit(refs=both(demo), only=NO_AI_AGENT, add=["brand-new"]))
    assert outcomes(job) == {ref: "changed" for ref in both(demo) if ref not in held(demo)}
    assert dict(request_summary(job))["Only tickets that"] == "no AI agent handles"


def test_one_that_was_handed_over_since_the_reading_is_not_sent(demo: Demo) -> None:
    ours, handed, escalated = [ref for ref in demo.open_tickets if ref not in held(demo)][:2] + held(demo)[:1]
    preview = run(submit(refs=[ours, handed, escalated], only=NO_AI_AGENT, dry_run=True, add=["brand-new"]))
    assert outcomes(preview) == {ours: "planned", handed: "planned"}
    demo.account.set_ai_agent(handed, holds=True)
    job = follow(preview, FollowUp.RUN)
    assert outcomes(job) == {ours: "changed", handed: "skipped"}
    assert job.items.get(outcome=Outcome.SKIPPED).detail == (
        "An AI agent handles it, and only tickets that none handles are to be changed."
    )


def test_an_escalated_one_is_a_ticket_like_any_other(demo: Demo) -> None:
    ref = held(demo)[0]
    demo.account.set_ai_agent(ref, holds=False)
    assert counts(run(submit(refs=[ref], only=NO_AI_AGENT, add=["brand-new"]))) == {"changed": 1}


def test_a_search_finds_them_by_its_keyword(demo: Demo) -> None:
    job = run(submit(search="support_type:ai_agent", dry_run=True, add=["brand-new"]))
    assert sorted(outcomes(job)) == held(demo)


def test_the_command_leaves_them_out(demo: Demo) -> None:
    ids = ",".join(map(str, both(demo)))
    ran = command("tag_tickets", "--ids", ids, "--add", "brand-new", "--no-ai-agent", "--yes")
    job = Job.objects.get()
    assert (ran.code, counts(job), JobOptions.of(job).only) == (0, {"changed": 3}, NO_AI_AGENT)
    assert job.title.endswith(", only those that no AI agent handles")


def test_rows_with_changes_of_their_own_can_leave_them_out_too(demo: Demo, tmp_path: Any) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,add,remove\n" + "".join(f"{ref},brand-new,\n" for ref in both(demo)))
    assert command("tag_tickets", "--rows", str(rows), "--no-ai-agent", "--yes").code == 0
    assert sorted(outcomes(Job.objects.get())) == [ref for ref in both(demo) if ref not in held(demo)]


def test_the_form_leaves_them_out_and_remembers_it(demo: Demo, web: Client) -> None:
    ids = " ".join(map(str, both(demo)))
    given = {"add": "brand-new", "ids": ids, "no_ai_agent": "on", "dry_run": "on", "nonce": "n"}
    web.post("/tools/bulk-tag/", given)
    job = Job.objects.get()
    assert (counts(job), JobOptions.of(job).only) == ({"planned": 3}, NO_AI_AGENT)
    page = web.get(f"/tools/bulk-tag/?again={job.pk}").content.decode()
    assert "checked" in page.split('name="no_ai_agent"')[1].split(">")[0]


@pytest.mark.parametrize(
    "only", [NO_AI_AGENT, TicketFilter(), TicketFilter(having=frozenset({"a"}), no_ai_agent=True)]
)
def test_the_filter_is_stored_and_read_again(only: TicketFilter) -> None:
    assert TicketFilter.from_json(only.to_json()) == only
