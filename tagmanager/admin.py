"""The project's own pages in the admin. Django imports this module when it starts."""

from tagmanager.people import admin, lockouts_admin

__all__ = ["admin", "lockouts_admin"]
