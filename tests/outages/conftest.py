"""The demo Zendesk for jobs that run in this process; files that start processes bring one of their own."""

from __future__ import annotations

from tests.jobs.conftest import demo

__all__ = ["demo"]
