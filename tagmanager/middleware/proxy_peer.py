"""Whether a request came from a proxy of ours, by the address that it was really sent from.

TRUST_PROXY may name networks; where it only says that there is a proxy, the proxy is on this machine or
speaks through a Unix socket. An address that anybody can claim in a header is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from tagmanager.environment.reader import FALSE

#: Where the address of the peer is kept; no header of HTTP gets a name like this.
PEER = "tagmanager.peer"
THIS_MACHINE = ("127.0.0.0/8", "::1/128")
OFF = frozenset({"", *FALSE})


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Remember the peer's address, before anything puts the client's in its place. The first of all."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        request.META[PEER] = request.META.get("REMOTE_ADDR", "")
        return get_response(request)

    return answer


def came_through_proxy(request: HttpRequest) -> bool:
    """Whether a proxy that TRUST_PROXY means sent this request to us."""
    setting = settings.TRUST_PROXY.strip().lower()
    peer = request.META.get(PEER)
    if setting in OFF or peer is None:
        return False
    if peer == "":  # a Unix socket: who may open it is the proxy
        return True
    names_networks = "." in setting or ":" in setting
    try:
        address = ip_address(peer)
        networks = [
            ip_network(part.strip()) for part in (setting.split(",") if names_networks else THIS_MACHINE)
        ]
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
