"""A mail that came in, read: who says what to which mail of ours, with which files. Pure.

Every octet of it was written by a stranger: what is too deep, too many or too long is bounded here, and what is broken is read as
far as it goes. Of its sender nothing is proved (email_proof.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from itertools import count, islice

from channels import email_tnef
from channels.email_bounces import MOST_PARTS
from channels.email_charset import decoded, words
from channels.email_charset import field as field_of
from channels.email_flowed import joined
from channels.email_folding import fresh
from channels.email_html import charset_of, said_by
from channels.email_octets import message_of, why_endless
from channels.email_sealed import inside
from profiles.identity import normalise

MOST_REFERENCES = 20
MOST_COMMENTS = 20  # in one field of addresses
LONGEST_SUBJECT = 250
LONGEST_BODY = 200_000  # characters
REPEATED = 0.8  # of the words of an HTML part that stand in a plain one beside it: the same once more
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_SEALS = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_WORD = re.compile(r"\w+")
_ID = re.compile(r"<([!-;=?-~]{1,240}@[!-;=?-~]{1,240})>")


class Unreadable(ValueError):
    """This is no mail that we take; the text says why, without anything of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that came with a mail, before anybody has looked at what it really is."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    sender: str
    """The normalised address of From."""
    name: str = ""
    subject: str = ""
    id: str = ""
    """Its Message-ID without brackets; empty when it has none."""
    answers: tuple[str, ...] = ()
    """The ids of the mails it answers, the nearest first: In-Reply-To, then References from right to left."""
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    text: str = ""
    """The whole of its words, quotes and signature too."""
    new: str = ""
    """Its words without the mail it answers and without the signature."""
    parts: tuple[Part, ...] = ()
    to: tuple[str, ...] = ()
    """The addresses that it was sent to, as far as its header says so."""
    mail: Message = field(default_factory=Message, compare=False)


