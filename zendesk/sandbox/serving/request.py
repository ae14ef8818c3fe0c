"""One call as the endpoints see it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from zendesk.sandbox.errors import ApiError, invalid_attribute

MAX_IDS = 100


@dataclass(slots=True)
class Request:
    """A call. `path` has no `.json`; `base` is what every `url` in the answer begins with."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: Mapping[str, str]
    base: str
    scopes: frozenset[str] | None = None
    extra_headers: dict[str, str] = field(default_factory=dict)
    """Endpoint limits and warnings that go with the answer, refused or not."""

    @property
    def json(self) -> dict[str, Any]:
        """The body; `ApiError` 400 if it is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            text = "Server could not parse JSON"
            raise ApiError(400, {"error": "Unprocessable Entity", "message": text})
        return value

    def ids(self, name: str = "ids") -> list[int]:
        """The numbers of `?ids=1,2,3`; `ApiError` 400 for anything else."""
        parts = [part.strip() for part in self.query.get(name, "").split(",") if part.strip()]
        if not parts or not all(part.isdecimal() for part in parts):
            raise invalid_attribute(name, "Must be a list of whole numbers separated by commas.")
        return [int(part) for part in parts]

    def whole(self, name: str, default: int) -> int:
        """A whole number of the query; `ApiError` 400 for anything else."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdecimal():
            raise invalid_attribute(name, "Must be a whole number.")
        return int(text)

    def link(self, **changed: str | int | None) -> str:
        """This call's address with other parameters; None leaves one out.

        `page_after` stands for `page[after]`.
        """
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
