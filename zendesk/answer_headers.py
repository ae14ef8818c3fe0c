"""What the headers of an answer to a queued bulk job say: slots for more of them, and ignored parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from zendesk.error_body import one_line

_SLOTS = re.compile(r"(?:zendesk-rate-?limit-)?inflight-jobs", re.IGNORECASE)
_SLOT_PART = re.compile(r"(total|remaining)\s*=\s*([0-9]{1,9})(?![0-9.])", re.IGNORECASE)
_LIST = re.compile(r"(?:unpermitted_keys|invalid_values)\W*?[=:]>?\s*\[(.*?)\]", re.DOTALL)
_NAME = re.compile(r"[\w.\-]+")


@dataclass(frozen=True, slots=True)
class JobSlots:
    """How many bulk jobs the account may have queued or running, those of all its users together."""

    total: int
    free: int

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> JobSlots | None:
        """From `inflight-jobs`, with or without the usual beginning of limits; None without a whole one."""
        for name, value in headers.items():
            parts = {key.lower(): int(number) for key, number in _SLOT_PART.findall(value)}
            if _SLOTS.fullmatch(name) and parts.keys() == {"total", "remaining"}:
                return cls(parts["total"], min(parts["remaining"], parts["total"]))
        return None


@dataclass(frozen=True, slots=True)
class IgnoredPart:
    """What Zendesk says it ignores of a call that it accepts with 200."""

    text: str  # the header as one line
    keys: frozenset[str]  # the last part of each key that it names: ``additional_tags``

    def names(self, key: str) -> bool:
        """Whether the warning is about this key. Where its lists cannot be told apart, any mention counts."""
        if self.keys:
            return key in self.keys
        return bool(re.search(rf"(?<!\w){re.escape(key)}(?!\w)", self.text))


def ignored_part(headers: Mapping[str, str]) -> IgnoredPart | None:
    """None without the header."""
    given = {name.lower(): value for name, value in headers.items()}
    text = given.get("x-zendesk-api-warn", "")
    if not text.strip():
        return None
    named = (name for listed in _LIST.findall(text) for name in _NAME.findall(listed))
    return IgnoredPart(one_line(text), frozenset(name.rpartition(".")[2] for name in named))
