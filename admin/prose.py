"""How a person's words become safe HTML: everything is text; only addresses of three harmless kinds become links."""

import re

from markupsafe import Markup, escape

from admin.texts import bound

_LINK = re.compile(
    r"(?P<web>https?://[^\s<>\"'\\^`{|}]{2,2000})"
    r"|(?P<mail>\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}\b)"
    r"|(?P<phone>(?<![\w/.-])\+\d(?:[ .-]?\d){7,14}(?!\w))",
)
_CUT = re.compile(r"/[puw]/(?:confirm/)?…")
"""Where a contact's own address was cut (profiles/tracking.py): what is left of it leads nowhere."""
_TRAILING = ".,;:!?)]}»…*_"


def prose(text: str) -> Markup:
    """Return the text as HTML in which web addresses, e-mail addresses and phone numbers are links, and all else is text.

    A space before ! ? : breaks no line.
    """
    pieces: list[Markup] = []
    text = bound(text)
    done = 0
    for found in _LINK.finditer(text):
        if _CUT.search(found.group()):
            continue
        shown = found.group().rstrip(_TRAILING) if found.lastgroup == "web" else found.group()
        pieces += [escape(text[done : found.start()]), _anchor(str(found.lastgroup), shown)]
        done = found.start() + len(shown)
    return Markup("").join([*pieces, escape(text[done:])])


def _anchor(kind: str, shown: str) -> Markup:
    target = {"web": shown, "mail": f"mailto:{shown}", "phone": f"tel:{re.sub('[^+0-9]', '', shown)}"}[kind]
    return Markup('<a href="{}" rel="noopener noreferrer" target="_blank">{}</a>').format(target, shown)
