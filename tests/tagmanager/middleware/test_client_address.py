"""Whose word about a client's address counts, whatever a client or a proxy puts into the headers."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from tagmanager.middleware.client_address import TrustedProxies, middleware, network_of, read_address

PROXY, CLIENT = "10.0.0.9", "203.0.113.7"


def seen(settings: Settings, trust: str, peer: str, **headers: str) -> dict[str, str]:
    """What the app sees of a request: who asks, and by which scheme."""
    settings.TRUST_PROXY = trust
    asked: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return HttpResponse()

    middleware(view)(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))
    (request,) = asked
    names = {"REMOTE_ADDR": "address", "HTTP_X_FORWARDED_PROTO": "scheme", "HTTP_X_FORWARDED_FOR": "for"}
    return {name: request.META[key] for key, name in names.items() if key in request.META}


@pytest.mark.parametrize(
    ("trust", "peer", "forwarded", "client"),
    [
        # Nobody is trusted.
        ("", CLIENT, "198.51.100.1", CLIENT),
        ("False", CLIENT, "198.51.100.1", CLIENT),
        ("0", CLIENT, "198.51.100.1", CLIENT),
        ("", "nonsense", "198.51.100.1", "nonsense"),
        # One proxy: the last entry, whatever stands before it.
        ("True", PROXY, CLIENT, CLIENT),
        ("1", PROXY, CLIENT, CLIENT),
        ("on", PROXY, f"198.51.100.1, 198.51.100.2,{CLIENT}", CLIENT),
        ("True", PROXY, f"{CLIENT}:52114", CLIENT),
        ("True", PROXY, "[2001:db8::7]:52114", "2001:db8::7"),
        ("True", PROXY, '"[2001:db8::7]"', "2001:db8::7"),
        ("True", PROXY, "2001:db8::7", "2001:db8::7"),
        ("True", PROXY, "fe80::1%eth0", "fe80::1"),
        ("True", PROXY, "::ffff:203.0.113.7", CLIENT),
        ("True", "::ffff:10.0.0.9", CLIENT, CLIENT),
        # No entry that can be read: the nearest address that is known.
        ("True", PROXY, "", PROXY),
        ("True", PROXY, "unknown", PROXY),
        ("True", PROXY, f"{CLIENT}, ", PROXY),
        ("True", PROXY, f"{CLIENT}, _hidden", PROXY),
        ("True", PROXY, "[2001:db8::7", PROXY),
        ("True", PROXY, "1" * 8000, PROXY),
        ("True", PROXY, "203.0.113.7\x00", PROXY),
        # Two proxies: the last entry but one, or as far as entries go.
        ("2", PROXY, f"198.51.100.1, {CLIENT}, 10.0.0.8", CLIENT),
        ("2", PROXY, CLIENT, CLIENT),
        ("2", PROXY, f"{CLIENT}, unknown", PROXY),
        ("2", PROXY, "unknown, 10.0.0.8", "10.0.0.8"),
        # Networks: the last entry that is none of ours.
        ("10.0.0.0/8", PROXY, f"198.51.100.1, {CLIENT}, 10.1.1.1", CLIENT),
        ("10.0.0.0/8", PROXY, CLIENT, CLIENT),
        ("10.0.0.0/8, 2001:db8:1::/48", "2001:db8:1::5", f"{CLIENT}, 10.1.1.1", CLIENT),
        ("10.0.0.0/8", "::ffff:10.0.0.9", CLIENT, CLIENT),
        ("10.0.0.9", "10.0.0.10", CLIENT, "10.0.0.10"),
        ("10.0.0.0/8", PROXY, "10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("10.0.0.0/8", PROXY, f"{CLIENT}, unknown, 10.2.2.2", "10.2.2.2"),
        # A Unix socket has no address; behind it is the proxy.
        ("True", "", CLIENT, CLIENT),
        ("2", "", f"{CLIENT}, 10.0.0.8", CLIENT),
        ("10.0.0.0/8", "", f"{CLIENT}, 10.0.0.8", CLIENT),
        ("", "", CLIENT, ""),
    ],
)
def test_the_client_is_who_called_the_outermost_proxy_of_ours(
    settings: Settings, trust: str, peer: str, forwarded: str, client: str
) -> None:
    assert seen(settings, trust, peer, **{"X-Forwarded-For": forwarded}) == {"address": client}


@pytest.mark.parametrize(
    ("trust", "peer", "sent", "scheme"),
    [
        ("", PROXY, "https", None),
        ("10.0.0.0/8", CLIENT, "https", None),
        ("True", PROXY, "https", "https"),
        ("10.0.0.0/8", PROXY, "https", "https"),
        ("True", PROXY, "https, http", "http"),  # the left one came from the client
        ("2", PROXY, "https, http", "https"),
        ("True", "", "https", "https"),
    ],
)
def test_the_scheme_is_believed_from_the_same_proxies_alone(
    settings: Settings, trust: str, peer: str, sent: str, scheme: str | None
) -> None:
    chain = f"{CLIENT}, 10.0.0.8" if trust == "2" else CLIENT
    found = seen(settings, trust, peer, **{"X-Forwarded-Proto": sent, "X-Forwarded-For": chain})
    assert found.get("scheme") == scheme


def test_a_customer_with_ipv6_is_known_by_their_network() -> None:
    found = {
        address: network_of(RequestFactory().get("/", REMOTE_ADDR=address))
        for address in ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", "2001:db8:1:3::9", CLIENT, "", "nonsense")
    }
    assert found == {
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
        "2001:db8:1:2::9": "2001:db8:1:2::",
        "2001:db8:1:3::9": "2001:db8:1:3::",
        CLIENT: CLIENT,
        "": None,
        "nonsense": None,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("perhaps", "'perhaps' is not True, a number of proxies, or a network such as 10.0.0.0/8"),
        ("10.0.0.1/8", "has host bits set"),
        ("99999999999", "too many; the most is 10"),
        ("0.0.0.0/0", "anybody could claim any address"),
        ("10.0.0.0/8, ::/0", "anybody could claim any address"),
        ("1.5", "is not True, a number"),
        ("²", "is not True, a number"),
    ],
)
def test_a_value_that_trusts_nobody_clearly_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        TrustedProxies.parse(text)


def test_an_entry_of_any_length_or_shape_is_an_address_or_nothing() -> None:
    texts = [
        "1.2.3.4:",
        ":80",
        "[]:80",
        "1.2.3",
        "1.2.3.4:5:6",
        "0x7f000001",
        "127.1",
        "\uff11.2.3.4",
        "'; --",
    ]
    assert {text: read_address(text) for text in texts if read_address(text)} == {
        "1.2.3.4:": read_address("1.2.3.4")
    }
