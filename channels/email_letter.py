"""A message as a mail: its header, text and HTML, pictures inside, files attached, and how to be left alone (RFC 8058). Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from channels.degrade import numbered
from channels.email_mime import Malformed, file_part, header, multipart, named, text_part, words
from profiles.calendar import from_timestamp
from profiles.html_text import text_of
from profiles.swift import swift
from profiles.timeline import Button, Content

LONGEST_SUBJECT = 250
_CID = re.compile(r"""(?<=["'(])cid:([^"')\s]{1,100})""")
_WHOLE = re.compile(r"<(!doctype|html)\b", re.IGNORECASE)
_OWN_LANGUAGE = re.compile(r"""<html\b[^>]*?\slang\s*=\s*["']?([\w-]+)""", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_SHOWN = re.compile(r"(https?://|mailto:|tel:)[^\s<>\"']+", re.IGNORECASE)
_ONE_CLICK = header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
_FEEDBACK = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class House:
    """Who writes: what is the same in every mail."""

    address: str
    name: str = ""
    reply_to: str = ""
    list_domain: str = ""
    feedback: str = ""
    mark: str = ""
    """The field in which the provider takes a mail's token, to name it in what it reports (email_unsigned.py)."""
    head: bytes = field(init=False)

    def __post_init__(self) -> None:
        fields = header("From", named(self.name, self.address)) + header("MIME-Version", "1.0")
        fields += header("Reply-To", self.reply_to) if self.reply_to else b""
        object.__setattr__(self, "head", fields)

    @property
    def domain(self) -> str:
        """Return the domain that writes."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes along, and the name by which the HTML may show it: cid:NAME."""

    name: str
    mime: str
    content: bytes


@swift
@dataclass(frozen=True, slots=True)
class Letter:
    """What one mail says, and to whom."""

    to: str
    token: str
    """Our own name of this mail, which nobody can guess: it is in the Message-ID and in the boundaries of its parts."""
    at: datetime
    content: Content
    files: Sequence[File] = ()
    unsubscribe: str = ""
    """The address that ends this topic by one POST; empty for what is no marketing."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the message is counted by: rule, topic, class."""
    language: str = ""
    """The one it is written in, a tag of RFC 5646; empty where nobody said. A page that says its own is believed."""
    answers: Sequence[str] = ()
    """The Message-IDs, without brackets, of the thread it goes on with; the last is the one it answers."""
    is_automatic: bool = False
    """Whether a machine answers (RFC 3834), so that no other machine answers it."""
    leaving: str = ""
    """The address to write to instead, for mail programs that know no other way (Outlook.com); empty where no mail comes in."""


def written(letter: Letter, house: House) -> bytes:
    """Return the octets of the mail, unsigned. Raises Malformed for what can not stand in one."""
    body = _body(letter, house)
    return head(letter, house) + body


def head(letter: Letter, house: House) -> bytes:
    """Return the fields of the mail's header, but for those of its body. Raises Malformed for what can not stand in one."""
    return b"".join(_fields(letter, house))


def message_id(token: str, house: House) -> str:
    """Return the Message-ID of the mail of this token, without its brackets."""
    return f"{token}@{house.domain}"


def shown(content: Content, language: str = "") -> str:
    """Return the page that mail programs show: the author's, whole, else one made of the text where there is more than text.

    Empty where they show the text (`said`).
    """
    return _html(content, _spoken(content, language))


def said(content: Content) -> str:
    """Return the words without markup; what could be pressed is said, what could be opened is written out."""
    words = [content.text or text_of(content.html)]
    if content.buttons:
        words.append(numbered([button for button in content.buttons if button.title]))
    if _SHOWN.fullmatch(content.link) and content.link not in words[0]:
        words.append(content.link)
    return "\n\n".join(part for part in words if part)


def _fields(letter: Letter, house: House) -> list[bytes]:
    lines = [
        house.head,
        header("To", letter.to),
        header("Subject", words(_subject(letter.content, house))),
        _date(int(letter.at.timestamp())),
        header("Message-ID", f"<{message_id(letter.token, house)}>"),
    ]
    if spoken := _spoken(letter.content, letter.language):
        lines.append(header("Content-Language", spoken))  # RFC 3282: of all its parts
    if house.mark:
        lines.append(header(house.mark, letter.token))
    if letter.answers:
        lines.append(header("In-Reply-To", f"<{letter.answers[-1]}>"))
        lines.append(header("References", " ".join(f"<{id}>" for id in letter.answers)))
    kind, topic = letter.labels.get("class", ""), _word(letter.labels.get("topic", ""))
    if letter.unsubscribe:
        by_mail = f", <mailto:{letter.leaving}?subject=unsubscribe>" if letter.leaving else ""
        lines.append(header("List-Unsubscribe", f"<{letter.unsubscribe}>{by_mail}"))
        lines.append(_ONE_CLICK)
        if house.list_domain:
            lines.append(header("List-ID", f"<{topic or 'news'}.{house.list_domain}>"))
    elif kind:
        lines.append(header("Auto-Submitted", "auto-generated"))  # RFC 3834: no answering machine need answer
    elif letter.is_automatic:
        lines.append(header("Auto-Submitted", "auto-replied"))
    if house.feedback:
        named_by = (_word(letter.labels.get("rule", "")), topic, _word(kind), house.feedback)
        lines.append(header("Feedback-ID", ":".join(named_by)))
    return lines


def _spoken(content: Content, language: str) -> str:
    """Return the tag of its language: what the author's own page says of itself, else what the letter says; empty for neither."""
    begins = content.html[:1000]
    own = _OWN_LANGUAGE.search(begins) if _WHOLE.search(begins) else None
    tag = own[1] if own else language
    return tag if _LANGUAGE.fullmatch(tag) else ""


@lru_cache(maxsize=4)
def _date(seconds: int) -> bytes:
    return header("Date", format_datetime(from_timestamp(seconds)))


def _subject(content: Content, house: House) -> str:
    subject = content.title or content.summary() or house.name or house.domain
    if len(subject) > LONGEST_SUBJECT:
        raise Malformed(f"a subject of {len(subject)} characters")
    return subject


def _body(letter: Letter, house: House) -> bytes:
    content = letter.content
    page = shown(content, letter.language)
    named_files = {file.name: file for file in letter.files}
    inside = list(dict.fromkeys(_CID.findall(page))) if "cid:" in page else []
    for name in inside:
        if name not in named_files:
            raise Malformed("a picture that the HTML shows is missing")
    ids = {name: f"{letter.token}.{number}@{house.domain}" for number, name in enumerate(inside)}
    body = text_part(said(content), "plain")
    if page:
        part = text_part(_CID.sub(lambda found: f"cid:{ids[found[1]]}", page) if ids else page, "html")
        if ids:
            pictures = [
                file_part(named_files[name].content, named_files[name].mime, name, cid=ids[name]) for name in ids
            ]
            part = multipart("related", f"=_r{letter.token}", [part, *pictures])
        body = multipart("alternative", f"=_a{letter.token}", [body, part])
    attached = [file_part(file.content, file.mime, file.name) for file in letter.files if file.name not in ids]
    return multipart("mixed", f"=_m{letter.token}", [body, *attached]) if attached else body


def _html(content: Content, language: str) -> str:
    opened = [button for button in content.buttons if button.url and _SHOWN.fullmatch(button.url)]
    if content.html:
        return content.html if _WHOLE.search(content.html[:1000]) else _page(content.html + _links(opened), language)
    link = content.link if _SHOWN.fullmatch(content.link) else ""
    picture = escape(content.image) if _SHOWN.fullmatch(content.image) else ""
    if not (opened or picture or link):
        return ""
    drawn = f'<p><img src="{picture}" alt="" style="max-width:100%"></p>' if picture else ""
    if drawn and link:
        drawn = f'<a href="{escape(link)}">{drawn}</a>'
    paragraphs = "".join(
        f'<p dir="auto">{escape(part).replace(chr(10), "<br>")}</p>' for part in content.text.split("\n\n") if part
    )
    if link and not picture:
        opened = [*opened, Button(link, url=link)]
    return _page(drawn + paragraphs + _links(opened), language)


def _links(buttons: Sequence[Button]) -> str:
    return "".join(f'<p><a href="{escape(button.url or "")}">{escape(button.title)}</a></p>' for button in buttons)


def _page(body: str, language: str) -> str:
    spoken = f' lang="{language}"' if language else ""
    return (
        f'<!doctype html>\n<html{spoken}><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"></head>\n'
        f'<body style="font-family:sans-serif;line-height:1.5">\n{body}\n</body></html>\n'
    )


def _word(text: str) -> str:
    return _FEEDBACK.sub("-", text).strip("-")[:40]
