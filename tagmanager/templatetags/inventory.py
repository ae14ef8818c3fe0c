"""Template tags for the tag inventory."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from tagmanager.inventory.tags import Tag

register = template.Library()


@register.filter
def merge_into(group: Sequence[Tag], kept: Tag) -> str:
    """The address of the form that renames all others of the group to `kept`."""
    old = " ".join(tag.name for tag in group if tag != kept)
    return f"{reverse('tool', args=['rename-tags'])}?{urlencode({'old': old, 'new': kept.name})}"
