"""What the templates of previews need besides Django's own tags."""

from django import template

from tagmanager.previews import preview

register = template.Library()

register.simple_tag(preview.preview_of, name="preview_of")
