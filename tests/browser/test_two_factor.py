"""The second factor as a person meets it: set up, signed out, and in again with a code. Without a script."""

from __future__ import annotations

from base64 import b32decode

import pytest
from django_otp.oath import totp
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.accessibility import violations
from tests.browser.conftest import Visit
from tests.browser.office import Office

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NEW_PERSON = "from tests import factories; factories.runner('{name}')"


def secret_of(page: Page) -> str:
    return page.locator("code.key").inner_text().replace(" ", "")


def code_of(secret: str, *, steps: int = 0) -> str:
    """What the phone shows; one step on, where the present code has been used."""
    return f"{totp(b32decode(secret), t0=-30 * steps):06d}"


def give_password(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.keyboard.press("Enter")


@pytest.mark.journey
def test_from_setting_it_up_to_signing_in_with_a_code_and_with_a_recovery_code(
    office: Office, visit: Visit
) -> None:
    office.shell(NEW_PERSON.format(name="tess"))
    page = visit(who=None, java_script_enabled=False)
    give_password(page, "tess")
    page.locator(".who summary").click()
    page.get_by_role("link", name="Two-factor").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your second factor")
    drawn = page.locator("svg.qr").bounding_box()
    assert drawn
    assert drawn["width"] == drawn["height"] > 150
    secret = secret_of(page)
    # The field has the focus, so that a person need only type.
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    recovery = page.locator(".recovery-codes li").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()

    page.locator(".who summary").click()
    page.get_by_role("button", name="Sign out").click()
    give_password(page, "tess")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your code")
    page.goto("/jobs/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your code")
    page.get_by_role("textbox", name="Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is not right.")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code_of(secret, steps=1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")

    lost = visit(who=None, java_script_enabled=False)
    give_password(lost, "tess")
    expect(lost.get_by_role("heading", level=1)).to_have_text("Your code")
    lost.keyboard.type(recovery)
    lost.keyboard.press("Enter")
    expect(lost.get_by_text("You used a recovery code, and have 9 recovery codes left.")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_its_pages_can_be_used_by_everybody(office: Office, visit: Visit, width: int) -> None:
    name = f"vic{width}"
    office.shell(NEW_PERSON.format(name=name))
    page = visit(who=None, viewport={"width": width, "height": 1000})
    broken = {}

    def look(what: str) -> None:
        broken[what] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what

    give_password(page, name)
    page.wait_for_url("/")
    page.goto("/two-factor/")
    look("set-up")
    secret = secret_of(page)
    page.get_by_role("textbox", name="Code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    look("recovery codes")
    page.goto("/two-factor/")
    look("in use")
    page.context.clear_cookies()
    give_password(page, name)
    page.wait_for_url("/login/code/")
    look("code")
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is not right.")).to_be_visible()
    look("wrong code")
    assert broken == {what: {"light": [], "dark": []} for what in broken}
    assert len(broken) == 5
