"""Did our own mail server find that this mail is really from the domain it names? RFC 8601, by its Authentication-Results. Pure.

Anybody can write such a field into a mail, so only the first one counts that names our server: it writes its own on top and takes
away those that came in under its name (section 5). Without a server that is trusted nobody's address is proved.
"""

import re
from email.message import Message

from channels.email_charset import LONGEST_FIELD

_COMMENT = re.compile(r"\([^()]{0,1000}\)")
_RESULT = re.compile(r"\s*(dkim|dmarc)\s*=\s*pass\b", re.IGNORECASE)
_DOMAIN = re.compile(r"header\.(d|i|from)\s*=\s*\"?(?:[^\s;\"@]{0,200}@)?([A-Za-z0-9.-]{1,253})", re.IGNORECASE)


def is_proved(mail: Message, sender: str, *, server: str) -> bool:
    """Return whether `server` vouches that this mail is from the domain of `sender`; never when `server` is empty."""
    domain = sender.rpartition("@")[2].lower()
    said = _results(mail, server.lower()) if server else None
    if said is None or len(mail.get_all("From") or ()) != 1:
        return False
    return any(_RESULT.match(result) and _is_about(result, domain) for result in said.split(";"))


def _results(mail: Message, server: str) -> str | None:
    """Return what our server wrote, without its name and without comments; None when it wrote nothing."""
    for name, value in mail.raw_items():
        if name.lower() == "authentication-results":
            bare = _COMMENT.sub(" ", " ".join(str(value)[:LONGEST_FIELD].split()))
            by, _, results = bare.partition(";")
            if by.lower().split()[:1] == [server]:  # a version may stand behind it
                return results
    return None


def _is_about(result: str, domain: str) -> bool:
    """Return whether a result speaks of this domain, or of one that it stands below."""
    named = [found[2].lower().rstrip(".") for found in _DOMAIN.finditer(result)]
    return any(domain == one or ("." in one and domain.endswith(f".{one}")) for one in named)
