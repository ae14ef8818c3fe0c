"""The sprite of drawings, and the names by which templates use it."""

from __future__ import annotations

import re
from pathlib import Path

from django.template import Context, Template

ROOT = Path(__file__).parents[1]
DRAWN = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static/icons.svg").read_text(encoding="utf-8")))


def test_a_drawing_is_hidden_from_screen_readers() -> None:
    page = Template('{% load icons %}{% icon "clock" %}').render(Context())
    assert page == (
        '<svg class="icon" aria-hidden="true" focusable="false">'
        '<use href="/static/icons.svg#clock"></use></svg>'
    )


def test_every_name_in_a_template_is_drawn() -> None:
    templates = [path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html")]
    named = {name for text in templates for name in re.findall(r'{% icon "([\w-]+)"', text)}
    assert "logo" in named
    assert named - DRAWN == set()
