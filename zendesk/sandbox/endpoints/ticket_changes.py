"""What the update endpoints share: reading a change, checking its stamp, warning about dropped keys."""

from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.errors import invalid_attribute, invalid_record, update_conflict
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets import updates


def warn_dropped(request: Request, action: str, unpermitted: list[str]) -> None:
    if unpermitted:
        keys = ", ".join(f'"{key}"' for key in unpermitted)
        request.extra_headers["x-zendesk-api-warn"] = (
            f'{{:allowed_parameters=>{{:controller=>"tickets", :action=>"{action}", '
            f":unpermitted_keys=>[{keys}], :invalid_values=>[]}}}}"
        )


def ticket_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_attribute("ticket", "Must be an object.")
    return value


def check_stamp(sandbox: Sandbox, slot: int, change: dict[str, Any]) -> None:
    """Raise `ApiError` 409 if the ticket changed after the stamp. Even `safe_update: false` turns this on."""
    if "safe_update" not in change:
        return
    stamp = change.get("updated_stamp")
    if not isinstance(stamp, str):
        raise invalid_attribute("updated_stamp", "Is needed for a safe update.")
    if sandbox.store.updated(slot) > parse_stamp(stamp):
        raise update_conflict()


def parse_stamp(stamp: str) -> float:
    try:
        return timestamps.parse(stamp)
    except ValueError:
        raise invalid_attribute("updated_stamp", "Must be an ISO 8601 time.") from None


def apply_one(sandbox: Sandbox, slot: int, change: dict[str, Any], *, many: bool = False) -> None:
    """Update one ticket now. Raises `ApiError` 422 if the ticket does not allow it."""
    ledger = sandbox.ledger
    ledger.sent[sandbox.store.ids[slot]] += 1
    try:
        updates.apply_change(
            sandbox.store,
            slot,
            change,
            options=sandbox.options,
            ledger=ledger,
            audits=sandbox.audits,
            at=sandbox.now(),
            many=many,
        )
    except updates.UpdateRejected as refused:
        raise invalid_record(refused.problem.as_details()) from refused
