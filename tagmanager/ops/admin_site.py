"""The admin site, behind the app's own sign-in page and with an index that explains its tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import FieldError, PermissionDenied, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme

from jobs.views.permissions import redirect_to_sign_in


class Section(NamedTuple):
    """A section of the index: its name, its purpose, and its tables in order."""

    name: str
    note: str
    tables: dict[str, tuple[str, str]]  # by model: its name on the page, and its contents


SECTIONS: dict[str, Section] = {
    "jobs": Section(
        "Jobs",
        "What was asked for and what became of it. Read only; a job that has not ended can be paused, "
        "resumed and cancelled.",
        {
            "Job": ("Jobs", "who asked for what, and how far it is"),
            "Item": ("Tickets", "one line for each ticket in each job, found by its number"),
            "Batch": ("Batches", "up to a hundred tickets sent together"),
            "Transition": ("Timeline", "who moved which job, when and why"),
            "Pruning": ("Deleted jobs", "when old jobs were deleted, and what they added up to"),
        },
    ),
    "django_q": Section(
        "Queue",
        "How the workers are woken. Read only; nothing here needs a person as long as a worker runs.",
        {
            "OrmQ": ("Waiting", "wake-ups that no worker has taken yet"),
            "Failure": ("Failed", "wake-ups that met an error"),
            "Success": ("Done", "kept only if the queue is told to keep them"),
            "Schedule": ("By the clock", "what the queue does at set times"),
        },
    ),
    "auth": Section(
        "People",
        "Who may sign in, and what they may do.",
        {"User": ("People", "accounts and their permissions"), "Group": ("Groups", "permissions for many")},
    ),
    "axes": Section(
        "Sign-in",
        "Guessed passwords. Who is locked out can be unlocked under “Attempts”.",
        {
            "AccessAttempt": ("Attempts", "wrong passwords, who is locked out of where, and how to end it"),
            "AccessLog": ("Sign-ins", "who signed in, and when"),
        },
    ),
}
#: What a database or Django's filters raise for a value in the address that suits no column.
UNANSWERABLE = (DataError, FieldError, OverflowError, TypeError, ValidationError, ValueError)
REFUSAL = (
    "Your account may use Tag Manager, but not its admin. Ask an administrator of Tag Manager to give it the "
    "“Staff status”."
)


class Oversight(AdminSite):
    """Django's admin with our texts, and with the app's sign-in page instead of its own."""

    site_header = "Oversight"
    site_title = "Tag Manager"
    index_title = "Oversight"
    site_url: Any = reverse_lazy("home")
    enable_nav_sidebar = False  # wide lists need the space, and the index is one click away

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Redirect to the app's sign-in page and then back; refuse people who are signed in but not staff."""
        target = request.GET.get(REDIRECT_FIELD_NAME, "")
        is_safe = url_has_allowed_host_and_scheme(
            target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        back = target if is_safe else reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(back)
        if request.user.is_authenticated:
            raise PermissionDenied(REFUSAL)
        return redirect_to_sign_in(request, back=back)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """A page of the admin, behind its door, that answers 400 to an address no database takes."""
        return super().admin_view(_refusing_odd_addresses(view), cacheable)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Redirect to the app's own page, which counts wrong passwords."""
        return redirect("password")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The sections in our order, each with its purpose."""
        apps: list[Any] = super().get_app_list(request, app_label)
        labels = list(SECTIONS)
        apps.sort(
            key=lambda app: labels.index(app["app_label"]) if app["app_label"] in SECTIONS else len(labels)
        )
        for app in apps:
            if section := SECTIONS.get(app["app_label"]):
                _describe(app, section)
        return apps


def _refusing_odd_addresses(view: Callable[..., Any]) -> Callable[..., Any]:
    """Django's admin turns any parameter into a filter, so a number, a date or a text may suit no column."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # SQLite takes this character, PostgreSQL does not.
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return render(request, "400.html", status=400)
        try:
            found = view(request, *args, **kwargs)
        except UNANSWERABLE:
            if request.method != "GET":
                raise
            return render(request, "400.html", status=400)
        if found.status_code == 302 and found.url.endswith(f"?{ERROR_FLAG}=1"):
            return render(request, "400.html", status=400)
        return found

    return answer


def _describe(app: dict[str, Any], section: Section) -> None:
    app["name"], app["note"] = section.name, section.note
    order = list(section.tables)
    for model in app["models"]:
        if texts := section.tables.get(model["object_name"]):
            model["name"], model["note"] = texts
    app["models"].sort(
        key=lambda model: order.index(model["object_name"]) if model["object_name"] in order else len(order)
    )
