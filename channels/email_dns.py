"""Questions to the DNS: what the doctor asks, and who answers in life. Tests answer by themselves."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import dns.asyncresolver
import dns.exception
import dns.resolver
import dns.reversename

SECONDS = 5.0

Ask: TypeAlias = Callable[[str, str], Awaitable[list[str]]]
"""(name, type) -> what stands there, each as text, nothing when there is nothing. Types: TXT, MX, A, AAAA, PTR (of an address).
Raises Unanswered when nobody answered."""


class Unanswered(Exception):
    """The DNS gave no answer: neither yes nor no."""


async def ask(name: str, kind: str) -> list[str]:
    """Ask the resolver of this machine."""
    return await ask_of(dns.asyncresolver.get_default_resolver(), name, kind)


async def ask_of(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> list[str]:
    """Ask this resolver."""
    try:
        asked = dns.reversename.from_address(name) if kind == "PTR" else name
        found = await resolver.resolve(asked, kind, lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise Unanswered(f"{name} {kind}: {type(error).__name__}") from error
    if kind == "TXT":
        return [b"".join(row.strings).decode("utf-8", "replace") for row in found]
    if kind == "MX":
        return [str(row.exchange).rstrip(".") for row in found]
    return [str(row).rstrip(".") for row in found]
