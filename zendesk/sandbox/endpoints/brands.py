"""Brands, and who belongs to them."""

from zendesk.sandbox.errors import forbidden
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox

_FIRST_ID = 6_130_830_354_842
_STEP = 256


def index(sandbox: Sandbox, request: Request) -> Reply:
    if not sandbox.options.brands_listed:
        raise forbidden()
    described = [
        {
            "url": f"{request.base}/api/v2/brands/{_id(number)}.json",
            "id": _id(number),
            "name": f"Brand {number + 1}",
            "subdomain": f"brand{number + 1}",
            "active": True,
            "default": number == 0,
        }
        for number in range(sandbox.options.brands)
    ]
    return paging.paginated(request, "brands", described)


def memberships(sandbox: Sandbox, request: Request, user_id: int) -> Reply:
    """The documents allow admins alone to list them."""
    belongs = sandbox.options.agent_brands
    if belongs is None:
        raise forbidden()
    described = [
        {"id": str(_id(number)), "user_id": user_id, "brand_id": _id(number)} for number in range(belongs)
    ]
    return paging.paginated(request, "brand_agents", described)


def _id(number: int) -> int:
    return _FIRST_ID + number * _STEP