def parsed(octets: bytes) -> Message:
    """Return the mail, not looked into yet. Raises Unreadable when it is made to exhaust its reader."""
    if why := why_endless(octets):
        raise Unreadable(why)
    try:
        return message_of(octets)
    except (MessageError, ValueError, LookupError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error


def read(mail: Message) -> Letter:
    """Return what this mail says. Raises Unreadable when nobody is named as its sender."""
    sender, name = _sender(mail)
    answers = [*_ids(mail, "In-Reply-To"), *reversed(_ids(mail, "References"))]
    body, parts = _Body(), list[Part]()
    for part, alternative in _leaves(mail):
        if not body.takes(part, alternative):
            parts += _files(part)
    text = body.said()[:LONGEST_BODY]
    return Letter(
        sender=sender,
        name=name,
        subject=words(field_of(mail, "Subject"))[:LONGEST_SUBJECT],
        id=next(iter(_ids(mail, "Message-ID")), ""),
        answers=tuple(dict.fromkeys(answers))[:MOST_REFERENCES],
        references=tuple(dict.fromkeys([*_ids(mail, "References"), *_ids(mail, "In-Reply-To")]))[-MOST_REFERENCES:],
        sent_at=_date(mail),
        text=text,
        new=fresh(text),
        parts=tuple(parts),
        to=recipients(mail),
        mail=mail,
    )


def recipients(mail: Message) -> tuple[str, ...]:
    """Return the addresses a mail came to, by what the last server wrote of it first, then by To and Cc."""
    named = (_addresses(mail, name) for name in ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc"))
    found = (address.strip().lower() for addresses in named for _, address in addresses)
    return tuple(dict.fromkeys(address for address in found if "@" in address))[:50]


@dataclass(frozen=True, slots=True)
class _Words:
    """A part that says something."""

    text: str
    alternative: int
    """The number of the choice that it is part of, 0 for none."""
    is_html: bool


class _Body:
    """The words of a mail: of the same words in several forms the plain one, else the HTML as text."""

    def __init__(self) -> None:
        self._words: list[_Words] = []

    def takes(self, part: Message, alternative: int) -> bool:
        """Keep a part that belongs to the words; False when it is a file."""
        if part.get_content_disposition() == "attachment" or (_name(part) and not part.is_multipart()):
            return False
        kind, is_broken = part.get_content_type(), part.get_content_maintype() == "multipart"  # it lacks its boundary
        if kind not in ("text/plain", "text/html") and not is_broken:
            return False
        self._words.append(_Words(_text(part).strip(), alternative, is_html=kind == "text/html"))
        return True

    def said(self) -> str:
        plain = [one for one in self._words if one.text and not one.is_html]
        instead = {one.alternative for one in plain if one.alternative}
        known = set(_WORD.findall("\n".join(one.text for one in plain)[:LONGEST_BODY]))
        html = {one: said_by(one.text) for one in self._words if one.is_html and one.alternative not in instead}
        texts = (one.text if not one.is_html else _unless(html.get(one, ""), known) for one in self._words)
        return "\n\n".join(text for text in texts if text)


def _unless(text: str, known: set[str]) -> str:
    """Return what an HTML part says; nothing when nearly all of it is known, for not every program calls them alternatives."""
    said = set(_WORD.findall(text))
    return text if not known or len(said - known) > (1 - REPEATED) * len(said) else ""


def _leaves(mail: Message) -> Iterator[tuple[Message, int]]:
    """Yield the parts that contain no others, each with the number of the outermost choice it stands in, 0 for none.

    A mail within a mail is one of them; what S/MIME wrapped is not, once a mail: reading each of two hundred would take minutes.
    """
    yield from islice(_walk(mail, 0, count(1), count()), MOST_PARTS)


def _walk(
    part: Message, alternative: int, numbers: Iterator[int], unsealed: Iterator[int]
) -> Iterator[tuple[Message, int]]:
    if _is_sealed(part) and next(unsealed) == 0:
        part = _unsealed(part)
    if not (part.is_multipart() and part.get_content_maintype() == "multipart"):
        yield part, alternative
        return
    if part.get_content_type() == "multipart/alternative" and not alternative:
        alternative = next(numbers)
    for inner in _within(part):
        yield from _walk(inner, alternative, numbers, unsealed)


def _is_sealed(part: Message) -> bool:
    return part.get_content_type() in _SEALS or _name(part).lower().endswith(".p7m")


def _unsealed(part: Message) -> Message:
    """Return the part that was signed; the part itself where it is encrypted, broken, or made to exhaust its reader."""
    octets = inside(_octets(part))
    try:
        return parsed(octets) if octets else part
    except Unreadable:
        return part


def _within(part: Message) -> list[Message]:
    """Return what a container holds; of a signed one (RFC 1847) without its signature, which is no file that anybody sent."""
    content: object = part.get_payload()
    inner = [one for one in content if isinstance(one, Message)] if isinstance(content, list) else []
    is_signed = part.get_content_type() == "multipart/signed" and inner and inner[-1].get_content_type() in _SIGNATURES
    return inner[:-1] if is_signed else inner


def _files(part: Message) -> list[Part]:
    """Return the file that this part is, or those that Outlook put into it."""
    name, octets = _name(part), _octets(part)
    is_outlooks = part.get_content_type() in email_tnef.KINDS or name.lower() == email_tnef.NAME
    within = [Part(words(named)[:200], content) for named, content in email_tnef.files(octets)] if is_outlooks else []
    return within or [Part(name or _called(part), octets)]


def _called(part: Message) -> str:
    """Return what a file without a name is called: a mail by its subject, as programs do that save one."""
    kind, inner = part.get_content_type(), part.get_payload() if part.is_multipart() else None
    if kind != "message/rfc822" or not isinstance(inner, list) or not isinstance(inner[0], Message):
        return kind
    return f"{words(field_of(inner[0], 'Subject'))[:100] or 'message'}.eml"


def _sender(mail: Message) -> tuple[str, str]:
    for name, address in _addresses(mail, "From"):
        known = normalise("email", address, country="FR") if "@" in address else None
        if known:
            return known, words(name)[:100]
    raise Unreadable("nobody is named as its sender")


def _addresses(mail: Message, name: str) -> list[tuple[str, str]]:
    """Return the names and addresses of a field; one with many comments without them, for the library nests its calls in each."""
    value = field_of(mail, name)
    return getaddresses([value if value.count("(") <= MOST_COMMENTS else value.replace("(", " ")]) if value else []


def _ids(mail: Message, name: str) -> list[str]:
    return _ID.findall(field_of(mail, name, end=True))[-MOST_REFERENCES:]


def _date(mail: Message) -> datetime | None:
    try:
        said = parsedate_to_datetime(field_of(mail, "Date"))
        return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _text(part: Message) -> str:
    octets, kind = _octets(part), part.get_content_type()
    meta = charset_of(octets) if kind == "text/html" else ""
    text = decoded(octets, _said_of(part, "charset"), meta).replace("\r\n", "\n")
    if kind == "text/plain" and _said_of(part, "format").lower() == "flowed":
        return joined(text, without_space=_said_of(part, "delsp").lower() == "yes")
    return text


def _said_of(part: Message, name: str) -> str:
    """Return a parameter of a part's kind; empty when it says none."""
    said = part.get_param(name)
    return str((said[2] if isinstance(said, tuple) else said) or "").strip()


def _octets(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        return b""
    return content if isinstance(content, bytes) else b""


def _name(part: Message) -> str:
    try:
        return words(part.get_filename() or "")[:200]
    except (ValueError, LookupError, TypeError):
        return ""
