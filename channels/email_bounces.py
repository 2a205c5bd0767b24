"""What a mail that came to our bounce mailbox says: did a mail of ours fail, did somebody complain, or is it a holiday note?

Delivery reports by RFC 3464, complaints by RFC 5965 (ARF), automatic answers by RFC 3834. Pure. Whoever can write to the mailbox
can write such a report: what it says of a mail is believed only when it knows the token that is in that mail's path, signed.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import Literal, TypeAlias

from channels.email_charset import field as field_of
from channels.email_charset import words
from channels.email_codes import names_nobody, verifies_sender
from channels.email_octets import head_of, message_of, why_endless
from channels.email_verp import bounced

LARGEST = 2_000_000  # octets; a report repeats at most the mail it speaks of
MOST_PARTS = 200
LONGEST_TOLD = 2_000  # characters of what the other side said that are looked at
_STATUSES = (
    "message/delivery-status",
    "message/global-delivery-status",
)  # the second: of addresses beyond ASCII, RFC 6533
_STATUS = re.compile(r"\b(?<!\d\.)([245])\.(\d)\.(\d{1,3})\b(?!\.\d)")  # no address of four numbers, nor most dates
_RECEIPT = "message/disposition-notification"
"""Somebody's program says that a mail was read, or thrown away (RFC 8098)."""
TOKEN = re.compile(r"([0-9a-fA-F]{28})@([A-Za-z0-9.-]{1,253})")
"""A Message-ID such as ours."""
_ADDRESS = re.compile(r"[^\s<>@;]{1,256}@[^\s<>@;]{1,256}")
_FAILED = frozenset({"failed", "failure", "expired"})  # RFC 3464 knows the first; the others are written all the same
_UNSAID = re.compile(r"|5\.0\.\d+|5\.[15]\.0")
"""Statuses that say no more than that it failed: 5.0.0, Exchange's 5.0.350, the 5.5.0 of Outlook.com for who is not there."""
_BLANK_LINE = re.compile(rb"\r?\n(?:\r?\n)+")
_MICROSOFT = "X-HmXmrOriginalRecipient"
"""In complaints of Outlook.com that are no ARF: until June 2026 all, since then some."""
_MAILBOX_GONE = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
_OUT_OF_OFFICE = re.compile(
    r"out of (the )?office|automatic reply|absence|autoreply|auto-reply|réponse automatique", re.IGNORECASE
)


