"""The project's own pages in the admin. Django imports this module when it starts."""

from tagmanager.ops import lockouts_admin

__all__ = ["lockouts_admin"]
