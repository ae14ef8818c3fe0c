"""Every address of the app, by room."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from tagmanager import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("tools/<slug:slug>/", views.tool, name="tool"),
    path("jobs/", include("jobs.urls")),
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("healthz", views.healthz, name="healthz"),
]
