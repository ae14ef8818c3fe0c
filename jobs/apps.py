from django.apps import AppConfig
from django.db.models.signals import post_migrate

#: The tag of the system checks that our commands run first. Django's other checks examine the code, not the
#: settings: `manage.py check` runs them once, and every command starts a fifth faster without them.
SETTINGS = "settings"


class JobsConfig(AppConfig):
    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Their receivers listen once they are imported.
        from jobs import actions, deleted_accounts  # noqa: F401, PLC0415
        from jobs.installation import standstill  # noqa: PLC0415  # its models are ready only now

        post_migrate.connect(standstill.record_after_migrating, sender=self)
