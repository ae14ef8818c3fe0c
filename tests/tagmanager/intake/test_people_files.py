"""Every file that people had trouble with gives its right value, or the sentence that says why not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tagmanager.intake.people_files import CASES, FOLDER, given, parts_of, read, refusal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", [case for case in CASES if "gives" in case], ids=lambda case: case["file"])
def test_a_file_is_read_as_its_owner_means_it(case: dict[str, Any]) -> None:
    content = (FOLDER / case["file"]).read_bytes()
    assert read(case["as"], given(content, case["file"])) == case["gives"]


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=lambda case: case["file"])
def test_a_file_that_is_not_clear_is_refused_in_words(case: dict[str, Any]) -> None:
    content = (FOLDER / case["file"]).read_bytes()
    said = refusal(case["as"], given(content, case["file"]))
    assert [part for part in parts_of(case["refused"]) if part not in said.lower()] == []
