"""What every page tells: whether all jobs stand still."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from jobs.installation import standstill


def standstill_banner(_: HttpRequest) -> dict[str, Any]:
    """For templates, which call it where they show it: a page for nobody in particular asks nothing."""
    return {"standstill": standstill.current}
