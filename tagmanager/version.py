"""Which Tag Manager this is, for people who look at many of them."""

from __future__ import annotations

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """As pyproject.toml has it, such as 0.1.0; `unknown` where that file was left behind."""
    try:
        with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])
    except OSError:
        return "unknown"
