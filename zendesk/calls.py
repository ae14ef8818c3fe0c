"""What is asked of the account, and what is told of it: a call before and after it went over the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["read", "write", "status", "token"]


@dataclass(frozen=True, slots=True)
class Request:
    """A call to make: what a client method asks of the transport."""

    method: str
    path: str  # below the base address, quoted, without the query
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    kind: Kind = "read"
    signed: bool = True
    has_own_limit: bool = False  # Zendesk counts its calls apart, and need not say so in the headers

    @property
    def endpoint(self) -> str:
        """The path with the ids blanked: what an endpoint limit most likely counts."""
        return f"{self.method} {re.sub(r'/[0-9]+(?=[/.]|$)', '/*', self.path)}"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request that was really made; every try counts."""

    kind: Kind  # "write" changes tickets, "status" asks about bulk jobs, "token" signs in, "read" is the rest
    method: str
    path: str  # without the query
    status: int | None  # None: no answer
    seconds: float
    attempt: int  # 1 for the first try
