"""Who may change which account and which group: nobody beyond what they hold themselves.

Whoever may set a person's password can act as that person. So an account counts as beyond somebody's reach as
soon as it holds one permission that they lack, also while it is deactivated.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, Group, Permission
from django.db.models import Q, QuerySet


def grantable_permissions(by: AbstractUser) -> QuerySet[Permission]:
    """Those that the person may give: their own; a superuser's are all."""
    if by.is_superuser:
        return Permission.objects.all()
    return Permission.objects.filter(Q(user=by) | Q(group__user=by)).distinct()


def grantable_groups(by: AbstractUser) -> QuerySet[Group]:
    """Those that give nothing beyond what the person holds."""
    return Group.objects.exclude(permissions__in=_beyond(by))


def may_change_account(by: AbstractUser, account: AbstractUser) -> bool:
    """Whether the person may change or delete the account, its password, address and permissions."""
    if by.is_superuser:
        return True
    if account.is_superuser:
        return False
    return not _beyond(by).filter(Q(user=account) | Q(group__user=account)).exists()


def may_change_group(by: AbstractUser, group: Group) -> bool:
    """Whether the person may change or delete the group, and with it what its members hold."""
    return not _beyond(by).filter(group=group).exists()


def _beyond(by: AbstractUser) -> QuerySet[Permission]:
    return Permission.objects.exclude(pk__in=grantable_permissions(by).values("pk"))
