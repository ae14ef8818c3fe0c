"""A request as the endpoints see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from zendesk.sandbox.errors import ApiError, invalid_attribute

MAX_IDS = 100


@dataclass(slots=True)
class Request:
    """`path` lacks the `.json`; every `url` in the answer begins with `base`."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: Mapping[str, str]
    base: str
    scopes: frozenset[str] | None = None
    extra_headers: dict[str, str] = field(default_factory=dict)
    """Endpoint limits and warnings to send with the answer, even with an error."""

    @property
    def json(self) -> dict[str, Any]:
        """The body. Raises `ApiError` 400 unless it is a JSON object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            text = "Server could not parse JSON"
            raise ApiError(400, {"error": "Unprocessable Entity", "message": text})
        return value

    def ids(self, name: str = "ids") -> list[int]:
        """The ids of `?ids=1,2,3`. Raises `ApiError` 400 for anything else."""
        parts = [part.strip() for part in self.query.get(name, "").split(",") if part.strip()]
        if not parts or not all(part.isdecimal() for part in parts):
            raise invalid_attribute(name, "Must be a list of whole numbers separated by commas.")
        return [int(part) for part in parts]

    def integer(self, name: str, default: int) -> int:
        """An integer parameter. Raises `ApiError` 400 for anything else."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdecimal():
            raise invalid_attribute(name, "Must be a whole number.")
        return int(text)

    def link(self, **changed: str | int | None) -> str:
        """This request's URL with changed parameters; None removes one. `page_after` means `page[after]`."""
        query: dict[str, Any] = dict(self.query)
        for name, value in changed.items():
            key = {"page_after": "page[after]", "page_before": "page[before]", "page_size": "page[size]"}.get(
                name, name
            )
            query.pop(key, None)
            if value is not None:
                query[key] = value
        text = urlencode(sorted(query.items()))
        return f"{self.base}{self.path}.json" + (f"?{text}" if text else "")
