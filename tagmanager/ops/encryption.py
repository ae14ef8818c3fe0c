"""Secrets in the database, encrypted with a key outside it: ENCRYPTION_KEYS, or one derived from SECRET_KEY.

Who reads the database alone, or a backup of it, reads none of them. Several keys let an installation change
its key: the first encrypts, each decrypts. Keys derived from SECRET_KEY always decrypt, so that
ENCRYPTION_KEYS can be set later.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    TextField = models.TextField["str | Secret", "Secret"]
else:
    TextField = models.TextField

#: What a derived key is for; another purpose would derive another key.
PURPOSE = b"tagmanager: secrets in the database"


class KeyLost(Exception):
    """A stored secret was encrypted with a key that the settings no longer have."""

    def __init__(self) -> None:
        super().__init__(
            "A secret in the database was encrypted with a key that is not set any more. Put the earlier key "
            "back: behind the others in ENCRYPTION_KEYS, or the earlier SECRET_KEY in SECRET_KEY_FALLBACKS."
        )


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret as it is stored; only `reveal` shows it."""

    token: str

    @classmethod
    def of(cls, text: str) -> Secret:
        """Encrypt with the newest key."""
        return cls(_keys().encrypt(text.encode()).decode())

    def reveal(self) -> str:
        """The text; raises `KeyLost` where no key fits."""
        try:
            return _keys().decrypt(self.token.encode()).decode()
        except InvalidToken:
            raise KeyLost from None

    def with_newest_key(self) -> Secret:
        """The same secret, encrypted anew; raises `KeyLost` where no key fits."""
        try:
            return Secret(_keys().rotate(self.token.encode()).decode())
        except InvalidToken:
            raise KeyLost from None

    def __repr__(self) -> str:
        return "Secret(...)"


class EncryptedTextField(TextField):
    """Text that is encrypted in the database. A row has it as a `Secret`; it cannot be searched."""

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        return None if value is None else Secret(value)

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Secret) else Secret.of(value)

    def get_prep_value(self, value: Any) -> Any:
        secret = self.to_python(value)
        return secret.token if isinstance(secret, Secret) else None

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


def check_key(key: str) -> None:
    """ValueError with a sentence for what cannot be one of ENCRYPTION_KEYS."""
    try:
        Fernet(key)
    except ValueError:
        raise ValueError(
            "each key has to be 32 random bytes in base64. Make one: python3 -c "
            '"import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        ) from None


def _keys() -> MultiFernet:
    return _keys_from(tuple(settings.ENCRYPTION_KEYS), (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _keys_from(given: tuple[str, ...], secret_keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in (*given, *map(_derived, secret_keys))])


def _derived(secret_key: str) -> str:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
    return urlsafe_b64encode(key).decode()
