from django.apps import AppConfig

#: The tag of the system checks that our commands wait for. What else Django checks is written in the program,
#: not set: `manage.py check` looks at it once, and each start of a command is a fifth shorter.
SETTINGS = "settings"


class JobsConfig(AppConfig):
    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from jobs import signals  # noqa: F401, PLC0415  # listens by being imported
