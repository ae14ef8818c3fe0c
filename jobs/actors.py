"""Who did something: a person, or a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.common import process_id

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

#: Behind the name of a person whose account was deleted, since somebody else may have that name by now.
DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, as the timeline names them."""

    name: str
    user_id: int | None = None
    is_deleted: bool = False  # a person whose account is gone, and with it the `user_id`

    @property
    def label(self) -> str:
        """The name, for people."""
        return f"{self.name}{DELETED}" if self.is_deleted else self.name

    @property
    def is_person(self) -> bool:
        """Whether it is, or was, somebody with an account."""
        return self.user_id is not None or self.is_deleted


def person(user: AbstractBaseUser) -> Actor:
    """The signed-in user."""
    return Actor(name=user.get_username(), user_id=user.pk)


def this_worker() -> Actor:
    """The process that this code runs in, named by host and process id."""
    return Actor(name=f"worker {process_id.short_name()}")


#: The actor of commands without `--as`.
COMMAND_LINE = Actor(name="command line")
