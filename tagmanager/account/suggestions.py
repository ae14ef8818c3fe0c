"""Suggestions while a person fills in a form: tags, and the number of tickets a choice finds.

Answers are cached for all people, since Zendesk allows only five counts of a view a minute.
"""

from __future__ import annotations

from tagmanager.account.asking import CURRENT_SECONDS, Known, Question, ask
from zendesk import ViewCount, normalise

#: Seconds. Zendesk's own list of tags is up to a day behind.
TAGS_CURRENT_SECONDS = 300.0
MAX_SUGGESTIONS = 12


def tags_like(prefix: str) -> Known[list[str]]:
    """Up to a dozen tags that start with the prefix."""
    wanted = normalise(prefix)
    return ask(
        Question(
            f"tags:{wanted}",
            lambda zendesk: zendesk.tags_starting_with(wanted)[:MAX_SUGGESTIONS],
            lasts=lambda _: TAGS_CURRENT_SECONDS,
        )
    )


def view_count(view_id: int) -> Known[ViewCount]:
    """The approximate number of tickets in a view."""
    return ask(
        Question(
            f"view-count:{view_id}",
            lambda zendesk: zendesk.view_count(view_id),
            # While Zendesk is still counting, the next answer differs.
            lasts=lambda found: 0.0 if found.value is None else CURRENT_SECONDS,
        )
    )


def search_count(text: str) -> Known[int]:
    """The number of tickets that a search finds."""
    return ask(Question(f"search-count:{text}", lambda zendesk: zendesk.search_count(text)))
