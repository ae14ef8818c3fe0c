"""The URLs of jobs, below /jobs/."""

from django.urls import URLPattern, path

from jobs.presentation.job_actions import JOB_ACTIONS
from jobs.views import bulk, confirm, holding, job_detail, job_list

app_name = "jobs"

urlpatterns: list[URLPattern] = [
    path("", job_list.show, name="list"),
    path("rows", job_list.rows, name="rows"),
    path("cancel", bulk.cancel, name="cancel-many"),
    *(path(name, holding.throw, {"name": name}, name=name) for name in holding.SWITCHES),
    path("<int:pk>/", job_detail.detail, name="detail"),
    path("<int:pk>/live", job_detail.live, name="live"),
    path("<int:pk>/account", job_detail.account, name="account"),
    path("<int:pk>/status", job_detail.status, name="status"),
    path("<int:pk>/export.<slug:kind>", job_detail.export, name="export"),
    *(path(f"<int:pk>/{name}", confirm.act, {"name": name}, name=name) for name in JOB_ACTIONS),
]
