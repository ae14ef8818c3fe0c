"""What a page may not do while nobody looks: complain in the console, or ask another host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response


class Watch:
    """Listens to every page of a context from its beginning."""

    def __init__(self, context: BrowserContext, host: str) -> None:
        self._host = host
        self._forgiven: list[str] = []
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        context.on("page", self._follow)
        context.on("request", self._note_request)

    def forgive(self, pattern: str) -> None:
        """The test brings this complaint about itself."""
        self._forgiven.append(pattern)

    def check(self) -> None:
        left = [
            words for words in self.complaints if not any(re.search(each, words) for each in self._forgiven)
        ]
        assert (left, self.foreign) == ([], []), f"complaints {left}, other hosts {self.foreign}"

    def _follow(self, page: Page) -> None:
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            place = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} ({place})")

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._host:
            self.foreign.append(request.url)


def polls(page: Page) -> list[str]:
    """Filled with the answers to what the page asks by itself: status and last part of the address."""
    answers: list[str] = []

    def note(answer: Response) -> None:
        if answer.request.headers.get("hx-request"):
            answers.append(f"{answer.status} {urlsplit(answer.url).path.rsplit('/', 1)[-1]}")

    page.on("response", note)
    return answers
