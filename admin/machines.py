"""Did a person open this link, or a machine that looks at links: a mail scanner, a chat's preview, a crawler? Pure."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

INSTANT = timedelta(seconds=2)
"""Nobody reads and presses so soon after the sending; scanners do."""

_AGENTS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|scanner|facebookexternalhit|whatsapp/|embedly|google-safety|headlesschrome"
    r"|barracuda|proofpoint|mimecast|symantec|bitdefender|curl/|wget/|python-|aiohttp|httpx|go-http-client|java/|libwww"
    r"|apache-httpclient|ms-office|microsoft office|^mozilla/5\.0$|^$",
    re.IGNORECASE,
)
"""How such machines name themselves. Cubot makes telephones; Apple's mail privacy fetches pictures as a bare Mozilla/5.0."""
_PREFETCH = ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")


def is_machine(headers: Mapping[str, str], *, sent_at: datetime, now: datetime) -> bool:
    """Return whether this request is not a person's: it says so, it fetches ahead, or it comes right after the sending."""
    if any(
        word in headers.get(name, "").lower() for name in _PREFETCH for word in ("prefetch", "preview", "prerender")
    ):
        return True
    return bool(_AGENTS.search(headers.get("User-Agent", "")[:500].strip())) or now < sent_at + INSTANT
