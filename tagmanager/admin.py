"""The project's own pages in the admin. Django imports this module when it starts."""

from tagmanager.ops import lockouts_admin
from tagmanager.people import admin

__all__ = ["admin", "lockouts_admin"]
