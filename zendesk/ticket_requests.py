"""Requests that read or change up to 100 tickets by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zendesk.calls import Kind, Request

MAX_IDS = 100  # in one show_many or update_many (developer.zendesk.com, tickets)


def show_many_request(ids: Sequence[int], kind: Kind = "read") -> Request:
    params = {"ids": _ids_param(list(dict.fromkeys(ids)))}
    return Request("GET", "/api/v2/tickets/show_many.json", params, kind=kind)


def update_many_request(ids: Sequence[int], change: Mapping[str, object]) -> Request:
    return _update({"ids": _ids_param(ids)}, {"ticket": dict(change)})


def update_each_request(changes: Sequence[Mapping[str, object]]) -> Request:
    ids = [id_ for change in changes if type(id_ := change.get("id")) is int]
    if len(ids) < len(changes):
        raise ValueError("Each change must name its ticket by a numeric id.")
    _ids_param(ids)
    return _update({}, {"tickets": [dict(change) for change in changes]})


def _update(params: Mapping[str, str | int], body: Mapping[str, object]) -> Request:
    return Request("PUT", "/api/v2/tickets/update_many.json", params, body, kind="write")


def _ids_param(ids: Sequence[int]) -> str:
    """Ticket ids as a parameter. Duplicates are refused: Zendesk does not document what it does with them."""
    if not 1 <= len(ids) <= MAX_IDS:
        raise ValueError(f"A call takes 1 to {MAX_IDS} tickets, not {len(ids)}.")
    if any(type(id_) is not int or id_ < 1 for id_ in ids):
        raise ValueError("Ticket ids are whole numbers from 1.")
    if len(set(ids)) < len(ids):
        raise ValueError("A ticket must not occur twice in one call.")
    return ",".join(map(str, ids))
