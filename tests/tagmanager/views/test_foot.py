"""The version stands at the foot of pages, for people who are signed in."""

from django.test import Client

from tagmanager.version import version


def test_people_see_the_version_and_strangers_do_not(web: Client, db: None) -> None:
    shown = f"Tag Manager {version()}"
    assert [shown in web.get(path).content.decode() for path in ("/", "/jobs/")] == [True] * 2
    asked = ("/login/", "/nothing", "/healthz")
    assert [version() in Client().get(path).content.decode() for path in asked] == [False] * 3
