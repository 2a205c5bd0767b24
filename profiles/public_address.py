"""Does this IP address belong to the public internet? Asked of where a connection is about to go, never of a name.

`ipaddress` calls NAT64, 6to4 and site-local addresses public in Python 3.11, so those are listed here (IANA special-purpose
registries).
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

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


def _within(ip: IPv4Address | IPv6Address, block: object) -> bool:
    return ip.version == block.version and ip in block  # type: ignore[attr-defined,operator]
