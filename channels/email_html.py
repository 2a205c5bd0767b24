"""What an HTML mail says, as text, and in which letters: nothing of it is shown, loaded or run. Pure.

The standard library's reader searches to the end for what closes a comment, a declaration or a tag, again from each that is never
closed: a mail of 200 kB made of `<!--` alone takes it minutes. So what is not closed goes before it reads.
"""

import re

from profiles.html_text import text_of

LONGEST = 300_000  # characters; what comes behind them is not read
PRESCANNED = 4_096  # octets in which a charset is looked for; browsers look at 1,024, Outlook's heads are longer
_CHARSET = re.compile(rb"""<meta\b[^>]{0,300}?\bcharset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{1,40})""", re.IGNORECASE)
_DECLARED = re.compile(r"<[!?][^>]*>")
_SILENT = ("script", "style", "title")


def said_by(html: str) -> str:
    """Return the words of this HTML."""
    bare = html[:LONGEST]
    bare = _without(bare, "<!--", "-->")
    for tag in _SILENT:
        bare = _without(bare, f"<{tag}", f"</{tag}")
    bare = bare[: bare.rfind(">") + 1] + bare[bare.rfind(">") + 1 :].replace("<", " ")
    return text_of(_DECLARED.sub("", bare))


def charset_of(octets: bytes) -> str:
    """Return the charset that this HTML names in its `<meta>`; empty for none.

    One of two octets a letter can not be right, for its name could then not be read (html.spec.whatwg.org, 13.2.3.2).
    """
    found = _CHARSET.search(octets[:PRESCANNED])
    name = found[1].decode("ascii", "replace").lower() if found else ""
    return "" if name.startswith(("utf-16", "utf-32", "ucs-")) else name


def _without(html: str, begin: str, end: str) -> str:
    """Return the HTML without each stretch from `begin` to `end`, whatever their case; one that never ends goes on to the end."""
    lower, kept, at = html.lower(), list[str](), 0
    if len(lower) != len(html):  # a few letters have a longer lower case
        lower = html
    while (opens := lower.find(begin, at)) >= 0:
        kept.append(html[at:opens])
        closes = lower.find(end, opens + len(begin))
        if closes < 0:
            return "".join(kept)
        at = lower.find(">", closes) + 1 if end.startswith("</") else closes + len(end)
        if at == 0:
            return "".join(kept)
    return "".join([*kept, html[at:]])
