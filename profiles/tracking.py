"""Links that count: the addresses in a message become our own, each of which leads on to where the author meant.

Where they lead is kept in the content itself (`links`, by number). Text, buttons, the HTML body and what a tap opens are looked
at; our own pages (preferences, unsubscribe) and what is no web address stay as they are. Doing it twice changes nothing more.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from profiles.links import number_in, sign_link, sign_open
from profiles.record import replace
from profiles.timeline import Button, Content

MOST_LINKS = 250  # in one message; the number is one byte of the token
LONGEST_ADDRESS = 2000  # characters; what is longer stays as it is
OURS = ("l", "o", "p", "u")
"""First folders of our own addresses that are never counted: links, pictures, preferences, unsubscribing."""

_IN_TEXT = re.compile(r"https?://[^\s\x00-\x1f\x7f<>\"'`{}|\\^]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]»…*_"
_IN_HTML = re.compile(r"""(<a\b[^<>]*?\shref\s*=\s*)("[^"]*"|'[^']*')""", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)

_OUR_LINK = re.compile(r"https?://[^\s<>\"'/]+/l/([\w-]+\.[\w-]{22}(?![\w-])|[\w-]{32}(?![\w-]))")
_PERSONAL = re.compile(r"(https?://[^\s<>\"']{1,300}/[puw]/(?:confirm/)?)[\w-]+\.[\w-]{22}(?![\w-])")
"""A contact's own addresses (profiles/personal_links.py): whoever opens one acts for them."""
_OUR_PICTURE = re.compile(r"""<img src="[^"]+/o/[\w.-]+\.gif" width="1" height="1" alt="" style="display:none">""")


@dataclass(frozen=True, slots=True)
class Tracked:
    """How one message is tracked: whose addresses they become, and what is counted."""

    base: str
    """https://host without a slash at the end: what people reach us by."""
    secret: bytes
    clicks: bool = True
    opens: bool = False
    """Whether a picture of one pixel in the HTML body tells that it was opened."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Added to where links lead (utm_source, ...), unless the author wrote them; whether or not clicks are counted."""


def with_links(content: Content, message: str, tracked: Tracked) -> Content:
    """Return the content of this message with its addresses made ours, and where each leads in `links`."""
    if not tracked.clicks and not tracked.parameters and not (tracked.opens and content.html):
        return content
    found = _Found(message, tracked, list(content.links))
    changed = replace(
        content,
        text=_in_text(content.text, found.ours),
        buttons=tuple(_button(button, found.ours) for button in content.buttons),
        html=_in_html(content.html, found.ours),
        link=found.ours(content.link),
    )
    if tracked.opens and changed.html:
        changed = replace(changed, html=_with_picture(changed.html, message, tracked))
    return replace(changed, links=tuple(found.targets))


def without_links(content: Content) -> Content:
    """Return the content as its author wrote it: for people who look at it here, whose clicks are not the contact's."""
    if not content.links and "/o/" not in content.html:
        return content

    def meant(found: re.Match[str]) -> str:
        number = number_in(found[1])
        return content.links[number] if number is not None and number < len(content.links) else found[0]

    body = _OUR_LINK.sub(lambda found: html.escape(meant(found)), content.html)
    return replace(
        content,
        text=_OUR_LINK.sub(meant, content.text),
        buttons=tuple(replace(one, url=_OUR_LINK.sub(meant, one.url)) if one.url else one for one in content.buttons),
        html=_OUR_PICTURE.sub("", body),
        link=_OUR_LINK.sub(meant, content.link),
        links=(),
    )


def for_agents(content: Content) -> Content:
    """Return the content as its author wrote it, the contact's own addresses cut: an agent who opened one would act for them."""
    said = without_links(content)
    if not any(map(_PERSONAL.search, (said.text, said.html, said.link, *(one.url or "" for one in said.buttons)))):
        return said
    return replace(
        said,
        text=impersonal(said.text),
        buttons=tuple(replace(one, url=impersonal(one.url)) if one.url else one for one in said.buttons),
        html=impersonal(said.html),
        link=impersonal(said.link),
    )


def impersonal(text: str) -> str:
    """Return a text with the contact's own addresses cut before what opens them."""
    return _PERSONAL.sub(r"\1…", text)


@dataclass(slots=True)
class _Found:
    """The links of one message, as they are met."""

    message: str
    tracked: Tracked
    targets: list[str]

    def ours(self, address: str) -> str:
        """Return what stands in the message for this address."""
        if not _is_counted(address, self.tracked.base):
            return address
        target = _with_parameters(address, self.tracked.parameters)
        if not self.tracked.clicks:
            return target
        if target not in self.targets:
            if len(self.targets) >= MOST_LINKS:
                return target
            self.targets.append(target)
        token = sign_link(self.tracked.secret, self.message, self.targets.index(target))
        return f"{self.tracked.base}/l/{token}"


def _in_text(text: str, ours: Callable[[str], str]) -> str:
    def written(found: re.Match[str]) -> str:
        if len(found[0]) > LONGEST_ADDRESS:
            return found[0]
        address = _without_trail(found[0])
        return ours(address) + found[0][len(address) :]

    return _IN_TEXT.sub(written, text) if "://" in text else text


def _without_trail(address: str) -> str:
    """Return the address without the punctuation of the sentence around it; a bracket it opened itself is its own."""
    while address and address[-1] in _TRAILING:
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address


def _in_html(body: str, ours: Callable[[str], str]) -> str:
    def written(found: re.Match[str]) -> str:
        quote, address = found[2][0], html.unescape(found[2][1:-1]).strip()
        return f"{found[1]}{quote}{html.escape(ours(address))}{quote}"

    return _IN_HTML.sub(written, body) if body else body


def _button(button: Button, ours: Callable[[str], str]) -> Button:
    return replace(button, url=ours(button.url)) if button.url else button


def _is_counted(address: str, base: str) -> bool:
    if len(address) > LONGEST_ADDRESS or not _IN_TEXT.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) and not any(address.startswith(f"{base}/{folder}/") for folder in OURS)


def _with_parameters(address: str, parameters: Mapping[str, str]) -> str:
    """Return the address with what its query does not say yet."""
    if not parameters:
        return address
    parts = urlsplit(address)
    said = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({name: value for name, value in parameters.items() if name not in said and value})
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, more) if part)))


def _with_picture(body: str, message: str, tracked: Tracked) -> str:
    address = f"{tracked.base}/o/{sign_open(tracked.secret, message)}.gif"
    if address in body:
        return body
    picture = f'<img src="{address}" width="1" height="1" alt="" style="display:none">'
    ends = list(_BODY_END.finditer(body))
    at = ends[-1].start() if ends else len(body)
    return body[:at] + picture + body[at:]
