"""People: the connected user, others, their roles and groups."""

from typing import Any

from zendesk.sandbox.account import people
from zendesk.sandbox.errors import not_found, too_many_values
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox

# fmt: off
_ALLOWED = (
    "chat_access", "manage_business_rules", "manage_dynamic_content", "manage_extensions_and_channels",
    "manage_facebook", "side_conversation_create", "ticket_deletion", "ticket_tag_editing",
    "view_deleted_tickets", "voice_access", "group_access", "organization_editing",
    "organization_notes_editing", "assign_tickets_to_any_group", "ticket_editing", "ticket_merge",
    "voice_dashboard_access", "manage_automations", "manage_contextual_workspaces",
    "manage_organization_fields", "manage_skills", "manage_slas", "manage_ticket_fields",
    "manage_ticket_forms", "manage_user_fields", "ticket_redaction", "manage_groups",
    "manage_group_memberships", "manage_organizations", "manage_suspended_tickets", "manage_triggers",
)



_DENIED = ("forum_access_restricted_content", "light_agent", "moderate_forums", "twitter_search_access")



_FULL = (
    "end_user_list_access", "end_user_profile_access", "explore_access", "forum_access", "macro_access",
    "report_access", "user_view_access", "view_access",
)



# fmt: on
_CONFIGURATION: dict[str, Any] = {
    **dict.fromkeys(_ALLOWED, True),
    **dict.fromkeys(_DENIED, False),
    **dict.fromkeys(_FULL, "full"),
    "ticket_access": "all",
    "ticket_comment_access": "public",
    "manage_roles": "all",
}


def me(sandbox: Sandbox, request: Request) -> Reply:
    """An anonymous caller gets 200 too, with a null id."""
    if request.scopes is None:
        return json_reply({"user": people.ANONYMOUS})
    return json_reply({"user": people.me(request.base, sandbox.options.role)})


def show(_sandbox: Sandbox, request: Request, user_id: int) -> Reply:
    found = people.user(user_id, request.base)
    if found is None:
        raise not_found()
    return json_reply({"user": found})


def show_many(_sandbox: Sandbox, request: Request) -> Reply:
    ids = request.ids()
    if len(ids) > MAX_IDS:
        raise too_many_values()
    found = [one for number in sorted(set(ids)) if (one := people.user(number, request.base)) is not None]
    return json_reply({"users": found, "next_page": None, "previous_page": None, "count": len(found)})


def custom_role(sandbox: Sandbox, _request: Request, role_id: int) -> Reply:
    if role_id != people.ROLE_ID:
        raise not_found()
    is_admin = sandbox.options.role == "admin"
    return json_reply(
        {
            "custom_role": {
                "id": people.ROLE_ID,
                "name": "Admin" if is_admin else "Staff",
                "description": "Can manage all settings, except billing" if is_admin else "Can edit tickets",
                "role_type": 4 if is_admin else 0,
                "created_at": "2024-01-08T09:00:00Z",
                "updated_at": "2024-01-08T09:00:00Z",
                "configuration": _CONFIGURATION,
                "team_member_count": 2,
            }
        }
    )


def groups(_sandbox: Sandbox, request: Request) -> Reply:
    described = [
        {
            "url": f"{request.base}/api/v2/groups/{number}.json",
            "id": number,
            "is_public": True,
            "name": name,
            "description": "",
            "default": number == people.GROUP_IDS[0],
            "deleted": False,
            "created_at": "2024-01-08T09:00:00Z",
            "updated_at": "2024-01-08T09:00:00Z",
        }
        for number, name in people.GROUPS.items()
    ]
    return paging.paginated(request, "groups", described, "id")
