"""The recorded answers beside this file: real ones where their `_source` says so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    name: str
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()

    @property
    def as_response(self) -> dict[str, Any]:
        """Arguments for `responses.add`."""
        headers = {k: v for k, v in self.headers.items() if k != "content-type"}
        return {
            "status": self.status,
            "headers": headers,
            "body": self.content,
            "content_type": "application/json",
        }


def sample(name: str) -> Sample:
    response = json.loads((SAMPLES / f"{name}.json").read_text())["response"]
    return Sample(name, response["status"], response["headers"], _without_marks(response["body"]))


def names(*prefixes: str) -> list[str]:
    return sorted(path.stem for path in SAMPLES.glob("*.json") if path.stem.startswith(prefixes or ("",)))


def _without_marks(value: Any) -> Any:
    """Long lists were cut and marked with a text such as <98 more items removed>."""
    if isinstance(value, list):
        return [
            _without_marks(item) for item in value if not (isinstance(item, str) and "items removed" in item)
        ]
    if isinstance(value, dict):
        return {key: _without_marks(item) for key, item in value.items()}
    return value
