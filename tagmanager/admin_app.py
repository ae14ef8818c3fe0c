"""Django's admin app with our site, which itself may be imported only once the models are."""

from django.contrib.admin.apps import AdminConfig


class OversightConfig(AdminConfig):
    """Named in INSTALLED_APPS in place of `django.contrib.admin`."""

    default_site = "tagmanager.ops.admin_site.Oversight"