Kind: TypeAlias = Literal["hard", "soft", "refused"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail of ours did not arrive. `hard`: the mailbox does not exist; `soft`: it may be otherwise tomorrow."""

    token: str
    kind: Kind
    status: str
    """The enhanced status, such as 5.1.1."""
    recipient: str = ""
    detail: str = field(default="", compare=False)
    """What the other side said, for a person to read."""


@dataclass(frozen=True, slots=True)
class Delayed:
    """Somebody still tries to deliver it: nothing is decided."""

    token: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """The person called a mail of ours spam."""

    token: str
    kind: str = "abuse"


@dataclass(frozen=True, slots=True)
class Away:
    """A machine answered for the person: nobody has read anything, and nobody is to be answered."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The person wants no more mails such as this one: somebody wrote to the address that it names for that (RFC 2369)."""

    token: str


Heard: TypeAlias = Bounce | Delayed | Complaint | Away | Leaving


def read(octets: bytes, *, to: str, secret: bytes, domain: str = "") -> Heard | None:
    """Return what this mail to the address `to` says, None when it is none of these or speaks of no mail that we sent.

    A mail that it repeats is ours by its signed path, or by its Message-ID in our `domain`, whose first part nobody can guess:
    there is no mail of that token in the database when somebody made it up.
    """
    if len(octets) > LARGEST or why_endless(octets):
        return None
    mail = message_of(octets)
    token = bounced(secret, to) or _token_inside(mail, secret, domain)
    for part in _parts(mail):
        if part.get_content_type() == "message/feedback-report":
            return Complaint(token, _field(_blocks(part), "feedback-type") or "abuse") if token else None
        if part.get_content_type() in _STATUSES:
            return _report(part, token) if token else None
        if part.get_content_type() == _RECEIPT:
            return None  # its prose is a date and no status
    if any(part.get(_MICROSOFT) for part in _parts(mail)):
        token = token or _token_of(mail, secret, domain)  # the mail itself comes back, or inside another
        return Complaint(token) if token else None
    if token and mail.get("X-Failed-Recipients"):  # Exim's, in prose, which calls itself an automatic reply
        return _unstructured(mail, token)
    if is_holiday_note(mail):
        return Away()
    if token and _is_from_a_machine(mail):
        return _unstructured(mail, token)
    return None


def kind_of(status: str) -> Kind:
    """Return what an enhanced status means for the mailbox; one that says nothing may be otherwise tomorrow."""
    level, _, rest = status.partition(".")
    if level == "5" and rest in _MAILBOX_GONE:
        return "hard"
    return "soft" if level != "5" or rest.startswith(("2.", "4.")) else "refused"


def judged(status: str, said: str) -> tuple[Kind, str]:
    """Return what a status means; one that says nothing (5.0.0, Exchange's 5.0.350) gives way to what the other server said."""
    if _UNSAID.fullmatch(status) and not verifies_sender(said):
        better = status_in(said)
        if better.startswith("5.") and not _UNSAID.fullmatch(better):
            return kind_of(better), better
        if names_nobody(said):
            return "hard", status
    return kind_of(status), status


def weighed(status: str, said: str, word: Kind) -> tuple[Kind, str]:
    """Return what a status means, as `judged` does; where nothing tells, the provider's own `word` for it."""
    kind, status = judged(status, said)
    return (word if _UNSAID.fullmatch(status) and kind != "hard" else kind), status


def status_in(text: str) -> str:
    """Return the first enhanced status of a text, such as 5.1.1; empty when there is none."""
    found = _STATUS.search(text)
    return found[0] if found else ""


def told(text: str) -> str:
    """Return what the other side said, for a person to read: without addresses, cut."""
    return _ADDRESS.sub("(address)", " ".join(text[:LONGEST_TOLD].split()))[:150]


def token_shown(path: str, message_id: str, *, secret: bytes, domain: str) -> str | None:
    """Return the token of the mail with this sender's path and this Message-ID; None when it is none of ours."""
    if token := bounced(secret, path.strip().strip("<>")):
        return token
    found = TOKEN.fullmatch(message_id.strip().strip("<>"))
    return found[1].lower() if found and domain and found[2].lower() == domain else None


def _report(part: Message, token: str) -> Heard | None:
    """Read a delivery report. The status decides and not the action: a full mailbox that was tried for days has 4.2.2, failed."""
    blocks = _blocks(part)
    action = _field(blocks, "action").lower().partition("(")[0].strip()  # a comment may stand behind it
    status = status_in(_field(blocks, "status")) or status_in(_field(blocks, "diagnostic-code"))
    recipient = (_field(blocks, "original-recipient") or _field(blocks, "final-recipient")).partition(";")[2].strip()
    if action == "delayed":
        return Delayed(token, status)
    if action not in _FAILED and (action or not status.startswith("5")):
        return None  # delivered, relayed, expanded: no trouble
    diagnostic = _field(blocks, "diagnostic-code")
    diagnostic = diagnostic.partition(";")[2] or diagnostic  # without its type, `smtp;`
    kind, status = judged(status, diagnostic)
    return Bounce(token, kind, status, recipient[:254], told(diagnostic))


def _unstructured(mail: Message, token: str) -> Heard | None:
    """Read a report in prose: only a status in it is believed, for prose says anything."""
    prose = next((part for part in _parts(mail) if part.get_content_maintype() == "text"), None)
    content = prose.get_payload(decode=True) if prose else None
    said = content[:20_000].decode("utf-8", "replace") if isinstance(content, bytes) else ""
    status = status_in(said)
    kind = "refused" if verifies_sender(said) else kind_of(status)
    return Bounce(token, kind, status) if status and not status.startswith("2") else None


def _token_inside(mail: Message, secret: bytes, domain: str) -> str | None:
    """Return the token of the mail that is repeated in the report, by the path that it shows or by its Message-ID."""
    for part in _parts(mail):
        for name in ("Return-Path", "X-Original-Return-Path", "Original-Mail-From"):
            value = str(part.get(name) or "") or _field(_blocks(part), name.lower())
            if token := bounced(secret, value.strip().strip("<>")):
                return token
        if part is not mail and (token := _token_of(_repeated(part), secret, domain)):
            return token
    return None


def _repeated(part: Message) -> Message:
    """Return the head of the mail that this part repeats; the part itself where it is none that hides it."""
    if part.get_content_type() == "text/rfc822-headers":
        content = part.get_payload(decode=True)
        return head_of(content if isinstance(content, bytes) else b"")
    hidden = _from_base64(part)
    return head_of(hidden) if hidden else part


def _token_of(mail: Message, secret: bytes, domain: str) -> str | None:
    path, id = str(mail.get("Return-Path") or ""), str(mail.get("Message-ID") or "")
    return token_shown(path, id, secret=secret, domain=domain)


def is_holiday_note(mail: Message) -> bool:
    """Return whether a machine answers for somebody who is away or asleep."""
    said = re.split(r"[\s;(]", field_of(mail, "Auto-Submitted").strip().lower() or "no")[0]
    if said == "auto-replied" or mail.get("X-Autoreply") or mail.get("X-Autorespond"):
        return True
    return said != "no" and bool(_OUT_OF_OFFICE.search(words(field_of(mail, "Subject"))))


def _is_from_a_machine(mail: Message) -> bool:
    path = str(mail.get("Return-Path") or "").strip()
    sender = str(mail.get("From") or "").lower()
    return path == "<>" or "mailer-daemon" in sender or "postmaster" in sender


def _parts(mail: Message) -> Iterator[Message]:
    """Yield the parts, at most so many: a mail may be made to have any number."""
    for number, part in enumerate(mail.walk()):
        if number >= MOST_PARTS:
            return
        yield part


def _blocks(part: Message) -> list[Message]:
    """Return the blocks of fields of a report: the library reads those of delivery reports, other kinds are text."""
    if hidden := _from_base64(part):
        return [head_of(block) for block in _BLANK_LINE.split(hidden.strip(), MOST_PARTS)[:MOST_PARTS]]
    payload = part.get_payload()
    if isinstance(payload, list):
        blocks = [block for block in payload[:MOST_PARTS] if isinstance(block, Message)]
        if part.get_content_type() == _STATUSES[1]:  # which the library takes for a mail: its body is the second block
            blocks += [head_of(str(one.get_payload()).encode("utf-8", "replace")) for one in blocks]
        return blocks
    if part.get_content_type() == "message/feedback-report":
        return [head_of(str(payload).encode("utf-8", "replace"))]
    return []


def _from_base64(part: Message) -> bytes:
    """Return what is encoded in a part that is a mail or a report, which the library reads as if it never were; else nothing."""
    if part.get_content_maintype() != "message":
        return b""
    if str(part.get("Content-Transfer-Encoding") or "").strip().lower() != "base64":
        return b""
    payload: object = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else payload
    text = str(inner.get_payload() if isinstance(inner, Message) else inner)
    try:
        return binascii.a2b_base64(text.encode("ascii", "ignore"))
    except binascii.Error:
        return b""


def _field(blocks: list[Message], name: str) -> str:
    """Return the field of this name in the first block that has it."""
    return next((" ".join(str(block[name]).split())[:1000] for block in blocks if block[name]), "")
