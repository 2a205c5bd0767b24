"""Where may we send what a marketer's address names? Only to the public internet, decided on the address that is connected to.

A name is judged after it was looked up, by the connection that uses the answer, so that a name which answers otherwise the second
time gains nothing.
"""

import socket
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from profiles.public_address import NotPublic, is_public


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
        # a name is judged when it is looked up; digits alone are an address in a spelling of its own (2130706433)
        return "bad_address" if host.replace(".", "").isdigit() else ""
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
