"""The version of Tag Manager, which pyproject.toml alone states."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

PROJECT_FILE = Path(__file__).resolve().parent.parent / "pyproject.toml"


@cache
def version() -> str:
    """Such as 1.0.0; `unknown` where pyproject.toml was left behind. Needs no settings."""
    try:
        with PROJECT_FILE.open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
    except OSError:
        return "unknown"
