"""The comment that a macro posts on a ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.utils.html import strip_tags

PUBLIC, INTERNAL = "public", "internal"
#: The beginning of a Liquid placeholder, which Zendesk fills in for each ticket.
PLACEHOLDER = re.compile(r"\{\{|\{%")
#: The preview of a macro gives HTML as the body of a comment where the macro holds HTML, without saying so.
HTML = re.compile(
    r"\s*<(p|div|br|ul|ol|h[1-6]|span|strong|em|b|i|a|table|blockquote)\b[^<>]*>", re.IGNORECASE
)
_ENDS = re.compile(r"<(br|/p|/div|/li|/h[1-6])\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as it is posted. Once filled in for a ticket it holds a customer's words: never stored."""

    text: str
    is_public: bool
    is_html: bool = False

    @property
    def kind(self) -> str:
        return PUBLIC if self.is_public else INTERNAL

    @property
    def differs(self) -> bool:
        """Whether its text differs from ticket to ticket."""
        return bool(PLACEHOLDER.search(self.text))

    @property
    def plain(self) -> str:
        """As people read it."""
        if not self.is_html:
            return self.text.strip()
        return unescape(strip_tags(_ENDS.sub("\n", self.text))).strip()

    def to_json(self) -> dict[str, object]:
        """As it is sent, always with who sees it: Zendesk has no fixed default for that."""
        return {"html_body" if self.is_html else "body": self.text, "public": self.is_public}

    @classmethod
    def from_preview(cls, ticket: Mapping[str, Any], *, is_html: bool) -> Comment | None:
        """From a ticket in Zendesk's preview of a macro; None where no comment would be posted."""
        given = ticket.get("comment")
        if not isinstance(given, dict):
            return None
        html, body = given.get("html_body"), given.get("body")
        text = html if isinstance(html, str) and html else body
        if not isinstance(text, str) or not text.strip():
            return None
        return cls(text, given.get("public") is not False, is_html or text is html or bool(HTML.match(text)))
