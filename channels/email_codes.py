"""What a mail server's answer means for us: is the mailbox dead, is it our set-up, may we try again?

RFC 5321 section 4.2, RFC 3463; what the large providers say of senders they do not trust as they documented it on 2026-11-21:
Gmail 5.7.26, Yahoo 5.7.9, Microsoft 5.7.515 speak of our domain and never of the person, whose address stays as it is.
"""

import re

from channels.channel import Failed, Later, Sending, Sent, Unknown
from channels.email_talk import Reply
from channels.email_wire import Handed, Stage

CONNECT_SECONDS = 61.0  # longer than what the back door waits out itself: its tries are few, and an outage may be long
GREYLIST_SECONDS = 900.0  # most greylists let in after five minutes, some after fifteen
SLOW_DOWN_SECONDS = 300.0
FULL_SECONDS = 6 * 3600.0  # a full mailbox is emptied by a person

_DEAD = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_FULL = frozenset({"4.2.2", "5.2.2"})
_OURS = frozenset(
    {"5.1.7", "5.1.8", "5.7.8", "5.7.9", "5.7.14", "5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26",
     "5.7.27", "5.7.28", "5.7.29", "5.7.30", "5.7.509", "5.7.515", "5.5.1", "5.5.4", "5.6.7"}
)  # fmt: skip
_COMMANDS = (500, 502, 503, 504, 530, 535, 538, 555)  # what they say of the conversation, not of this mail
_WHO = r"(user|recipient|mailbox|address|account|rcpt)"
_NOBODY = re.compile(
    rf"{_WHO}[^.]{{0,40}}(unknown|not found|does ?n[o']t exist|unavailable|disabled|inactive|invalid)"
    rf"|(unknown|no such|invalid|inactive|disabled) (local )?{_WHO}|nobody by that name"
    r"|does ?n[o']t have an? \S{1,60} account|\bnullmx\b",  # Yahoo; Postfix, of a domain that takes no mail (RFC 7505)
    re.IGNORECASE,
)
_SENDER = re.compile(r"sender|return.path|mail from", re.IGNORECASE)
_VERIFIES = re.compile(r"sender verif|verification failed for", re.IGNORECASE)
"""Exim asks our server back whether our own path exists, and repeats its answer to the recipient's line: "user unknown"."""
_OUR_FAULT = re.compile(
    r"authenticat|relay|not authori[sz]ed|spf|dkim|dmarc|sender (address )?rejected|blocked|listed|reputation",
    re.IGNORECASE,
)
_GREYLIST = re.compile(r"gr[ae]y-?list", re.IGNORECASE)
_TOO_FAST = re.compile(
    r"too (many|fast|much)|rate|throttl|slow down|exceed|unusual|temporarily deferred", re.IGNORECASE
)
_ADDRESS = re.compile(r"[^\s<>@]{1,256}@[^\s<>@]{1,256}")


def outcome(handed: Handed, *, token: str) -> Sending:
    """Return what is proved about a mail that came so far. `token` is our own name of it, by which a bounce will speak."""
    reply = handed.reply
    if reply is None:
        if handed.stage == "end":
            return Unknown("no answer after the mail was handed over")
        return Later(CONNECT_SECONDS, "connection lost before the mail was handed over")
    if 200 <= reply.code < 300:
        return Sent(token)
    if reply.code < 500:
        return Later(_again(reply), told(reply))
    return _refused(handed.stage, reply)


def names_nobody(text: str) -> bool:
    """Return whether a refusal says in words that the mailbox is not there, whatever its code."""
    return bool(_NOBODY.search(text)) and not _SENDER.search(text)


def verifies_sender(text: str) -> bool:
    """Return whether a refusal says that our own address was not found, whatever it says beside."""
    return bool(_VERIFIES.search(text))


def slows(reply: Reply | None) -> bool:
    """Return whether the recipient's side asks us to be slower."""
    if reply is None or reply.is_good or reply.code >= 500 or _GREYLIST.search(reply.text):
        return False
    if reply.code != 421 and reply.enhanced.startswith(("4.1.", "4.2.")):
        return False  # of this address alone: "4.2.2 over quota", Gmail's "4.2.1 ... receiving mail at a rate"
    return (
        reply.code == 421 or reply.enhanced.startswith(("4.7.", "4.3.2", "4.4.5")) or bool(_TOO_FAST.search(reply.text))
    )


def told(reply: Reply) -> str:
    """Return an answer for a person to read: on one line, without addresses."""
    words = _ADDRESS.sub("(address)", " ".join(reply.text.split()))
    return f"smtp {reply.code} {words}"[:180].rstrip()


def _again(reply: Reply) -> float:
    if reply.enhanced in _FULL:
        return FULL_SECONDS
    return SLOW_DOWN_SECONDS if reply.code == 421 or _TOO_FAST.search(reply.text) else GREYLIST_SECONDS


def _refused(stage: Stage, reply: Reply) -> Sending:
    why, code = told(reply), reply.enhanced
    if code in _FULL:
        return Later(FULL_SECONDS, why)
    if reply.code == 552 or code.startswith("5.3.4") or code == "5.2.3":
        return Failed("content", why)
    if code in _OURS or stage in ("connect", "sender") or (stage != "end" and reply.code in _COMMANDS):
        return Failed("config", why)
    if code in _DEAD:
        return Failed("dead", why)
    if code.startswith("5.7."):
        return Failed("config" if _OUR_FAULT.search(reply.text) else "content", why)
    if verifies_sender(reply.text):
        return Failed("config", why)
    if stage == "recipient" and names_nobody(reply.text):  # without such words a 550 may speak of anything
        return Failed("dead", why)
    return Failed("content", why)
