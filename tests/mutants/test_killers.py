"""The map from modules to the tests of their mutants names what there is."""

from __future__ import annotations

import pytest

from tests.mutants.killers import BY_MODULE, PACKAGES, ROOT, killers_of, modules


def test_modules_and_tests_of_the_map_exist() -> None:
    named = [
        *BY_MODULE,
        *PACKAGES,
        *(test for tests in (*BY_MODULE.values(), *PACKAGES.values()) for test in tests),
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert set(BY_MODULE) <= set(modules([]))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (
            ["zendesk/tags", "jobs/guards/c"],
            ["zendesk/tags.py", "jobs/guards/canary.py", "jobs/guards/circuit_breaker.py"],
        ),
        (["jobs/guards/canary.py", "jobs/guards/can"], ["jobs/guards/canary.py"]),
        (["jobs/views"], []),
    ],
)
def test_modules_come_in_the_order_that_was_asked_for(wanted: list[str], found: list[str]) -> None:
    assert modules(wanted) == found


def test_a_module_has_its_own_tests_or_those_of_its_package() -> None:
    assert killers_of("zendesk/tags.py") == ("tests/zendesk/test_tags.py",)
    assert killers_of("zendesk/calls.py") == ("tests/zendesk",)
