"""Checking a connection: whether it works, as which user, and with what limitations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zendesk.client import Zendesk
from zendesk.credentials import CredentialsEnd
from zendesk.errors import NotAllowed, NotFound, Refused, UnexpectedAnswer
from zendesk.records import CustomRole, User

ROLES_THAT_MAY_TAG = frozenset({"agent", "admin"})
#: What a list raises that the user may not have, or that the account's plan lacks.
NOT_TOLD = (NotAllowed, NotFound, Refused, UnexpectedAnswer)


@dataclass(frozen=True, slots=True)
class Connection:
    """A working connection."""

    user: User
    role: str  # agent or admin
    warnings: tuple[str, ...]  # sentences
    calls_per_minute: int | None  # of the whole account; None: Zendesk did not say
    credentials_end: CredentialsEnd

    @property
    def may_change_closed(self) -> bool:
        """Whether this user can change closed tickets if the account allows it (article 7335734335258)."""
        return self.role == "admin"


def check(zendesk: Zendesk) -> Connection:
    """Test the connection with a few harmless calls. Raises ZendeskError if it is unusable.

    It cannot test write access, which would take a write.
    """
    user = zendesk.me()
    if user.role not in ROLES_THAT_MAY_TAG:
        raise NotAllowed(
            f"{user.name} is signed in as {user.role or 'a user without a role'}, but only agents and admins "
            "can change tickets. Connect as an agent or admin."
        )
    zendesk.search_count("")  # needs the scope "read", unlike most other reads
    role = _role(zendesk, user)
    return Connection(
        user=user,
        role=user.role,
        warnings=tuple(
            filter(
                None,
                [
                    *_warnings(user, role, zendesk.credentials_end),
                    zendesk.scope_doubt,
                    _brand_doubt(zendesk, user),
                ],
            )
        ),
        calls_per_minute=zendesk.rate.limit if zendesk.rate else None,
        credentials_end=zendesk.credentials_end,
    )


def _role(zendesk: Zendesk, user: User) -> CustomRole | None:
    """The user's custom role, if there is one and the user may see it."""
    if user.custom_role_id is None:
        return None
    try:
        return zendesk.custom_role(user.custom_role_id)
    except (NotAllowed, NotFound):
        return None


def _brand_doubt(zendesk: Zendesk, user: User) -> str:
    """Why the user may not see the tickets of all brands, in a sentence; "" for no doubt.

    Agents see only the tickets of their own brands, admins see all (support.zendesk.com, 7584022494874).
    """
    if user.role == "admin" or user.id is None:
        return ""
    try:
        brands = {brand.id: brand.name for brand in zendesk.brands() if brand.active}
    except NOT_TOLD:
        return (
            f"Zendesk does not tell {user.name} which brands the account has. If it has several, views and "
            f"searches may hold only the tickets of those that {user.name} belongs to."
        )
    if len(brands) < 2:
        return ""
    try:
        own = brands.keys() & set(zendesk.brand_ids_of(user.id))
    except NOT_TOLD:
        own = set()
    if not own:
        return (
            f"The account has {len(brands)} brands, and Zendesk does not tell which of them {user.name} "
            "belongs to. An agent may see only the tickets of those: ask an admin, or connect as one."
        )
    if own == brands.keys():
        return ""
    names = ", ".join(sorted(brands[id_] for id_ in own))
    return (
        f"{user.name} belongs to {len(own)} of the account's {len(brands)} brands ({names}) and may see only "
        "their tickets. Connect as an admin to reach all."
    )


def _warnings(user: User, role: CustomRole | None, end: CredentialsEnd) -> Iterator[str]:
    if user.suspended or not user.active:
        yield f"{user.name} is suspended or inactive in Zendesk, so changes may be refused."
    if user.is_light_agent or (role is not None and role.is_light_agent):
        yield f"{user.name} is a light agent, and light agents cannot change tickets."
    if user.is_restricted:
        part = f" ({user.ticket_restriction})" if user.ticket_restriction else ""
        yield f"{user.name} can see only some of the tickets{part}, so views and searches find fewer."
    elif role is not None and role.ticket_access not in {"", "all"}:
        yield f"The role {role.name} can see only some of the tickets ({role.ticket_access})."
    if role is not None and not role.may_edit_tags:
        yield f"The role {role.name} may not edit tags. Allow it in Zendesk, or connect as someone else."
    if end.on is not None:
        yield end.text
