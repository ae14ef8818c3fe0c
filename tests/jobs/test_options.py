"""Options beside parameters: each finds its own, whatever the names are, and an old program finds both."""

from __future__ import annotations

import pytest

from jobs import actions
from jobs.actors import COMMAND_LINE
from jobs.options import MOVED, options_of, params_of, to_store
from jobs.states import FollowUp, Status
from tests import factories

PLAIN = {"add": ["vip"]}
OPTIONS = {"include_closed": True, "only": {"lack": ["old"]}, "guard": "quiet", "later": 1}
#: A tool of one's own may call its parameters so.
SAME_NAMES = {"only": "x", "guard": "quiet", "include_closed": False, "field_names": ["a"]}


@pytest.mark.parametrize("params", [PLAIN, SAME_NAMES, {"only": "x"}, {}])
@pytest.mark.parametrize("options", [OPTIONS, {"guard": "quiet"}, {}])
def test_what_is_stored_is_read_again(params: dict, options: dict) -> None:
    stored = to_store(params, options)
    assert (params_of(*stored), options_of(*stored)) == (params, options)


def test_a_program_of_the_release_before_finds_the_options_among_the_parameters() -> None:
    params, _ = to_store(PLAIN, OPTIONS)
    assert params == PLAIN | {name: OPTIONS[name] for name in MOVED if name in OPTIONS}


@pytest.mark.parametrize("options", [OPTIONS, {}])
def test_such_a_program_takes_no_parameter_of_a_tool_for_an_option(options: dict) -> None:
    params, _ = to_store(SAME_NAMES | PLAIN, options)
    assert params == PLAIN | {name: options[name] for name in MOVED if name in options}


def test_a_value_of_another_type_was_a_parameter_of_the_tool_in_an_old_row() -> None:
    params = {"only": "x", "guard": ["a"], "field_names": None, "include_closed": True}
    assert options_of(params, None) == {"include_closed": True}
    assert params_of(params, None) == {"only": "x", "guard": ["a"], "field_names": None}


def test_a_row_of_a_program_of_the_release_before_has_its_options_among_the_parameters() -> None:
    params = PLAIN | {"include_closed": True, "only": {"lack": ["old"]}}
    assert params_of(params, None) == PLAIN
    assert options_of(params, None) == {"include_closed": True, "only": {"lack": ["old"]}}


@pytest.mark.django_db
@pytest.mark.parametrize("params", [PLAIN, SAME_NAMES])
def test_a_follow_up_has_the_parameters_and_options_of_its_job(params: dict) -> None:
    made = actions.submit(
        tool="any", title="A job", params=params, options=OPTIONS, source={"kind": "ids"}, by=COMMAND_LINE
    ).job
    again = actions.make_follow_up(job=made, kind=FollowUp.RETRY, by=COMMAND_LINE).job
    again.refresh_from_db()
    assert (again.tool_params, again.chosen_options) == (params, OPTIONS)
    assert (again.params, again.options) == (made.params, made.options)


@pytest.mark.django_db
def test_a_follow_up_of_an_old_programs_job_has_its_options_too() -> None:
    old = factories.job(Status.SUCCEEDED, params=PLAIN | {"include_closed": True}, failed=1)
    assert old.options is None
    again = actions.follow_up(job=old, kind=FollowUp.RETRY, by=COMMAND_LINE).job
    assert (again.tool_params, again.chosen_options) == (PLAIN, {"include_closed": True})
