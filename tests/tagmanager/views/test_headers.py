"""What every answer carries, whatever page it is."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.mark.django_db
def test_pages_forbid_inline_scripts_framing_and_type_sniffing(client: Client) -> None:
    answer = client.get("/login/")
    assert answer.status_code == 200
    policy = {part.strip() for part in answer["Content-Security-Policy"].split(";")}
    assert policy == {
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    }
    names = ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")
    assert {name: answer[name] for name in names} == {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


@pytest.mark.django_db
def test_static_files_are_served_without_collectstatic(client: Client) -> None:
    answer = client.get("/static/vendor/htmx.min.js")
    answer.close()  # a server would; otherwise the file stays open
    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/javascript; charset="utf-8"')


@pytest.mark.django_db
def test_ten_wrong_passwords_lock_only_that_user_name(client: Client, django_user_model: type[User]) -> None:
    for name in ("ana", "ben"):
        django_user_model.objects.create_user(name, password="the right one", is_staff=True)

    def log_in(name: str, password: str) -> int:
        return client.post("/login/", {"username": name, "password": password}).status_code

    assert {log_in("ana", "wrong") for _ in range(9)} == {200}
    assert log_in("ana", "wrong") == 429
    assert log_in("ana", "the right one") == 429
    assert log_in("ben", "the right one") == 302
