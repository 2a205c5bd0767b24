"""The last line of marketing by e-mail: how to be left alone, where its author wrote no such link. Pure.

The header has one for mail programs (channels/email_letter.py), which not every program shows; Gmail, Yahoo and the law (article 13
of directive 2002/58, CAN-SPAM) want one that is seen.
"""

import re
from collections.abc import Collection
from html import escape

from profiles.record import replace
from profiles.timeline import Content
from rules.shapes import Said

_WORDS = Said("Unsubscribe", "Se désabonner")
_COLON = Said(": ", " : ")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


def with_way_out(content: Content, link: str, others: Collection[str], language: str) -> Content:
    """Return the content with this link at its end, unless it, or one of the `others` that lead out as well, stands in it."""
    if content.silent or any(one in place for one in (link, *others) for place in _places(content)):
        return content
    words = _WORDS.in_(language)
    text = f"{content.text}\n\n{words}{_COLON.in_(language)}{link}".strip()
    return replace(content, text=text, html=_in_html(content.html, words, link) if content.html else "")


def _places(content: Content) -> list[str]:
    return [content.text, content.html, content.link, *(button.url or "" for button in content.buttons)]


def _in_html(body: str, words: str, link: str) -> str:
    line = f'<p style="font-size:12px"><a href="{escape(link)}">{escape(words)}</a></p>'
    ends = list(_BODY_END.finditer(body))
    at = ends[-1].start() if ends else len(body)
    return body[:at] + line + body[at:]
