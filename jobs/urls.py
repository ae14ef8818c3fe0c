"""The addresses of jobs, below /jobs/."""

from django.urls import URLPattern, path

from jobs.presentation.job_actions import DOINGS
from jobs.views import asking, bulk, lists, pages

app_name = "jobs"

urlpatterns: list[URLPattern] = [
    path("", lists.show, name="list"),
    path("rows", lists.rows, name="rows"),
    path("cancel", bulk.cancel, name="cancel-many"),
    path("<int:pk>/", pages.detail, name="detail"),
    path("<int:pk>/live", pages.live, name="live"),
    path("<int:pk>/account", pages.account, name="account"),
    path("<int:pk>/status", pages.status, name="status"),
    path("<int:pk>/export.<slug:kind>", pages.export, name="export"),
    *(path(f"<int:pk>/{name}", asking.act, {"name": name}, name=name) for name in DOINGS),
]
