"""One tag: a drawing of the sprite, for every template of the project."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html

register = template.Library()


@register.simple_tag
def icon(name: str, classes: str = "icon") -> str:
    """The drawing `name` of static/icons.svg. Screen readers skip it: the word beside it says the same.

    `classes` is "drawing" for the large ones of empty pages.
    """
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        classes,
        static("icons.svg"),
        name,
    )
