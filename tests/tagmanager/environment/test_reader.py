"""One value each: what it means, or the sentence on why it means nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tagmanager.environment.reader import Environment


@contextmanager
def environment(**values: str) -> Iterator[Environment]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield Environment()


@pytest.mark.parametrize(
    ("value", "read", "meant"),
    [
        ("true", lambda env: env.bool("X"), True),
        (" Yes ", lambda env: env.bool("X"), True),
        ("1", lambda env: env.bool("X"), True),
        ("off", lambda env: env.bool("X", default=True), False),
        ("0", lambda env: env.bool("X", default=True), False),
        ("", lambda env: env.bool("X", default=True), True),
        ("7", lambda env: env.int("X", default=1), 7),
        ("1_000", lambda env: env.int("X", default=1, least=1, most=1000), 1000),
        (" ", lambda env: env.int("X", default=1, least=1, most=2), 1),
        ("0.25", lambda env: env.float("X", default=1.0, above=0, most=1), 0.25),
        ("$ecret", lambda env: env.str("X"), "$ecret"),
        ("$$", lambda env: env.str("X"), "$$"),
        (" key\r", lambda env: env.str("X"), "key"),
        ("", lambda env: env.str("X", default="other"), "other"),
        ("a, b ,,c", lambda env: env.list("X"), ["a", "b", "c"]),
        ("", lambda env: env.list("X", default=["a"]), ["a"]),
        ("", lambda env: env.db_url("X", default={"NAME": "x"}), {"NAME": "x"}),
    ],
)
def test_a_value_is_what_it_says(value: str, read: Callable[[Environment], Any], meant: object) -> None:
    with environment(X=value) as env:
        assert read(env) == meant
        env.check()


@pytest.mark.parametrize(
    ("value", "read", "sentence"),
    [
        ("treu", lambda env: env.bool("X"), "X is 'treu', and must be True or False."),
        ("2", lambda env: env.bool("X"), "X is '2', and must be True or False."),
        ("abc", lambda env: env.int("X", default=1), "X is 'abc', and must be a whole number."),
        ("1.0", lambda env: env.int("X", default=1), "X is '1.0', and must be a whole number."),
        ("-1", lambda env: env.int("X", 1, least=0), "X is '-1', and must be a whole number of at least 0."),
        (
            "65",
            lambda env: env.int("X", 1, least=1, most=64),
            "X is '65', and must be a whole number from 1 to 64.",
        ),
        (
            "9" * 5000,
            lambda env: env.int("X", 1, least=1, most=64),
            f"X is '{'9' * 40}…', and must be a whole number from 1 to 64.",
        ),
        (
            "nan",
            lambda env: env.float("X", 0.7, above=0, most=1),
            "X is 'nan', and must be above 0 and at most 1.",
        ),
        (
            "0,7",
            lambda env: env.float("X", 0.7, above=0, most=1),
            "X is '0,7', and must be above 0 and at most 1.",
        ),
        ("mysql", lambda env: env.db_url("X"), "DATABASE_URL is not an address"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_in_a_sentence(
    value: str, read: Callable[[Environment], Any], sentence: str
) -> None:
    with environment(X=value) as env:
        read(env)
        with pytest.raises(ImproperlyConfigured) as refused:
            env.check()
    assert str(refused.value).startswith(sentence)


def test_all_sentences_come_at_once() -> None:
    with environment(X="a", Y="b") as env:
        assert (env.int("X", default=3), env.bool("Y")) == (3, False)
    assert env.problems == ["X is 'a', and must be a whole number.", "Y is 'b', and must be True or False."]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("X=file\nTAGMANAGER_TEST_Y=file\nnonsense\n")
    with environment(X="process", TAGMANAGER_TEST_Y="") as env:
        del environ["TAGMANAGER_TEST_Y"]
        env.read_file(file)
        assert (env.str("X"), env.str("TAGMANAGER_TEST_Y")) == ("process", "file")
        assert env.problems == [f"Line 3 of {file} is not of the form NAME=value."]
