"""What a run of the tests says of itself."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.environment import too_slow


def report(
    name: str, seconds: float, *marks: str, when: Literal["setup", "call", "teardown"] = "call"
) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=name,
        location=("tests/test_it.py", 1, name),
        keywords=dict.fromkeys([name, *marks], 1),
        outcome="passed",
        longrepr=None,
        when=when,
        duration=seconds,
    )


def test_a_run_names_the_unmarked_tests_that_took_over_two_seconds_longest_first() -> None:
    reports = [
        report("quick", 1.9),
        report("long", 2.1),
        report("longest", 30.0),
        report("marked", 30.0, "slow"),
        report("with a browser", 30.0, "browser"),
        report("that shares a set-up", 30.0, when="setup"),
        pytest.CollectReport("a module", "passed", None, []),
    ]
    assert too_slow(reports) == [(30.0, "longest"), (2.1, "long")]
