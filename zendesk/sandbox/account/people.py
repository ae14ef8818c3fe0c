"""The people of the demo account: requesters, and the one administrator."""

from typing import Any

from zendesk.sandbox.account import sample_data

ADMIN_ID = 6_130_907_993_114
ADMIN_NAME = "Dana Demo"
ADMIN_EMAIL = "demo@example.com"
ROLE_ID = 6_130_869_137_434
ORGANIZATION_ID = 6_130_869_157_658
GROUPS = {6_130_852_536_346: "Support", 6_130_852_536_602: "Billing", 6_130_852_536_858: "Escalations"}
GROUP_IDS = tuple(GROUPS)
AGENT_IDS = (ADMIN_ID, 6_130_907_993_370, 6_130_907_993_626, 6_130_907_993_882)

_FIRST_REQUESTER = 6_131_000_000_000
_STEP = 37
_REQUESTERS = 4_001


def requester_id(random_bits: int) -> int:
    return _FIRST_REQUESTER + random_bits % _REQUESTERS * _STEP


def name(user_id: int) -> str | None:
    """A user's name; None if no user has that id."""
    if user_id == ADMIN_ID:
        return ADMIN_NAME
    if user_id in AGENT_IDS:
        return f"Agent {sample_data.FIRST_NAMES[AGENT_IDS.index(user_id)]}"
    number, rest = divmod(user_id - _FIRST_REQUESTER, _STEP)
    if rest or not 0 <= number < _REQUESTERS:
        return None
    return sample_data.person(number)


def user(user_id: int, base: str) -> dict[str, Any] | None:
    """A user as the API shows them; None if no user has that id."""
    full_name = name(user_id)
    if full_name is None:
        return None
    is_agent = user_id in AGENT_IDS
    return {
        "id": user_id,
        "url": f"{base}/api/v2/users/{user_id}.json",
        "name": full_name,
        "email": ADMIN_EMAIL if user_id == ADMIN_ID else f"user{user_id}@example.com",
        "created_at": "2024-01-08T09:00:00Z",
        "updated_at": "2024-01-08T09:00:00Z",
        "time_zone": "Europe/Berlin",
        "iana_time_zone": "Europe/Berlin",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": ORGANIZATION_ID,
        "role": "agent" if is_agent else "end-user",
        "verified": True,
        "external_id": None,
        "tags": [],
        "alias": None,
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": "2024-01-08T09:00:00Z",
        "two_factor_auth_enabled": None,
        "signature": None,
        "details": None,
        "notes": None,
        "role_type": None,
        "custom_role_id": None,
        "moderator": is_agent,
        "ticket_restriction": None if is_agent else "requested",
        "only_private_comments": False,
        "restricted_agent": not is_agent,
        "suspended": False,
        "default_group_id": GROUP_IDS[0] if is_agent else None,
        "report_csv": False,
        "user_fields": {},
    }


def me(base: str, role: str) -> dict[str, Any]:
    """The user that every credential of the demo belongs to."""
    record = user(ADMIN_ID, base)
    assert record is not None
    # The real answer holds a session secret under this key: logging a whole answer would leak it.
    record |= {
        "role": role,
        "role_type": 4 if role == "admin" else 0,
        "custom_role_id": ROLE_ID,
        "authenticity_token": "not-a-real-session-secret",
        "report_csv": role == "admin",
    }
    return record


ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}
