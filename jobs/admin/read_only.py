"""Read-only lists that are as fast with a million rows as with ten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from jobs.common.input import typed_number, whole_number
from jobs.models import Job

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Pages = Paginator[Any]
    RowList = QuerySet[Any]
else:
    ModelAdmin = admin.ModelAdmin
    Pages = Paginator

#: Rows counted at most; those beyond are found by a number, not by turning pages.
ROWS_COUNTED = 10_000
#: The parameter of a URL that narrows a list to one job.
JOB_LOOKUP = "job__id__exact"


class CappedPaginator(Pages):
    """Pages of the first `COUNTED` rows."""

    @cached_property
    def count(self) -> int:
        rows = cast("RowList", self.object_list)
        return rows.order_by().values("pk")[:ROWS_COUNTED].count()

    @property
    def is_capped(self) -> bool:
        return self.count == ROWS_COUNTED


class OrderedList(ChangeList):
    """Ignores an order in the URL, which would sort a million rows."""

    def get_ordering(self, request: HttpRequest, queryset: RowList) -> list[Any]:  # noqa: ARG002
        return list(self.model_admin.get_ordering(request))


class ReadOnlyAdmin(ModelAdmin):
    """Nothing can be added, changed or deleted, whatever permissions a person has."""

    actions: Any = None
    list_per_page = 50
    list_max_show_all = 0
    ordering = ("-pk",)
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER  # each would count all rows
    show_full_result_count = False
    sortable_by: ClassVar[Any] = ()
    #: What a URL may filter by; any other field would be searched in every row.
    lookups: tuple[str, ...] = ()
    #: The heading of the list.
    list_title = ""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        return lookup in self.lookups

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        return OrderedList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        titled = {"title": self.list_title} if self.list_title else {}
        return super().changelist_view(request, titled | (extra_context or {}))


class NumberSearchAdmin(ReadOnlyAdmin):
    """Rows of jobs, searched by whole numbers, which an index finds."""

    searched_field = "pk"
    search_fields = ("pk",)  # shows the field; the search itself is below

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        job = whole_number(request.GET.get(JOB_LOOKUP, ""))
        titled = {} if job is None else {"title": f"{self.list_title}: job {job}"}
        return super().changelist_view(request, titled | (extra_context or {}))

    def get_queryset(self, request: HttpRequest) -> RowList:
        # A subquery, nearly always empty, so that the rows keep the order of the index.
        return super().get_queryset(request).exclude(job__in=Job.stored.being_pruned())

    def get_search_results(
        self, request: HttpRequest, queryset: RowList, search_term: str
    ) -> tuple[RowList, bool]:
        if not search_term.strip():
            return queryset, False
        number = typed_number(search_term)
        if number is None:
            self.message_user(request, "Search for a whole number, such as 4711.", messages.WARNING)
            return queryset.none(), False
        return queryset.filter(**{self.searched_field: number}), False
