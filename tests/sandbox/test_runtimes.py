"""The demo takes as long to answer as Zendesk was recorded to, where that is asked for."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import Start
from zendesk.sandbox import VIEW_URGENT
from zendesk.sandbox.serving.app import App
from zendesk.sandbox.serving.routes import ROUTES
from zendesk.sandbox.serving.runtimes import RECORDED_SECONDS


def test_each_recorded_runtime_belongs_to_a_route() -> None:
    assert RECORDED_SECONDS.keys() <= {route.name for route in ROUTES}


def test_an_answer_takes_its_recorded_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("zendesk.sandbox.serving.app.time.perf_counter", lambda: 5.0)
    monkeypatch.setattr(App, "_wait", lambda _self, seconds: waits.append(seconds))
    zendesk = start()
    zendesk.get(f"views/{VIEW_URGENT}/tickets")
    zendesk.sandbox.configure(runtime_scale=0.5, latency=0.25)
    zendesk.get(f"views/{VIEW_URGENT}/tickets")
    zendesk.get("tags")
    assert waits == pytest.approx([0.0, 0.25 + 0.228 / 2, 0.25 + 0.085 / 2])
