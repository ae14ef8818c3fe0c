"""The admin pages of people and groups: Django's, within what the person at them may give."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField, QuerySet
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest

from jobs.views.permissions import signed_in
from tagmanager.people import granting, second_factor

if TYPE_CHECKING:
    Users = UserAdmin[User]
    AnyManyToMany = ManyToManyField[Any, Any]
else:
    Users, AnyManyToMany = UserAdmin, ManyToManyField

logger = logging.getLogger(__name__)

VERBS = {ADDITION: "added", CHANGE: "changed", DELETION: "deleted"}

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class PersonAdmin(Users):
    """Accounts. A person who is no superuser sees all, and changes those within their own permissions."""

    list_display = ("username", "email", "first_name", "last_name", "is_staff", "two_factor")
    list_select_related = ("second_factor",)
    actions = ("reset_two_factor",)

    @admin.display(description="Two-factor", boolean=True)
    def two_factor(self, person: User) -> bool:
        return hasattr(person, "second_factor")

    def has_superuser_permission(self, request: HttpRequest) -> bool:
        return signed_in(request).is_superuser

    @admin.action(description="Reset two-factor of the chosen people", permissions=["superuser"])
    def reset_two_factor(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        by = signed_in(request)
        reset = [person for person in chosen if second_factor.turn_off(person, by=by.get_username())]
        for person in reset:
            self.log_change(request, person, "Two-factor reset")
        self.message_user(
            request,
            f"Two-factor reset: {', '.join(person.get_username() for person in reset)}. They are signed out. "
            "With their password they sign in again, and set up another app where the settings demand one."
            if reset
            else "None of them has a second factor.",
            messages.SUCCESS if reset else messages.WARNING,
        )

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _within(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if signed_in(request).is_superuser else (*fields, "is_superuser")

    def formfield_for_manytomany(
        self, db_field: AnyManyToMany, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        if db_field.name == "user_permissions":
            kwargs["queryset"] = granting.grantable_permissions(signed_in(request))
        elif db_field.name == "groups":
            kwargs["queryset"] = granting.grantable_groups(signed_in(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(Group)
class PermissionGroupAdmin(GroupAdmin):
    """Groups. A person who is no superuser changes those within their own permissions."""

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and _within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _within(request, obj)

    def formfield_for_manytomany(
        self, db_field: AnyManyToMany, request: HttpRequest | None = None, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        if db_field.name == "permissions" and request is not None:
            kwargs["queryset"] = granting.grantable_permissions(signed_in(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _within(request: HttpRequest, changed: User | Group | None) -> bool:
    if changed is None:
        return True
    if isinstance(changed, Group):
        return granting.may_change_group(signed_in(request), changed)
    return granting.may_change_account(signed_in(request), changed)


@receiver(post_save, sender=LogEntry)
def log_entry(instance: LogEntry, **_: Any) -> None:
    """The admin's own history loses what a person did together with their account; the log keeps it."""
    logger.info(
        "%s %s %s %s by %s",
        instance.content_type.model if instance.content_type else "row",
        instance.object_id,
        instance.object_repr if instance.content_type and instance.content_type.app_label == "auth" else "",
        VERBS[instance.action_flag],
        instance.user.get_username(),
    )
