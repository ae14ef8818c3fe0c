"""A call before it is made, and the report of one that was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from zendesk.page_size import PageSize

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
    page_size: PageSize | None = None  # for a page of an export, whose size is the parameter `size_name`
    size_name: str = "page[size]"

    @property
    def endpoint(self) -> str:
        """The method and the path without ids: most likely what an endpoint limit counts."""
        return f"{self.method} {re.sub(r'/[0-9]+(?=[/.]|$)', '/*', self.path)}"

    @property
    def size(self) -> int:
        """How many records the page may have; 0 if no size is asked for."""
        return int(self.params.get(self.size_name, 0))

    def smaller(self) -> Request | None:
        """The same call for a smaller page; None if there is none."""
        size = self.page_size.failed(self.size) if self.page_size and self.size else None
        return replace(self, params={**self.params, self.size_name: size}) if size else None


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
