"""What the templates of previews need besides Django's own tags."""

from django import template

from tagmanager import previews

register = template.Library()

register.simple_tag(previews.preview_of, name="preview_of")
