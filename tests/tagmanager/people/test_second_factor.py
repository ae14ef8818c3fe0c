"""Codes under a race: of several uses of one at the same moment one succeeds."""

from __future__ import annotations

from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django_otp.oath import totp

from tagmanager.models import SecondFactor
from tagmanager.people import second_factor
from tests import factories

AT_ONCE = 4


@pytest.fixture
def person(transactional_db: None) -> User:
    return factories.user()


def rights_at_once(person: User, code: str) -> int:
    """How many of several browsers get in with this code at the same moment."""
    begin = Barrier(AT_ONCE)

    def use(_: int) -> bool:
        try:
            begin.wait()
            return second_factor.check(person, code).is_right
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(use, range(AT_ONCE)))


def test_a_code_that_is_used_several_times_at_once_lets_one_in(person: User) -> None:
    secret = second_factor.new_secret()
    SecondFactor.objects.create(user=person, secret=secret)
    assert rights_at_once(person, f"{totp(b32decode(secret)):06d}") == 1


def test_a_recovery_code_that_is_used_several_times_at_once_lets_one_in(person: User) -> None:
    SecondFactor.objects.create(user=person, secret=second_factor.new_secret())
    code = second_factor.renew_recovery_codes(person)[0]
    assert rights_at_once(person, code) == 1
    assert len(SecondFactor.objects.get().recovery_codes) == 9


def test_wrong_codes_at_once_are_all_counted(person: User) -> None:
    SecondFactor.objects.create(user=person, secret=second_factor.new_secret())
    assert rights_at_once(person, "000000") == 0
    assert SecondFactor.objects.get().failures == AT_ONCE
