"""The step after the password, and the page where people set up their second factor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from jobs.common.formatting import some
from jobs.common.input import storable
from jobs.views import saved_form
from jobs.views.permissions import redirect_to_sign_in
from tagmanager.ops.encryption import KeyLost, Secret
from tagmanager.people import half_signed_in, proxy_sign_in, second_factor

#: Where the session has the secret of an enrolment, encrypted.
ENROLLING = "second_factor_to_be"
WRONG = (
    "This code is not right. Codes change every 30 seconds, and each is good once: take the one shown now."
)
KEY_LOST = (
    "Your codes cannot be checked, because the key for them is missing on the server. Use a recovery code, "
    "or ask an administrator: either the key is put back (ENCRYPTION_KEYS or SECRET_KEY_FALLBACKS), or your "
    "second factor is reset."
)


class CodeForm(forms.Form):
    """A code, as an app shows it or as it was printed."""

    code = forms.CharField(
        label="Code",
        max_length=64,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )

    @property
    def typed(self) -> str:
        """What was typed, once the form is valid."""
        return storable(self.cleaned_data["code"], 64)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The step after the password; who has no second factor yet sets one up first."""
    person = half_signed_in.person_of(request)
    if person is None:
        return redirect("login")
    if not second_factor.is_on(person):
        return redirect("two-factor")
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = "Six digits from your authenticator app, or one of your recovery codes."
    status = 200
    if form.is_valid():
        verdict = _checked(form, person)
        if verdict.is_right:
            return _signed_in_at_last(request, person, verdict)
        status = 429 if verdict.wait_until else 200
    return render(request, "two_factor/code.html", {"form": form, "person": person}, status=status)


def _signed_in_at_last(request: HttpRequest, person: User, verdict: second_factor.Verdict) -> HttpResponse:
    if verdict.recovery_codes_left is not None:
        left = some(verdict.recovery_codes_left, "recovery code")
        messages.warning(
            request, f"You used a recovery code, and have {left} left. Make new ones under Two-factor."
        )
    return HttpResponseRedirect(_finish(request, person))


def _finish(request: HttpRequest, person: User) -> str:
    back, kept = half_signed_in.finish(request, person)
    page = back or resolve_url("home")
    saved_form.keep(request, kept, at=page.partition("?")[0])
    return page


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def two_factor(request: HttpRequest) -> HttpResponseBase:
    """Set up a second factor; renew its recovery codes, or remove it, with a code of it."""
    if request.user.is_authenticated:
        person = request.user
        if second_factor.is_on(person):
            return _manage(request, person)
        return _enrol(request, person)
    if half := half_signed_in.person_of(request):
        return redirect("sign-in-code") if second_factor.is_on(half) else _enrol(request, half)
    return redirect_to_sign_in(request)


@sensitive_variables("secret", "codes")
def _enrol(request: HttpRequest, person: User) -> HttpResponse:
    secret = _secret_to_be(request)
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = "The six digits that the app shows now."
    if form.is_valid():
        codes = second_factor.turn_on(
            person, secret=secret, code=form.typed, session_key=request.session.session_key
        )
        if codes:
            del request.session[ENROLLING]
            if request.user.is_authenticated:
                request.session[half_signed_in.VERIFIED] = True
                request.session.cycle_key()
                back = reverse("home")
            else:
                back = _finish(request, person)
            return render(request, "two_factor/recovery_codes.html", {"codes": codes, "back": back})
        form.add_error("code", WRONG)
    context = {
        "form": form,
        "person": person,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "qr": mark_safe(second_factor.qr_code(person, secret)),  # noqa: S308  # drawn here, holds no text
        "is_required": second_factor.is_required(person),
        "by_proxy": proxy_sign_in.is_by_proxy(request),
    }
    return render(request, "two_factor/set_up.html", context)


@sensitive_variables("codes")
def _manage(request: HttpRequest, person: User) -> HttpResponse:
    form = CodeForm(request.POST or None)
    form.fields["code"].widget.attrs.pop("autofocus")
    form.fields["code"].help_text = "From your app, or one of your recovery codes."
    status = 200
    if form.is_valid():
        verdict = _checked(form, person)
        if verdict.is_right:
            return _managed(request, person)
        status = 429 if verdict.wait_until else 200
    context = {"form": form, "is_required": second_factor.is_required(person)}
    return render(request, "two_factor/manage.html", context, status=status)


def _managed(request: HttpRequest, person: User) -> HttpResponse:
    if "renew" in request.POST:
        codes = second_factor.renew_recovery_codes(person)
        return render(request, "two_factor/recovery_codes.html", {"codes": codes, "back": reverse("home")})
    second_factor.turn_off(person, by=person.get_username(), session_key=request.session.session_key)
    request.session.pop(half_signed_in.VERIFIED, None)
    messages.success(request, "Your second factor is removed. Set up another app here, or leave it at that.")
    return redirect("two-factor")


def _checked(form: CodeForm, person: User) -> second_factor.Verdict:
    """The verdict on the code, with the sentence for the person in the form."""
    try:
        verdict = second_factor.check(person, form.typed)
    except KeyLost:
        form.add_error("code", KEY_LOST)
        return second_factor.Verdict()
    if not verdict.is_right:
        form.add_error("code", _pause_words(verdict.wait_until) if verdict.wait_until else WRONG)
    return verdict


def _pause_words(until: datetime) -> str:
    seconds = max(1, round((until - timezone.now()).total_seconds()))
    wait = some(seconds, "second") if seconds < 90 else some(round(seconds / 60), "minute")
    return (
        f"Too many wrong codes, so the codes of your app are not looked at for {wait}. A recovery code works "
        "at once; or ask an administrator of Tag Manager."
    )


def _secret_to_be(request: HttpRequest) -> str:
    """The secret of this enrolment, the same until it is done, so that a reload changes no QR code."""
    stored: Any = request.session.get(ENROLLING)
    if stored:
        try:
            return Secret(stored).reveal()
        except KeyLost:
            pass  # the key changed meanwhile: begin anew
    secret = second_factor.new_secret()
    request.session[ENROLLING] = Secret.of(secret).token
    return secret
