"""What axe-core finds on a page (the rules of WCAG 2.2, levels A and AA)."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Its script, to be evaluated: adding it as a script is what the page's content policy refuses.
AXE = Axe().axe_script
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
#: Those that look at colours; the others find the same in every scheme.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
#: Colours on their way from one scheme to the other are nobody's, and what inherits them comes a frame later.
ASK = """async ([scheme, rules]) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    while (document.documentElement.dataset.bsTheme !== scheme) await frame();
    for (let still = 0; still < 3; still = document.getAnimations().length ? 0 : still + 1) await frame();
    const found = await axe.run(document, {runOnly: rules, resultTypes: ["violations"]});
    return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.html}`));
}"""


def violations(page: Page) -> dict[str, list[str]]:
    """By colour scheme a line for each element that breaks a rule: the rule, where it is, how it begins."""
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(ASK, ["light", RULES])
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ASK, ["dark", COLOURS])
    return {name: [line[:300] for line in lines] for name, lines in (("light", light), ("dark", dark))}
