"""Which addresses may be posted to? A browser names its own, so whoever fakes a browser chooses where we send.

Only https, only the push services that browsers use and those that the operator named, and of these only public addresses
(judged when the connection is made, in webpush_wire.py). A service named as a whole origin, `http://127.0.0.1:9000`, is the
operator's own word: it may be inside, and without TLS.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

KNOWN = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, Opera, Brave, Samsung
    "*.push.services.mozilla.com",  # Firefox
    "*.push.apple.com",  # Safari
    "*.notify.windows.com",  # Edge
)
LONGEST = 2000  # characters of an endpoint; the longest known are some 400
_ENDPOINT = re.compile(r"(https?)://([A-Za-z0-9.-]{1,253})(?::([0-9]{1,5}))?(/[\x21-\x22\x24-\x7e]*)")
_HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one browser's messages are posted."""

    origin: str
    """https://host[:port], in one spelling: what a VAPID token is made out to."""
    host: str
    port: int
    target: str
    """Path and query, as the request line has them."""
    is_secure: bool = True
    is_vouched: bool = False
    """Whether the operator named this very origin, so that it may be inside."""


class Services:
    """The push services we post to. Raises ValueError for an extra one that is neither a host nor an origin."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._origins = {one.rstrip("/") for one in extra if "://" in one}
        hosts = (*KNOWN, *(one for one in extra if "://" not in one))
        for wrong in [one for one in hosts if not _HOST.fullmatch(one)]:
            raise ValueError(f'expected a host such as "push.example" or "*.push.example", got "{wrong}".')
        for wrong in [one for one in self._origins if not _ENDPOINT.fullmatch(f"{one}/")]:
            raise ValueError(f'expected an origin such as "http://127.0.0.1:9000", got "{wrong}".')
        self._hosts = {host for host in hosts if not host.startswith("*.")}
        self._domains = tuple(host[1:] for host in hosts if host.startswith("*."))

    def endpoint(self, address: str) -> Endpoint | None:
        """Return where to post, or None when this is no address of a push service that we know."""
        found = _ENDPOINT.fullmatch(address) if len(address) <= LONGEST else None
        if found is None:
            return None
        scheme, host, port, target = found[1], found[2].lower(), found[3], found[4]
        is_secure = scheme == "https"
        origin = f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}"
        if origin in self._origins:
            number = int(port) if port else 443 if is_secure else 80
            return Endpoint(origin, host, number, target, is_secure, is_vouched=True)
        if not is_secure or port not in (None, "443") or not self._is_known(host):
            return None
        return Endpoint(f"https://{host}", host, 443, target)

    def _is_known(self, host: str) -> bool:
        return host in self._hosts or host.endswith(self._domains)
