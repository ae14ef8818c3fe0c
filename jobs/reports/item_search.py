"""Finds items within one job by a word: a reason, or a tag that the item had, gains or loses."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from jobs.models import Item

#: Items read by one search, so that it is as fast in a job with a million of them.
SEARCHED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search, in the order of the refs."""

    rows: list[Item]
    after: int | None  # the search goes on after this ref; None: every item was searched
    before: None = None  # the browser's Back leads to the page before


def find_items(
    items: QuerySet[Item], word: str, *, after: int | None, size: int, at_once: int = SEARCHED_AT_ONCE
) -> Found:
    """Up to `size` items with this reason or tag among the next `at_once` ones; two queries."""
    ahead = items.order_by("ref") if after is None else items.filter(ref__gt=after).order_by("ref")
    last = ahead.values_list("ref", flat=True)[at_once - 1 : at_once].first()
    part = ahead if last is None else ahead.filter(ref__lte=last)
    # A database compares the stored text, where letters outside ASCII may be escaped and the names of keys
    # look like tags; what it finds is checked below.
    quoted = {json.dumps(word), json.dumps(word, ensure_ascii=False)}
    holds = Q(reason=word)
    for text in quoted:
        holds |= Q(before_text__contains=text) | Q(change_text__contains=text)
    texts = {f"{name}_text": Cast(name, TextField()) for name in ("before", "change")}
    candidates = list(part.annotate(**texts).filter(holds)[: size + 1])
    shown = candidates[:size]
    return Found(
        rows=[item for item in shown if item.reason == word or word in _tags(item)],
        after=shown[-1].ref if len(candidates) > size else last,
    )


def _tags(item: Item) -> set[str]:
    before, change = item.before or {}, item.change or {}
    return {*before.get("tags", []), *change.get("add", []), *change.get("remove", [])}
