"""The Django app of the project itself: connections, tools, commands and checks."""

from django.apps import AppConfig


class TagManagerConfig(AppConfig):
    """Registers the system checks when Django starts."""

    name = "tagmanager"
    verbose_name = "Tag Manager"

    def ready(self) -> None:
        """Django has loaded every app: from here on `manage.py check` knows our checks."""
        from tagmanager import checks  # noqa: F401, PLC0415  # registers itself by being imported
