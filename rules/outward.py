"""Where may we send what a marketer's address names? Only to the public internet, decided on the address that is connected to.

A name is judged after it was looked up, by the connection that uses the answer, so that a name which answers otherwise the second
time gains nothing. `ipaddress` calls NAT64, 6to4 and site-local addresses public in Python 3.11, so those are listed here
(IANA special-purpose registries).
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

_NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8",
    )
)  # fmt: skip


class NotPublic(OSError):
    """The address is none that we send to."""


def is_public(address: str) -> bool:
    """Return whether this IP address, as a connection would use it, belongs to the public internet."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast and not any(_within(ip, block) for block in _NOT_PUBLIC)


def why_not(url: str) -> str:
    """Return what is wrong with this address for a webhook, as a word for code; empty: it may be tried."""
    try:
        read = URL(url)
        host, port = read.host, read.port
    except ValueError:
        return "bad_address"
    if not host or read.user or read.password or len(url) > 2000:
        return "bad_address"
    if read.scheme != "https" or port != 443:
        return "not_https"
    try:
        ip_address(host)
    except ValueError:
        return ""  # a name: judged when it is looked up
    return "" if is_public(host) else "not_public"


class PublicResolver(AbstractResolver):
    """Looks names up for a connection, and gives it public addresses alone."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return where this name leads. Raises NotPublic when any of it leads inside."""
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise NotPublic("not_public")
        return found

    async def close(self) -> None:
        """Close what looks the names up."""
        await self._resolver.close()


def _within(ip: IPv4Address | IPv6Address, block: object) -> bool:
    return ip.version == block.version and ip in block  # type: ignore[attr-defined,operator]
