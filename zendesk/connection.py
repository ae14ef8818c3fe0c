"""Does the connection work, as whom, and what should people know about it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zendesk.client import Zendesk
from zendesk.credentials import CredentialsEnd
from zendesk.errors import NotAllowed, NotFound
from zendesk.records import CustomRole, User

MAY_TAG = frozenset({"agent", "admin"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that works."""

    user: User
    role: str  # agent or admin
    warnings: tuple[str, ...]  # sentences
    calls_per_minute: int | None  # of the whole account; None: Zendesk did not tell
    credentials_end: CredentialsEnd

    @property
    def may_change_closed(self) -> bool:
        """Whether this user can change closed tickets where the account allows it (article 7335734335258)."""
        return self.role == "admin"


def check(zendesk: Zendesk) -> Connection:
    """Try the connection with three harmless calls at most. Raises ZendeskError when it does not serve.

    That tickets may also be written cannot be tried without writing one.
    """
    user = zendesk.me()
    if user.role not in MAY_TAG:
        raise NotAllowed(
            f"{user.name} is signed in as {user.role or 'a user without a role'}, and only agents and admins "
            "can change tickets. Connect as an agent or admin."
        )
    zendesk.search_count("")  # needs the scope "read", which an account's first view might not
    role = _role(zendesk, user)
    return Connection(
        user=user,
        role=user.role,
        warnings=tuple(_warnings(user, role, zendesk.credentials_end)),
        calls_per_minute=zendesk.rate.limit if zendesk.rate else None,
        credentials_end=zendesk.credentials_end,
    )


def _role(zendesk: Zendesk, user: User) -> CustomRole | None:
    """The user's custom role, where there is one and the user may look at it."""
    if user.custom_role_id is None:
        return None
    try:
        return zendesk.custom_role(user.custom_role_id)
    except (NotAllowed, NotFound):
        return None


def _warnings(user: User, role: CustomRole | None, end: CredentialsEnd) -> Iterator[str]:
    if user.suspended or not user.active:
        yield f"{user.name} is suspended or inactive in Zendesk, so changes may be refused."
    if user.is_light_agent or (role is not None and role.is_light_agent):
        yield f"{user.name} is a light agent, and light agents cannot change tickets."
    if user.is_restricted:
        part = f" ({user.ticket_restriction})" if user.ticket_restriction else ""
        yield f"{user.name} sees only a part of the tickets{part}: views and searches find fewer."
    elif role is not None and role.ticket_access not in {"", "all"}:
        yield f"The role {role.name} sees only a part of the tickets ({role.ticket_access})."
    if role is not None and not role.may_edit_tags:
        yield f"The role {role.name} may not edit tags. Allow it in Zendesk, or connect as someone else."
    if end.on is not None:
        yield end.text
