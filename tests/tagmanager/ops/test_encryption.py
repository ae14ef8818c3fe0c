"""Secrets in the database: unreadable without the key, which can be changed, and whose loss is told."""

from __future__ import annotations

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from tagmanager.models import SecondFactor
from tagmanager.ops.encryption import KeyLost, Secret
from tests import factories


def key() -> str:
    return Fernet.generate_key().decode()


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM tagmanager_secondfactor")
        return str(cursor.fetchone()[0])


def test_a_secret_shows_itself_only_when_asked(settings: Settings) -> None:
    secret = Secret.of("hush-hush")
    assert secret.reveal() == "hush-hush"
    assert "hush" not in f"{secret} {secret!r} {secret.token}"
    assert Secret.of("hush-hush").token != secret.token


def test_a_column_is_encrypted_and_cannot_be_searched(db: None) -> None:
    row = SecondFactor.objects.create(user=factories.user(), secret="hush-hush")
    assert "hush" not in stored()
    again = SecondFactor.objects.get()
    assert again.secret.reveal() == "hush-hush"
    again.save()  # what was read is stored as it is
    assert SecondFactor.objects.get(pk=row.pk).secret.reveal() == "hush-hush"
    with pytest.raises(FieldError):
        SecondFactor.objects.filter(secret="hush-hush").exists()


def test_the_derived_key_follows_the_secret_key_and_its_fallbacks(settings: Settings) -> None:
    secret, first = Secret.of("hush"), settings.SECRET_KEY
    settings.SECRET_KEY = "another" * 10
    with pytest.raises(KeyLost, match=r"Put the earlier key back: .* SECRET_KEY_FALLBACKS\.$"):
        secret.reveal()
    settings.SECRET_KEY_FALLBACKS = [first]
    assert secret.reveal() == "hush"


def test_keys_of_their_own_are_changed_without_losing_anything(db: None, settings: Settings) -> None:
    old, new, told = key(), key(), StringIO()
    SecondFactor.objects.create(user=factories.user(), secret="hush")  # with the derived key
    settings.ENCRYPTION_KEYS = [old]
    call_command("rotate_encryption", stdout=told)
    settings.SECRET_KEY = "another" * 10
    assert SecondFactor.objects.get().secret.reveal() == "hush"
    settings.ENCRYPTION_KEYS = [new, old]
    call_command("rotate_encryption", stdout=told)
    settings.ENCRYPTION_KEYS = [new]
    assert SecondFactor.objects.get().secret.reveal() == "hush"
    assert told.getvalue() == "1 secret encrypted with the newest key.\n" * 2
    settings.ENCRYPTION_KEYS = [old]
    trouble = StringIO()
    with pytest.raises(SystemExit):
        call_command("rotate_encryption", stdout=told, stderr=trouble)
    assert trouble.getvalue().strip() == "1 secret cannot be read: the key is not set any more."


@pytest.mark.parametrize("wrong", ["short", "ä" * 44, "x" * 44, ""])
def test_a_key_that_is_none_is_refused_without_being_shown(settings: Settings, wrong: str) -> None:
    settings.ENCRYPTION_KEYS = [key(), wrong]
    found = [message for message in run_checks() if message.id == "tagmanager.E051"]
    assert [message.msg.startswith("ENCRYPTION_KEYS, key 2: each key has to be 32") for message in found] == [
        True
    ]
    assert not wrong or wrong not in str(found)
