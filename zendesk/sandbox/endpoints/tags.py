"""The account's tags."""

from zendesk.sandbox import limits
from zendesk.sandbox.errors import invalid_attribute
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox

# The list stops here, even if tickets carry more tags (developer.zendesk.com, tags).
MAX_TAGS_LISTED = 20_000


def index(sandbox: Sandbox, request: Request) -> Reply:
    request.extra_headers |= sandbox.limits.count_endpoint(limits.TAGS_INDEX, sandbox.now())
    counts = sandbox.store.tag_sets.counts().most_common(MAX_TAGS_LISTED)
    records = [{"name": name, "count": count} for name, count in counts]
    return paging.paginated(request, "tags", records, "-score,id")


def count(sandbox: Sandbox, _request: Request) -> Reply:
    value = min(len(sandbox.store.tag_sets.counts()), MAX_TAGS_LISTED)
    return json_reply({"count": {"value": value, "refreshed_at": "2024-01-08T09:00:00Z"}})


def autocomplete(sandbox: Sandbox, request: Request) -> Reply:
    """Tags that start with `?name=`, which needs at least two characters."""
    start = request.query.get("name", "").lower()
    if len(start) < 2:
        raise invalid_attribute("name", "Must have at least 2 characters.")
    counts = sandbox.store.tag_sets.counts().most_common(MAX_TAGS_LISTED)
    return json_reply({"tags": [name for name, _ in counts if name.startswith(start)][:30]})
