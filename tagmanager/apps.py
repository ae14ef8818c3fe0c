"""The Django app of the project itself: connections, tools, commands and checks."""

from django.apps import AppConfig
from django.conf import settings


class TagManagerConfig(AppConfig):
    """Registers the system checks and starts error reports when Django starts: web, worker or command."""

    name = "tagmanager"
    verbose_name = "Tag Manager"

    def ready(self) -> None:
        """Django has loaded every app: from here on `manage.py check` knows our checks."""
        from tagmanager.ops import checks, file_checks  # noqa: F401, PLC0415  # register themselves by being imported

        if settings.SENTRY_DSN:
            from tagmanager.ops import error_reporting  # noqa: PLC0415  # a fifth of a second, for those who want it

            error_reporting.start(settings.SENTRY_DSN)
