"""Signing in, changing a password, and the pages for people who are refused."""

from __future__ import annotations

from math import ceil
from typing import Any
from urllib.parse import urlsplit

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse, reverse_lazy

from jobs.common.input import storable
from jobs.views import saved_form
from jobs.views.permissions import allowed, signed_in
from tagmanager.middleware.client_address import network_of
from tagmanager.people import half_signed_in, lockouts, proxy_sign_in, second_factor

#: Length to which django-axes stores a user name.
MAX_USERNAME_LENGTH = 255


class SignIn(LoginView):
    """Sign in with a user name and a password, then return to the previous page.

    A form sent after the session has ended is redirected here, carried along in a hidden field, and filled in
    again on its own page.
    """

    template_name = "login.html"
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: str, **kwargs: Any) -> HttpResponse:
        if "anew" in request.GET:
            half_signed_in.forget(request)
        elif half_signed_in.person_of(request):
            return self._to_second_step("")
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: str, **kwargs: Any) -> HttpResponse:
        if "ended" in request.GET and "username" not in request.POST:
            if half_signed_in.person_of(request):
                return self._to_second_step(saved_form.packed(request.POST))
            form = self.get_form_class()(request)
            return self.render_to_response(
                self.get_context_data(form=form, kept=saved_form.packed(request.POST))
            )
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{"kept": self.request.POST.get(saved_form.FIELD, "")} | kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        person = form.get_user()
        if second_factor.is_on(person) or second_factor.is_required(person):
            half_signed_in.begin(self.request, person, backend=person.backend)
            return self._to_second_step(self.request.POST.get(saved_form.FIELD, ""))
        answer = super().form_valid(form)
        page = urlsplit(self.get_success_url()).path
        saved_form.keep(self.request, self.request.POST.get(saved_form.FIELD, ""), at=page)
        return answer

    def _to_second_step(self, kept: str) -> HttpResponse:
        half_signed_in.come_back(self.request, to=self.get_success_url(), kept=kept)
        return HttpResponseRedirect(reverse("sign-in-code"))


class SignOut(LogoutView):
    """Sign out, and lead to a page that does not sign in again by itself."""

    def post(self, request: HttpRequest, *args: str, **kwargs: Any) -> HttpResponse:
        was_by_proxy = proxy_sign_in.is_by_proxy(request)
        answer = super().post(request, *args, **kwargs)
        return HttpResponseRedirect(reverse("signed-out")) if was_by_proxy else answer


def signed_out(request: HttpRequest) -> HttpResponse:
    """The page after signing out of a session that began by the proxy's word."""
    return render(request, "signed_out.html", {"elsewhere": settings.PROXY_AUTH_LOGOUT_URL})


class CountedPasswordChangeForm(PasswordChangeForm):
    """Asks for the old password as sign-in does, so that wrong ones are counted and end in a lock-out."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.get_username(), password=old) != self.user:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class ChangePassword(PasswordChangeView):
    """Change one's own password; this session continues, one's other sessions end."""

    template_name = "password.html"
    success_url = reverse_lazy("home")
    form_class = CountedPasswordChangeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        answer = super().form_valid(form)
        AxesProxyHandler.reset_attempts(
            username=signed_in(self.request).get_username(), ip_address=network_of(self.request)
        )
        messages.success(
            self.request,
            "Your password is changed. You stay signed in here; everywhere else you have been signed out.",
        )
        return answer


change_password = allowed()(ChangePassword.as_view())


def attempted_username(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The user name of an attempt to sign in, in a form that django-axes can store."""
    return storable(str((credentials or request.POST).get("username") or ""), MAX_USERNAME_LENGTH)


def locked_out(
    request: HttpRequest,
    response: HttpResponse | None = None,  # noqa: ARG001 - the shape that django-axes calls
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page after too many wrong passwords: why, for how long, and who can end it."""
    name, address = attempted_username(request, credentials), network_of(request)
    left = lockouts.seconds_left(name, address)
    context = {
        "minutes": max(1, ceil(left / 60)),
        "name": name,
        "address": address,
        "is_for_address": lockouts.is_guessing(address),
    }
    answer = render(request, "locked.html", context, status=429)
    answer["Retry-After"] = str(max(1, ceil(left)))
    return answer


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's shape
    """The page for a form without a valid CSRF token, with a link back to the form.

    It ignores what was typed, since the request may come from another site.
    """
    match = request.resolver_match
    name = match.view_name if match else ""
    context = {
        "keeps_draft": name == "tool",
        "again": reverse("home") if name == "logout" else request.get_full_path(),
    }
    if name == "tool":
        context["again"] = f"{request.path}?restore=1"
    return render(request, "403_csrf.html", context, status=403)
