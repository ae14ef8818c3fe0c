"""What a large upload took is given back, and nothing is done for others."""

from __future__ import annotations

import pytest

from tagmanager.middleware import memory


def test_only_a_large_request_is_followed_by_a_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    monkeypatch.setattr("gc.collect", lambda: collected.append(1))
    memory.note(1_000)
    memory.give_back()
    assert collected == []
    memory.note(3_000_000)
    memory.give_back()
    memory.give_back()
    assert collected == [1]
