"""A call before it is made, and the report of one that was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["read", "write", "status", "verify", "token"]


@dataclass(frozen=True, slots=True)
class Request:
    """A call for the transport to make."""

    method: str
    path: str  # below the base address, quoted, without the query
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    kind: Kind = "read"
    signed: bool = True
    has_own_limit: bool = False  # Zendesk counts its calls separately, even if no header says so

    @property
    def endpoint(self) -> str:
        """The method and the path without ids: most likely what an endpoint limit counts."""
        return f"{self.method} {re.sub(r'/[0-9]+(?=[/.]|$)', '/*', self.path)}"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request that was made; each attempt is a request."""

    #: "write": changes tickets; "status": of bulk jobs; "verify": looks at what was changed; "token": fetches
    #: one; "read": all others.
    kind: Kind
    method: str
    path: str  # without the query
    status: int | None  # None: no answer
    seconds: float
    attempt: int  # 1 for the first
