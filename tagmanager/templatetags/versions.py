"""The version of the program, for the foot of a page."""

from django import template

from tagmanager.version import version

register = template.Library()
register.simple_tag(version, name="app_version")
