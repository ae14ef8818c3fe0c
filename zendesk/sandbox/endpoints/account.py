"""The account around the tickets: people, roles, settings, tags, fields and rules."""

from typing import Any

from zendesk.sandbox import limits
from zendesk.sandbox.account import fields, people, rules
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply, answer, invalid_attribute, not_found, too_many_values
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox

# Tags beyond these are not listed, though tickets carry them (developer.zendesk.com, tags).
MAX_TAGS_LISTED = 20_000
_SYSTEM_FIELDS = ("subject", "description", "status", "tickettype", "priority", "group", "assignee")
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


def token(sandbox: Sandbox, asked: Request) -> Reply:
    return answer(sandbox.access.grant(asked.json, sandbox.now()), status=201)


def me(sandbox: Sandbox, asked: Request) -> Reply:
    """200 also for nobody: with a null id."""
    if asked.scopes is None:
        return answer({"user": people.ANONYMOUS})
    return answer({"user": people.me(asked.base, sandbox.options.role)})


def user(_sandbox: Sandbox, asked: Request, user_id: int) -> Reply:
    found = people.user(user_id, asked.base)
    if found is None:
        raise not_found()
    return answer({"user": found})


def users_show_many(_sandbox: Sandbox, asked: Request) -> Reply:
    ids = asked.ids()
    if len(ids) > MAX_IDS:
        raise too_many_values()
    found = [one for number in sorted(set(ids)) if (one := people.user(number, asked.base)) is not None]
    return answer({"users": found, "next_page": None, "previous_page": None, "count": len(found)})


def custom_role(sandbox: Sandbox, _asked: Request, role_id: int) -> Reply:
    if role_id != people.ROLE_ID:
        raise not_found()
    is_admin = sandbox.options.role == "admin"
    return answer(
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


def settings(_sandbox: Sandbox, _asked: Request) -> Reply:
    return answer(
        {
            "settings": {
                "branding": {"header_color": "1A00C3", "text_color": "FFFFFF"},
                "active_features": {
                    "customer_satisfaction": True,
                    "ticket_tagging": True,
                    "bcc_archiving": False,
                },
                "tickets": {
                    "tagging": True,
                    "allow_group_reset": True,
                    "has_color_text": True,
                    "comments_public_by_default": True,
                },
                "api": {
                    "accepted_api_agreement": True,
                    "api_password_access": False,
                    "api_token_access": True,
                },
            }
        }
    )


def tags(sandbox: Sandbox, asked: Request) -> Reply:
    asked.more_headers |= sandbox.limits.count_endpoint(limits.TAGS_INDEX, sandbox.now())
    counts = sandbox.store.tag_sets.counts().most_common(MAX_TAGS_LISTED)
    records = [{"name": name, "count": count} for name, count in counts]
    return paging.of_few(asked, "tags", records, "-score,id")


def tags_count(sandbox: Sandbox, _asked: Request) -> Reply:
    value = min(len(sandbox.store.tag_sets.counts()), MAX_TAGS_LISTED)
    return answer({"count": {"value": value, "refreshed_at": "2024-01-08T09:00:00Z"}})


def tags_autocomplete(sandbox: Sandbox, asked: Request) -> Reply:
    """Tags that begin so; at least two characters are asked for."""
    start = asked.query.get("name", "").lower()
    if len(start) < 2:
        raise invalid_attribute("name", "Must have at least 2 characters.")
    counts = sandbox.store.tag_sets.counts().most_common(MAX_TAGS_LISTED)
    return answer({"tags": [name for name, _ in counts if name.startswith(start)][:30]})


def ticket_fields(sandbox: Sandbox, asked: Request) -> Reply:
    described = [
        {
            "url": f"{asked.base}/api/v2/ticket_fields/{6_130_830_400_000 + 2 * number}.json",
            "id": 6_130_830_400_000 + 2 * number,
            "type": kind,
            "title": kind.title(),
            "raw_title": kind.title(),
            "position": number,
            "active": True,
            "required": False,
            "tag": None,
            "removable": False,
            "created_at": "2024-01-08T09:00:00Z",
            "updated_at": "2024-01-08T09:00:00Z",
        }
        for number, kind in enumerate(_SYSTEM_FIELDS)
    ]
    for number, field in enumerate(fields.FIELDS, start=len(described)):
        required = sandbox.options.require_resolution and field.id == fields.FIELD_RESOLUTION
        described.append(field.to_json(asked.base, number, required))
    return paging.of_few(asked, "ticket_fields", described, "position,id")


def groups(_sandbox: Sandbox, asked: Request) -> Reply:
    described = [
        {
            "url": f"{asked.base}/api/v2/groups/{number}.json",
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
    return paging.of_few(asked, "groups", described, "id")


def triggers(sandbox: Sandbox, asked: Request) -> Reply:
    return paging.of_few(
        asked,
        "triggers",
        rules.triggers(asked.base, sandbox.options.readding_tag, sandbox.options.triggers),
        "position,id",
    )


def automations(_sandbox: Sandbox, asked: Request) -> Reply:
    return paging.of_few(asked, "automations", rules.automations(asked.base), "position,id")
