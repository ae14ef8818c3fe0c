"""Every URL of the app, by subject."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from tagmanager.views import (
    drafts,
    healthz,
    home,
    inventory,
    lookups,
    metrics,
    parts,
    people,
    previews,
    tool,
    two_factor,
)

handler500 = "tagmanager.views.server_errors.server_error"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("now", home.jobs_now, name="now"),
    path("connection", home.connection_card, name="connection"),
    path("tools/parts/tags", parts.tags, name="tags"),
    path("tools/parts/stored", parts.stored, name="stored"),
    path("tools/parts/guard", parts.guard, name="guard"),
    path("tools/parts/closed", parts.closed_problem, name="closed"),
    path("tools/parts/pairs", parts.pairs, name="pairs"),
    path("tools/parts/meant", parts.meant, name="meant"),
    path("tools/parts/view-count", parts.view_count, name="view-count"),
    path("tools/parts/search-count", parts.search_count, name="search-count"),
    path("tools/parts/views", parts.offered, {"name": "views"}, name="offered-views"),
    path("tools/parts/macros", parts.offered, {"name": "macros"}, name="offered-macros"),
    path("tools/preview/<int:pk>/samples", previews.samples, name="preview-samples"),
    path("tools/preview/<int:pk>/warnings", previews.cautions, name="preview-warnings"),
    path("tools/preview/<int:pk>/pairs", previews.pairs, name="preview-pairs"),
    path("tools/preview/<int:pk>/named-in.csv", previews.references, name="preview-named-in"),
    path("tools/macro-search/", lookups.macros, name="macro-search"),
    path("tools/tag-inventory/", inventory.inventory, name="tag-inventory"),
    path("tools/tag-inventory/state", inventory.state, name="tag-inventory-state"),
    path("tools/tag-inventory/count", inventory.count, name="tag-inventory-count"),
    path("tools/tag-inventory/anew", inventory.refresh, name="tag-inventory-anew"),
    path("tools/<slug:slug>/draft", drafts.draft, name="draft"),
    path("tools/<slug:slug>/", tool.tool, name="tool"),
    path("jobs/", include("jobs.urls")),
    path("login/", people.SignIn.as_view(), name="login"),
    path("login/code/", two_factor.code, name="sign-in-code"),
    path("two-factor/", two_factor.two_factor, name="two-factor"),
    path("logout/", people.SignOut.as_view(), name="logout"),
    path("signed-out/", people.signed_out, name="signed-out"),
    path("password/", people.change_password, name="password"),
    path("admin/", admin.site.urls),
    path("healthz", healthz.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
]
