"""The admin as one of our rooms: behind the same sign-in page, with an index that explains."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme

from jobs.views.permissions import redirect_to_sign_in


class Section(NamedTuple):
    """One group of the index: its name, what it is for, and its tables in order with a word on each."""

    name: str
    note: str
    tables: dict[str, tuple[str, str]]  # by model: its name here, and what one finds


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
        "Guessed passwords. Deleting an attempt opens the door for that name again.",
        {
            "AccessAttempt": ("Attempts", "wrong passwords, and which names are locked out"),
            "AccessFailureLog": ("Failures", "each failed attempt"),
            "AccessLog": ("Sign-ins", "who signed in, and when"),
        },
    ),
}
REFUSAL = (
    "Your account may use Tag Manager, but not its admin. Ask an administrator of Tag Manager to give it the "
    "“Staff status”."
)


class Oversight(AdminSite):
    """Django's admin with our words; whoever is not signed in goes through the one sign-in page."""

    site_header = "Oversight"
    site_title = "Tag Manager"
    index_title = "Oversight"
    site_url: Any = reverse_lazy("home")
    enable_nav_sidebar = False  # the wide lists need the room, and the index is one click away

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """To the sign-in page of the site and then back; who is signed in and may not come in is told so."""
        asked = request.GET.get(REDIRECT_FIELD_NAME, "")
        is_ours = url_has_allowed_host_and_scheme(
            asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        back = asked if is_ours else reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(back)
        if request.user.is_authenticated:
            raise PermissionDenied(REFUSAL)
        return redirect_to_sign_in(request, back=back)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The groups in our order, each with a word on what it is for."""
        apps: list[Any] = super().get_app_list(request, app_label)
        labels = list(SECTIONS)
        apps.sort(
            key=lambda app: labels.index(app["app_label"]) if app["app_label"] in SECTIONS else len(labels)
        )
        for app in apps:
            if room := SECTIONS.get(app["app_label"]):
                _describe(app, room)
        return apps


def _describe(app: dict[str, Any], room: Section) -> None:
    app["name"], app["note"] = room.name, room.note
    order = list(room.tables)
    for model in app["models"]:
        if words := room.tables.get(model["object_name"]):
            model["name"], model["note"] = words
    app["models"].sort(
        key=lambda model: order.index(model["object_name"]) if model["object_name"] in order else len(order)
    )
