"""The second factor: codes of an app (TOTP), each good once, and recovery codes for when the app is lost.

Guessing is slowed for each account, in the row's own lock: after `FREE_TRIES` wrong codes in a row a pause
begins, which doubles with each further one up to `LONGEST_PAUSE`. A recovery code cannot be guessed, so it is
accepted during a pause too: a stranger who knows the password cannot lock its owner out.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
import unicodedata
from base64 import b32decode, b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.utils import timezone
from django_otp.oath import TOTP

from jobs.views.permissions import ACT
from tagmanager.models import SecondFactor
from tagmanager.ops.encryption import Secret
from tagmanager.people import sessions

logger = logging.getLogger(__name__)

ISSUER = "Tag Manager"
#: Steps of 30 seconds that a phone's clock may be ahead or behind.
DRIFT = 1
RECOVERY_CODES = 10
#: Bytes of a recovery code: with 80 bits nobody guesses one, and a plain digest suffices to store it.
RECOVERY_BYTES = 10
FREE_TRIES = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
#: Digits that people type for the letters of a recovery code.
LOOKALIKES = str.maketrans("018", "olb")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code was worth; while `wait_until` is set no code of the app is looked at."""

    is_right: bool = False
    wait_until: datetime | None = None
    recovery_codes_left: int | None = None  # set where a recovery code was used


def is_required(person: AbstractUser) -> bool:
    """Whether the settings demand a second factor of the person; an unknown rule means everybody."""
    if settings.REQUIRE_TWO_FACTOR == "off":
        return False
    return settings.REQUIRE_TWO_FACTOR != "runners" or person.has_perm(ACT)


def is_on(person: AbstractUser) -> bool:
    """Whether the person has a second factor."""
    return SecondFactor.objects.filter(user_id=person.pk).exists()


def new_secret() -> str:
    """A secret for an app, in base32 as people type it."""
    return b32encode(secrets.token_bytes(20)).decode()


def qr_code(person: AbstractUser, secret: str) -> str:
    """What an app reads from the screen, as an SVG without inline style."""
    label = quote(f"{ISSUER}:{person.get_username()}", safe="")
    address = f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': ISSUER}, quote_via=quote)}"
    drawn: str = segno.make(address, error="m", micro=False).svg_inline(
        scale=4, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr"
    )
    return drawn


def turn_on(person: AbstractUser, *, secret: str, code: str, session_key: str | None) -> list[str]:
    """Store the secret if the code shows that the person's app has it; the recovery codes, or [] if not.

    The person's other sessions end: they began without a second factor.
    """
    step = _matching_step(secret, code, after=-1)
    if step is None:
        return []
    codes = _new_recovery_codes()
    with transaction.atomic():
        SecondFactor.objects.filter(user_id=person.pk).delete()
        SecondFactor.objects.create(
            user_id=person.pk,
            secret=Secret.of(secret),
            last_step=step,
            recovery_codes=[_digest(person, each) for each in codes],
        )
    sessions.end_all(person.pk, but=session_key)
    logger.info("Second factor of %s turned on", person.get_username())
    return codes


def check(person: AbstractUser, code: str) -> Verdict:
    """Whether this code lets the person in, once; raises `KeyLost` where the secret cannot be read."""
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user_id=person.pk).first()
        if factor is None:
            return Verdict()
        before = factor.failures
        verdict = _verdict(factor, person, code)
        factor.save(update_fields=["last_step", "recovery_codes", "failures", "failed_at"])
    if factor.failures > before:
        logger.warning("Wrong code for the second factor of %s, %s in a row", factor.user, factor.failures)
    return verdict


def renew_recovery_codes(person: AbstractUser) -> list[str]:
    """New recovery codes; the earlier ones are worth nothing any more."""
    codes = _new_recovery_codes()
    SecondFactor.objects.filter(user_id=person.pk).update(
        recovery_codes=[_digest(person, each) for each in codes]
    )
    logger.info("Recovery codes of %s made anew", person.get_username())
    return codes


def turn_off(person: AbstractUser, *, by: str, session_key: str | None = None) -> bool:
    """Remove the second factor and end the person's other sessions; False where there was none."""
    removed, _ = SecondFactor.objects.filter(user_id=person.pk).delete()
    if removed:
        sessions.end_all(person.pk, but=session_key)
        logger.warning("Second factor of %s removed by %s", person.get_username(), by)
    return bool(removed)


def _verdict(factor: SecondFactor, person: AbstractUser, code: str) -> Verdict:
    digest = _digest(person, code)
    if digest in factor.recovery_codes:
        factor.recovery_codes = [one for one in factor.recovery_codes if one != digest]
        factor.failures, factor.failed_at = 0, None
        return Verdict(is_right=True, recovery_codes_left=len(factor.recovery_codes))
    if until := _paused_until(factor):
        return Verdict(wait_until=until)
    step = _matching_step(factor.secret.reveal(), code, after=factor.last_step)
    if step is not None:
        factor.last_step, factor.failures, factor.failed_at = step, 0, None
        return Verdict(is_right=True)
    factor.failures, factor.failed_at = factor.failures + 1, timezone.now()
    return Verdict(wait_until=_paused_until(factor))


def _paused_until(factor: SecondFactor) -> datetime | None:
    beyond = factor.failures - FREE_TRIES
    if beyond < 0 or factor.failed_at is None:
        return None
    until = factor.failed_at + min(FIRST_PAUSE * 2 ** min(beyond, 10), LONGEST_PAUSE)
    return until if until > timezone.now() else None


def _matching_step(secret: str, code: str, *, after: int) -> int | None:
    """The time step of the code, within the drift and newer than `after`."""
    typed = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code))
    if not re.fullmatch(r"[0-9]{6}", typed):
        return None
    totp = TOTP(b32decode(secret))
    totp.time = time.time()
    return totp.t() if totp.verify(int(typed), tolerance=DRIFT, min_t=after + 1) else None


def _new_recovery_codes() -> list[str]:
    texts = (b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(re.findall("....", text)) for text in texts]


def _digest(person: AbstractUser, code: str) -> str:
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).lower().translate(LOOKALIKES)
    return sha256(f"{person.pk}:{plain}".encode()).hexdigest()
