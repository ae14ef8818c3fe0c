"""What axe-core finds on a page (the rules of WCAG 2.2, levels A and AA)."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe()
OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
#: Colours on their way from one scheme to the other are nobody's.
STANDS_STILL = """async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.all(document.getAnimations().map((each) => each.finished.catch(() => null)));
}"""


def violations(page: Page) -> list[str]:
    """A line for each element that breaks a rule: the rule, where it is, and how it begins."""
    page.evaluate(STANDS_STILL)
    found = AXE.run(page, options=OPTIONS).response["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['html']}"[:300]
        for rule in found
        for node in rule["nodes"]
    ]
