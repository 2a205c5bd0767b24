"""The octets of a mail that came in, read by the standard library, of which a stranger could make it take hours. Pure.

Of a field's parameters the library counts all quotes again at each semicolon: 100 kB of `x=";;;;` took it a minute, so such a field
is cut where no honest one reaches. It asks each line of every container around it, so lines and containers are bounded together.
It decodes by whatever charset a part names, and one of Python's own takes minutes for 800 kB: it is told of known ones alone.
"""

import re
from collections.abc import Sequence
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import Any

from channels.email_charset import decoded, known

MOST_CONTAINERS = 100  # the library reads parts within parts by calling itself
MOST_ASKED = 5_000_000  # lines by containers; a mail of 25 MB with four parts within parts has 1.6 million
MOST_DASHED = 20_000  # lines that may begin a part
LONGEST_HEAD = 3_000_000  # octets; most servers on the way take 100 kB
QUICK, QUICKLY_ASKED = 20_000, 20_000  # octets, and lines by containers: some 10 ms
MOST_PARAMETERS, LONGEST_PARAMETERS = 50, 5_000
_WITH_PARAMETERS = frozenset({"content-type", "content-disposition"})
_CONTAINER = re.compile(rb"(multipart|message)/", re.IGNORECASE)
_SEALED = re.compile(rb"pkcs7-mime|\.p7m", re.IGNORECASE)  # nobody knows yet what is in it
_HEAD_ENDS = re.compile(rb"\n\r?\n|\r\r")


class _Bounded(Compat32):
    """The library's own reading of fields, those with parameters cut."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        if name.lower() in _WITH_PARAMETERS:
            value = ";".join(value[:LONGEST_PARAMETERS].split(";", MOST_PARAMETERS)[:MOST_PARAMETERS])
            value = decoded(value.encode("utf-8", "surrogateescape"), "")  # names of files, as many write them
        return name, value


class _Mail(Message):
    """The library's mail, without the parameters that it stumbles over; its charset is one that can be read by, or none."""

    def get_param(self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True) -> Any:
        try:
            said = super().get_param(param, failobj, header, unquote)
        except (TypeError, ValueError):  # it sorts the pieces of a parameter by numbers that not all of them have
            return failobj
        if param != "charset" or said is failobj:
            return said
        return known(str(said[2] if isinstance(said, tuple) else said)) or failobj  # a tuple as of RFC 2231


_PARSER = BytesParser(_Mail, policy=_Bounded())


def message_of(octets: bytes) -> Message:
    """Return the mail, not looked into yet. Raises what the library raises."""
    return _PARSER.parsebytes(octets)


def head_of(octets: bytes) -> Message:
    """Return the mail's head alone, whatever follows it."""
    return _PARSER.parsebytes(octets, headersonly=True)


def why_endless(octets: bytes) -> str:
    """Return what of this mail would take its reader too long; empty for an ordinary one."""
    inside = containers(octets)
    if inside > MOST_CONTAINERS or _lines(octets) * inside > MOST_ASKED:
        return "too many parts within parts"
    if octets.count(b"\n--") + octets.count(b"\r--") > MOST_DASHED:
        return "too many parts"
    head = _HEAD_ENDS.search(octets)
    return "too long a head" if (head.start() if head else len(octets)) > LONGEST_HEAD else ""


def is_quick(octets: bytes) -> bool:
    """Return whether an ordinary mail is read before anybody notices who waits for it."""
    return len(octets) <= QUICK and _lines(octets) * containers(octets) <= QUICKLY_ASKED and not _SEALED.search(octets)


def containers(octets: bytes) -> int:
    """Return how many parts of this mail may contain others, at most."""
    return sum(1 for _ in _CONTAINER.finditer(octets))


def _lines(octets: bytes) -> int:
    return max(octets.count(b"\n"), octets.count(b"\r"))
