"""Lock-outs in the admin: who is locked out of where, and a button that ends it. Sign-ins, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone

from jobs.admin.read_only import ReadOnlyAdmin
from jobs.common.formatting import some
from tagmanager.people.lockouts import ADDRESS_LIMIT, cool_off, recent_attempts

if TYPE_CHECKING:
    from django.db.models import QuerySet

    Attempts = QuerySet[Any]

UNLOCK = "axes.delete_accessattempt"


@admin.register(AccessAttempt)
class LockoutAdmin(ReadOnlyAdmin):
    """Wrong passwords by name and address; removing them opens the door again."""

    list_title = "Wrong passwords and lock-outs"
    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "state")
    list_display_links = None
    search_fields = ("username", "ip_address")
    search_help_text = "A part of a name or of an address."
    ordering = ("-attempt_time",)
    actions: Any = ("unlock", "unlock_addresses")

    def get_queryset(self, request: HttpRequest) -> Attempts:
        same = recent_attempts().filter(ip_address=OuterRef("ip_address")).order_by().values("ip_address")
        of_address = same.annotate(all=Sum("failures_since_start")).values("all")
        found: Attempts = super().get_queryset(request).annotate(of_address=Subquery(of_address))
        return found

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """Whether the person may end lock-outs: named by `permissions` of the actions below."""
        return request.user.has_perm(UNLOCK)

    @admin.action(description="Unlock the chosen names", permissions=["unlock"])
    def unlock(self, request: HttpRequest, chosen: Attempts) -> None:
        number = len({(each.username, each.ip_address) for each in chosen})
        _remove(chosen)
        self.message_user(request, f"{some(number, 'name was', 'names were')} unlocked.", messages.SUCCESS)

    @admin.action(description="Unlock the chosen addresses, for all names", permissions=["unlock"])
    def unlock_addresses(self, request: HttpRequest, chosen: Attempts) -> None:
        addresses = {each.ip_address for each in chosen}
        for address in addresses:
            AccessAttempt.objects.filter(ip_address=address).delete()
        told = f"{some(len(addresses), 'address was', 'addresses were')} unlocked."
        self.message_user(request, told, messages.SUCCESS)

    @admin.display(description="State")
    def state(self, attempt: Any) -> str:
        """What the row does, as long as it counts."""
        end = attempt.attempt_time + cool_off()
        if end <= timezone.now():
            return "Over"
        until = f"until {timezone.localtime(end):%H:%M}"
        if attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT:
            return f"This name is locked out of this address {until}"
        if (attempt.of_address or 0) >= ADDRESS_LIMIT:
            return f"This address is guessing: only people who signed in from it before get in, {until}"
        return f"Counts {until}"


def _remove(chosen: Attempts) -> None:
    """Each name and address that was chosen, with the rows of its other browsers."""
    for name, address in set(chosen.values_list("username", "ip_address")):
        AccessAttempt.objects.filter(username=name, ip_address=address).delete()


@admin.register(AccessLog)
class SignInAdmin(ReadOnlyAdmin):
    list_title = "Who signed in"
    list_display = ("username", "ip_address", "attempt_time", "logout_time")
    list_display_links = None
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
