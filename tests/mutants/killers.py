"""Which tests are run against the mutants of a module: few and quick ones, since each mutant costs a run."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ENGINE = "tests/jobs/engine"
PACING = f"{ENGINE}/pacing"
GUARDS = "tests/jobs/guards"
CHANGES = "tests/tagmanager/changes"
TOOLS = "tests/tagmanager/tools"
CLIENT = "tests/zendesk"

#: Packages to mutate, each with the tests for those of its modules that are not in `BY_MODULE`.
PACKAGES: dict[str, tuple[str, ...]] = {
    "jobs/guards": (GUARDS,),
    "jobs/engine": (ENGINE,),
    "jobs/engine/pacing": (PACING,),
    "tagmanager/changes": (CHANGES, TOOLS, "tests/tagmanager/test_ticket_change.py"),
    "zendesk/transport": (f"{CLIENT}/transport", f"{CLIENT}/test_client.py", f"{CLIENT}/test_connection.py"),
    "zendesk/records": (f"{CLIENT}/test_records.py",),
    "zendesk": (CLIENT,),
}

#: The order in which pytest is given the tests matters: it stops at the first failure.
BY_MODULE: dict[str, tuple[str, ...]] = {
    "jobs/guards/canary.py": (f"{GUARDS}/test_canary.py",),
    "jobs/guards/circuit_breaker.py": (f"{GUARDS}/test_circuit_breaker.py",),
    "jobs/guards/overlaps.py": (f"{GUARDS}/test_overlaps.py",),
    "jobs/guards/probes.py": (f"{GUARDS}/test_probes.py",),
    "jobs/engine/batch_queue.py": (f"{ENGINE}/test_refresher.py", f"{ENGINE}/test_sending.py"),
    "jobs/engine/batcher.py": (f"{ENGINE}/test_batcher.py", f"{ENGINE}/test_late_reading.py"),
    "jobs/engine/exactly_once.py": (f"{ENGINE}/test_once_decisions.py",),
    "jobs/engine/execution.py": (
        f"{ENGINE}/test_execution.py",
        f"{ENGINE}/test_sending.py",
        "tests/jobs/runtime/test_lease.py",
    ),
    "jobs/engine/id_set.py": (f"{ENGINE}/test_selection.py",),
    "jobs/engine/in_flight.py": (f"{ENGINE}/test_in_flight.py",),
    "jobs/engine/item_store.py": (f"{ENGINE}/test_item_store.py",),
    "jobs/engine/lost_search.py": (f"{ENGINE}/test_sending.py",),
    "jobs/engine/pacing/concurrency.py": (f"{ENGINE}/test_sending.py", f"{PACING}/test_concurrency.py"),
    "jobs/engine/pacing/poll_history.py": (f"{PACING}/test_poll_history.py",),
    "jobs/engine/pacing/poll_schedule.py": (f"{PACING}/test_poll_schedule.py",),
    "jobs/engine/pacing/slot_limit.py": (f"{PACING}/test_slot_limit.py",),
    "jobs/engine/pipeline.py": (f"{ENGINE}/test_sending.py", f"{ENGINE}/test_pipeline.py"),
    "jobs/engine/refresher.py": (f"{ENGINE}/test_refresher.py",),
    "jobs/engine/selection.py": (f"{ENGINE}/test_listing.py",),
    "jobs/engine/settlement.py": (f"{ENGINE}/test_settlement.py",),
    "jobs/engine/settler.py": (f"{ENGINE}/test_settler.py",),
    "jobs/engine/source_reader.py": (f"{ENGINE}/test_listing.py",),
    "tagmanager/changes/closed_tickets.py": (f"{CHANGES}/test_closed_tickets.py",),
    "tagmanager/changes/engine_adapter.py": (
        f"{CHANGES}/test_engine_adapter.py",
        f"{CHANGES}/test_errors_for_the_engine.py",
    ),
    "tagmanager/changes/guard_tag.py": (f"{CHANGES}/test_guarded_change.py",),
    "tagmanager/changes/ticket_work.py": (f"{CHANGES}/test_ticket_work.py",),
    "tagmanager/changes/undo.py": (f"{CHANGES}/test_undo.py", "tests/tagmanager/test_ticket_change.py"),
    "zendesk/address.py": (f"{CLIENT}/test_address.py",),
    "zendesk/answer_headers.py": (f"{CLIENT}/test_answer_headers.py", f"{CLIENT}/test_client.py"),
    "zendesk/answers.py": (f"{CLIENT}/test_client.py", f"{CLIENT}/test_any_answer.py"),
    "zendesk/client.py": (
        f"{CLIENT}/test_client.py",
        f"{CLIENT}/test_connection.py",
        f"{CLIENT}/test_over_http.py",
    ),
    "zendesk/connection.py": (f"{CLIENT}/test_connection.py", f"{CLIENT}/test_client.py"),
    "zendesk/credentials.py": (f"{CLIENT}/test_credentials.py", f"{CLIENT}/test_secrets.py"),
    "zendesk/error_body.py": (f"{CLIENT}/test_error_body.py", f"{CLIENT}/transport/test_error_mapping.py"),
    "zendesk/errors.py": (f"{CLIENT}/transport/test_error_mapping.py", f"{CLIENT}/test_client.py"),
    "zendesk/job_status.py": (f"{CLIENT}/test_job_status.py",),
    "zendesk/pages.py": (f"{CLIENT}/test_pages.py", f"{CLIENT}/test_client.py"),
    "zendesk/records/setup.py": (f"{CLIENT}/test_setup.py",),
    "zendesk/tags.py": (f"{CLIENT}/test_tags.py",),
    "zendesk/ticket_requests.py": (f"{CLIENT}/test_client.py", f"{CLIENT}/test_over_http.py"),
    "zendesk/transport/deadline.py": (f"{CLIENT}/transport/test_deadline.py",),
    "zendesk/transport/error_mapping.py": (f"{CLIENT}/transport/test_error_mapping.py",),
    "zendesk/transport/gate.py": (f"{CLIENT}/transport/test_gate.py",),
    "zendesk/transport/limits.py": (f"{CLIENT}/transport/test_limits.py",),
    "zendesk/transport/pending.py": (
        f"{CLIENT}/transport/test_pending.py",
        f"{CLIENT}/transport/test_gate.py",
    ),
    "zendesk/transport/retry.py": (
        f"{CLIENT}/transport/test_retry_budget.py",
        f"{CLIENT}/transport/test_retry.py",
    ),
}


def modules(wanted: list[str]) -> list[str]:
    """The modules to mutate whose paths begin with these words, in that order; all of them for none."""
    found = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).glob("*.py"))
        if path.name != "__init__.py"
    ]
    chosen = [name for word in wanted or [""] for name in found if name.startswith(word)]
    return list(dict.fromkeys(chosen))


def killers_of(module: str) -> tuple[str, ...]:
    return BY_MODULE.get(module) or PACKAGES[str(Path(module).parent)]
