"""Template tags for previews."""

from django import template

from tagmanager.previews import preview

register = template.Library()

register.simple_tag(preview.preview_of, name="preview_of")
