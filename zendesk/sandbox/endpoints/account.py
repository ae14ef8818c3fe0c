"""OAuth tokens and account settings."""

from zendesk.sandbox.errors import forbidden
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox


def token(sandbox: Sandbox, request: Request) -> Reply:
    return json_reply(sandbox.access.grant(request.json, sandbox.now()), status=201)


def settings(sandbox: Sandbox, _request: Request) -> Reply:
    if "account/settings" in sandbox.options.withheld:
        raise forbidden()
    return json_reply(
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
                "routing": {
                    "enabled": sandbox.options.routing_enabled,
                    "autorouting_tag": sandbox.options.autorouting_tag,
                    "max_email_capacity": 0,
                    "max_messaging_capacity": 0,
                },
                "api": {
                    "accepted_api_agreement": True,
                    "api_password_access": False,
                    "api_token_access": True,
                },
            }
        }
    )
