"""The client's address behind proxies, for lock-outs, logs and audit: `TRUST_PROXY` says whose word counts.

Each proxy appends to X-Forwarded-For the address that it was called from. A client can send any such header,
so only its right end can be believed: one entry for each proxy of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the settings read `OFF`, before Django is ready
    from django.http import HttpRequest, HttpResponseBase

Address = IPv4Address | IPv6Address
#: Values of TRUST_PROXY that trust nobody, and that mean one proxy.
OFF = frozenset({"", "false", "no", "off", "0"})
ONE = frozenset({"true", "yes", "on", "1"})
#: More proxies in a row than anybody has.
MOST_PROXIES = 10
#: An address with its brackets and its port is shorter.
LONGEST_ENTRY = 64
#: Headers that only a trusted proxy may set.
FORWARDED_FOR, FORWARDED_PROTO = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"
#: The part of an IPv6 address that a provider gives to one customer, in bits.
CUSTOMER_PREFIX = 64


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies between a client and us: a number of them, or the networks that they are in."""

    number: int = 0
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> TrustedProxies:
        """Read TRUST_PROXY; ValueError with a sentence for anything that it cannot be."""
        word = text.strip().lower()
        if word in OFF:
            return cls()
        if word in ONE:
            return cls(1)
        if word.isdecimal() and word.isascii():
            number = int(word[:3])
            if number > MOST_PROXIES:
                raise ValueError(f"{word[:9]} proxies in a row are too many; the most is {MOST_PROXIES}.")
            return cls(number)
        return cls(networks=tuple(_network(part.strip()) for part in word.split(",") if part.strip()))

    def hops(self, peer: str, forwarded: str) -> list[Address]:
        """The believable addresses of a request, nearest first: the peer, then entries from the right."""
        found = [address] if (address := read_address(peer)) else []
        # A Unix socket has no address: whoever may open the socket is the proxy.
        if not self._passes_on(found, is_socket=not peer):
            return found
        for entry in reversed(forwarded.rsplit(",", MOST_PROXIES)):
            if (address := read_address(entry)) is None:
                break  # what lies beyond can come from anybody
            found.append(address)
            if not self._passes_on(found, is_socket=not peer):
                break
        return found

    def trusts_peer(self, peer: str) -> bool:
        """Whether the client is behind a proxy of ours, whose other headers can be believed as well."""
        return self._passes_on([address] if (address := read_address(peer)) else [], is_socket=not peer)

    def _passes_on(self, found: list[Address], *, is_socket: bool) -> bool:
        """Whether the last of these is a proxy of ours, so that it says truly who called it."""
        if not found:
            return is_socket and bool(self.number or self.networks)
        if self.networks:
            return any(found[-1] in network for network in self.networks)
        return len(found) + is_socket <= self.number


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError as problem:
        raise ValueError(
            f"{text[:60]!r} is not True, a number of proxies, or a network such as 10.0.0.0/8 ({problem})."
        ) from problem
    if network.prefixlen == 0:
        raise ValueError(f"{text} is everybody, so that anybody could claim any address.")
    return network


def read_address(entry: str) -> Address | None:
    """The address of an entry such as 192.0.2.7:4711 or "[2001:db8::7]:4711"; None for anything else."""
    text = entry.strip().strip('"')
    if len(text) > LONGEST_ENTRY:
        return None
    if text.startswith("["):
        text, bracket, _port = text[1:].partition("]")
        if not bracket:
            return None
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket for both protocols gives IPv4 addresses in this form.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def network_of(request: HttpRequest) -> str | None:
    """What stands for the client in lock-outs: its IPv4 address, or the /64 of its IPv6 address.

    Inside its /64 one customer can take a new address for each guess.
    """
    address = read_address(request.META.get("REMOTE_ADDR", ""))
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, CUSTOMER_PREFIX), strict=False).network_address)
    return str(address) if address else None


_parsed = lru_cache(maxsize=8)(TrustedProxies.parse)


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Put the client's address into REMOTE_ADDR, and drop what anybody but a proxy of ours forwarded."""
    from django.conf import settings  # noqa: PLC0415  # this module is read by the settings

    def answer(request: HttpRequest) -> HttpResponseBase:
        meta, trusted = request.META, _parsed(settings.TRUST_PROXY)
        peer = meta.get("REMOTE_ADDR", "")
        hops = trusted.hops(peer, meta.pop(FORWARDED_FOR, ""))
        schemes = meta.pop(FORWARDED_PROTO, "")
        if schemes and trusted.trusts_peer(peer):
            # From the same proxy as the client's address; Django would read the left end.
            nth = max(len(hops) - bool(peer), 1)
            meta[FORWARDED_PROTO] = schemes.split(",")[-nth:][0].strip()
        if hops:
            meta["REMOTE_ADDR"] = str(hops[-1])
        return get_response(request)

    return answer
