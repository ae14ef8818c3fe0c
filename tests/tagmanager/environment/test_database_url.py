"""Every address of a database becomes settings or a sentence, and no sentence has a part of the password."""

import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagmanager.environment.database_url import database_config

SQLITE = "django.db.backends.sqlite3"


def postgres(**changed: Any) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "tags",
        "USER": "ana",
        "PASSWORD": "hunter2",
        "HOST": "db.test",
        "PORT": "",
        **changed,
    }


@pytest.mark.parametrize(
    ("url", "config"),
    [
        ("postgres://ana:hunter2@db.test/tags", postgres()),
        ("postgresql://ana:hunter2@db.test:5433/tags", postgres(PORT=5433)),
        ("POSTGRES://ana:hunter2@db.test/tags", postgres()),
        ("postgres://ana:hunter2@[::1]:5433/tags", postgres(HOST="::1", PORT=5433)),
        ("postgres://ana:hunter2@[fe80::1]/tags", postgres(HOST="fe80::1")),
        ("postgres://ana:hunter2@one,two:5433/tags", postgres(HOST="one,two", PORT=5433)),
        ("postgres://ana:h%2F%3F%23%25%40@db.test/tags", postgres(PASSWORD="h/?#%@")),
        ("postgres://ana:a@b:c!$&'()*+,;= ü@db.test/tags", postgres(PASSWORD="a@b:c!$&'()*+,;= ü")),
        ("postgres://ana:$ecret@db.test/tags", postgres(PASSWORD="$ecret")),
        ("postgres://ana:hunter2@db.test/a+b%20c", postgres(NAME="a+b c")),
        (
            "postgres://ana:hunter2@/tags?host=/var/run/postgresql&connect_timeout=3",
            postgres(HOST="", OPTIONS={"host": "/var/run/postgresql", "connect_timeout": 3}),
        ),
        (
            "postgres:///tags?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            postgres(
                USER="",
                PASSWORD="",
                HOST="",
                OPTIONS={"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"},
            ),
        ),
        (
            "postgres://?service=tags",
            postgres(NAME="", USER="", PASSWORD="", HOST="", OPTIONS={"service": "tags"}),
        ),
        ("sqlite:///var/mine.sqlite3", {"ENGINE": SQLITE, "NAME": "var/mine.sqlite3"}),
        ("sqlite:////srv/a+b c%23%25.sqlite3", {"ENGINE": SQLITE, "NAME": "/srv/a+b c#%.sqlite3"}),
    ],
)
def test_an_address_becomes_settings(url: str, config: dict[str, Any]) -> None:
    assert database_config(url) == config


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ana:hunter2@db.test/tags", "DATABASE_URL is not an address"),
        ("hunter2", "DATABASE_URL is not an address"),
        ("postgres:/ana:hunter2@db.test/tags", "DATABASE_URL is not an address"),
        ("mysql://ana:hunter2@db.test/tags", "DATABASE_URL begins with mysql://, and Tag Manager works with"),
        ("postgis://ana:hunter2@db.test/tags", "DATABASE_URL begins with postgis://"),
        ("jdbc:postgresql://db.test/tags", "DATABASE_URL begins with jdbc:postgresql://"),
        ("postgres://ana:hunter2/x@db.test/tags", "percent-encoded"),
        ("postgres://ana:/hunter2@db.test/tags", "percent-encoded"),
        ("postgres://ana:5432/hunter2@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2?x@db.test/tags", "percent-encoded"),
        ("postgres://ana:5432?hunter2=x@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2#x@db.test/tags", "percent-encoded"),
        ("postgres://ana:5432#hunter2@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2%x@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2%@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2%00@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2[x]@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2\n@db.test/tags", "percent-encoded"),
        ("postgres://ana:hunter2/tags", "as its port"),
        ("postgres://db.test:hunter2/tags", "as its port"),
        ("postgres://ana:hunter2@db.test:0/tags", "a number from 1 to 65535 as its port"),
        ("postgres://ana:hunter2@db.test:65536/tags", "as its port"),
        ("postgres://ana:hunter2@db.test:54x/tags", "as its port"),
        ("postgres://ana:hunter2@db.test:-1/tags", "as its port"),
        ("postgres://ana:hunter2@::1/tags", "an IPv6 address is written in brackets"),
        ("postgres://ana:hunter2@[::1/tags", "in the place of the host"),
        ("postgres://ana:hunter2@%2Frun/tags", "in the place of the host"),
        ("postgres://ana:hunter2@db.test/", "DATABASE_URL names no database"),
        ("postgres://ana:hunter2@db.test", "DATABASE_URL names no database"),
        ("postgres://ana:hunter2@db.test/tags/more", "a / in it"),
        ("postgres://ana:hunter2@db.test/tags?sslmode", "options are written name=value"),
        ("sqlite://", "DATABASE_URL names no file"),
        ("sqlite:///", "DATABASE_URL names no file"),
        ("sqlite://:memory:", "DATABASE_URL names no file"),
        ("sqlite:///:memory:", "DATABASE_URL names no file"),
        ("sqlite:///file:x?mode=memory", "DATABASE_URL names no file"),
        ("sqlite://var/mine.sqlite3", "behind three slashes"),
        ("sqlite:///mine.sqlite3?timeout=20", "a SQLite file takes no options"),
        ("sqlite:///100%.sqlite3", "%25"),
    ],
)
def test_any_other_is_refused_in_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as refused:
        database_config(url)
    assert "hunter" not in str(refused.value)
    assert str(refused.value).startswith("DATABASE_URL")


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_password_that_is_encoded_arrives_and_another_never_moves_a_border(password: str) -> None:
    encoded = database_config(f"postgres://ana:{quote(password, safe='')}@db.test:5433/tags")
    assert encoded == postgres(PASSWORD=password, PORT=5433)
    with suppress(ValueError):
        raw = database_config(f"postgres://ana:{password}@db.test:5433/tags")
        assert {**raw, "PASSWORD": ""} == postgres(PASSWORD="", PORT=5433)
