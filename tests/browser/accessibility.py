"""What axe-core finds on a page (the rules of WCAG 2.2, levels A and AA)."""

from __future__ import annotations

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Its script, to be evaluated: adding it as a script is what the page's content policy refuses.
AXE = Axe().axe_script
RULES: dict[str, object] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
#: Those that look at colours; the others find the same in every scheme.
COLOURS: dict[str, object] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
#: Colours on their way from one scheme to the other are nobody's.
IS_STILL = """(scheme) =>
    document.documentElement.dataset.bsTheme === scheme && !document.getAnimations().length"""
ASK = """async (rules) => {
    const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
    return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.html}`));
}"""


def violations(page: Page) -> dict[str, list[str]]:
    """By colour scheme a line for each element that breaks a rule: the rule, where it is, how it begins."""
    page.evaluate(AXE)
    return {"light": _seen(page, "light", RULES), "dark": _seen(page, "dark", COLOURS)}


def _seen(page: Page, scheme: Literal["light", "dark"], rules: dict[str, object]) -> list[str]:
    # A page behind another one draws nothing, so its colours would never arrive.
    page.bring_to_front()
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(IS_STILL, arg=scheme, polling=50)
    lines: list[str] = page.evaluate(ASK, rules)
    return [line[:300] for line in lines]
