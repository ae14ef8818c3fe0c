"""The admin pages of the project itself. Django imports this module when it starts."""

from tagmanager.people import admin

__all__ = ["admin"]
