"""A mail that came in, by whichever way: a report about a mail of ours, a machine's word, or somebody who writes to us.

Nobody's address is proved by their mail: it begins or continues the conversation of that address, merges nothing, and what we
answer goes to the address. What a machine wrote is kept where it may matter to people, and never answered.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from email.message import Message
from typing import Any, Literal

from channels import email_bounces
from channels.channel import Door, Inbound
from channels.email_automatic import By, written_by
from channels.email_bounces import TOKEN, Heard
from channels.email_files import Files
from channels.email_letter import House
from channels.email_octets import is_quick
from channels.email_options import Options
from channels.email_proof import is_proved
from channels.email_reading import Letter, Unreadable, parsed, read, recipients
from channels.email_reports import Reports
from channels.email_threads import is_reply, written_to
from channels.email_verp import bounced, left_by
from profiles.store import Unstorable
from profiles.text import clean
from profiles.timeline import BOT, Attachment, Content

log = logging.getLogger("channels.email")

CHANNEL = "email"
LONGEST_WHOLE = 100_000  # characters of a mail with its quotes that an agent can look at
LOOKED_AT = 30  # messages back, for what the bot answered in the last hour


class Incoming:
    """Takes the mails of one sending address's mailboxes."""

    def __init__(self, options: Options, door: Door, house: House, reports: Reports) -> None:
        self._options, self._door, self._house, self._reports = options, door, house, reports
        self._files = Files(door.store, door.clock)

    def is_ours(self, address: str) -> bool:
        """Return whether mail to this address is taken: one that people write to, or a mailbox of bounces."""
        return self._is_heard(address) or self._is_bounces(address)

    async def take(self, octets: bytes, *, to: Sequence[str], path: str | None) -> None:
        """Return when this mail is on disk, or nothing for us. `path`: the envelope's sender, `` for nobody.

        Raises Unavailable: it must be offered again. Raises Unreadable: it never will be taken.
        """
        heard, letter = await self._read(octets, to)
        if heard is not None:
            return await self._reports.take(heard)
        if letter is None or not self._options.hears:
            log.info("email.mail ignored reason=no_report")
            return None
        if self._is_own(letter):
            log.info("email.mail ignored reason=own")
            return None
        by = written_by(letter.mail, sender=letter.sender, path=path)
        if by == "holiday note":
            log.info("email.mail ignored reason=holiday_note")
            return None
        try:
            return await self._receive(letter, by)
        except Unstorable as error:
            raise Unreadable("the database can not keep it") from error

    async def _read(self, octets: bytes, to: Sequence[str]) -> tuple[Heard | None, Letter | None]:
        if is_quick(octets):
            return self._understood(octets, to)
        return await asyncio.to_thread(self._understood, octets, to)  # so that nobody waits for it

    def _understood(self, octets: bytes, to: Sequence[str]) -> tuple[Heard | None, Letter | None]:
        """Return the report that this mail is, or the letter; neither, when it came to a mailbox of bounces alone."""
        mail = parsed(octets)
        everyone = [*to, *recipients(mail)]
        path = next((address for address in everyone if bounced(self._door.secret, address)), "")
        if token := next((found for one in everyone if (found := left_by(self._door.secret, one))), None):
            return email_bounces.Leaving(token), None
        heard = email_bounces.read(octets, to=path, secret=self._door.secret, domain=self._house.domain)
        if heard is not None and not isinstance(heard, email_bounces.Away):
            return heard, None
        if path or (to and not any(self._is_heard(address) for address in to)) or _is_report(mail):
            return None, None
        return None, read(mail)

    async def _receive(self, letter: Letter, by: By) -> None:
        known = await written_to(self._door.store, letter.answers, domain=self._house.domain)
        address = known or letter.sender
        id = _id_of(letter)
        files, left_out = await self._files.keep(letter.parts, mail=id, conversation=f"{CHANNEL}:{address}")
        proved = letter.sender == address and is_proved(
            letter.mail, letter.sender, server=self._options.trusted_results
        )
        inbound = Inbound(
            channel=CHANNEL,
            address=address,
            id=id,
            content=_content(letter, files),
            sent_at=letter.sent_at,
            declared=await self._declared(letter, address),
            verified=proved,
            answers=await self._answers(address, by),
            metadata=_metadata(letter, address, left_out, by),
        )
        await self._door.receive(inbound)
        await self._files.confirm(files)

    async def _declared(self, letter: Letter, address: str) -> dict[str, Any]:
        """Return the name that a newcomer gives; a mail changes nothing of who is known, for anybody may have written it."""
        if not letter.name or "@" in letter.name or letter.sender != address:
            return {}
        return {} if await self._door.store.get("identities", f"{CHANNEL}:{address}") else {"name": letter.name}

    async def _answers(self, address: str, by: By) -> Literal["bot", "people", "nobody"]:
        """Return who may answer. A machine that hides what it is would answer our bot for ever: so many an hour, then people."""
        if by != "person":
            return "nobody"
        where = {"conversation": {"$eq": f"{CHANNEL}:{address}"}}
        only = ("author", "at", "reply_to")
        last = await self._door.store.find("messages", where, sort=[("seq", -1)], limit=LOOKED_AT, only=only)
        since = self._door.clock() - timedelta(hours=1)
        answered = {one.get("reply_to") for one in last if one["author"] == BOT and one["at"] > since}
        return "people" if len(answered) >= self._options.answers_per_hour else "bot"

    def _is_own(self, letter: Letter) -> bool:
        """Return whether this is a mail of ours that came back, or one from an address of our own: never a person's."""
        found = TOKEN.fullmatch(letter.id)
        is_named_so = found is not None and found[2].lower() == self._house.domain
        return is_named_so or _apart(letter.sender) in (_apart(self._house.address), *self._named())

    def _is_heard(self, address: str) -> bool:
        domain = _apart(address)[1]
        return _apart(address) in self._named() or f"@{domain}" in (one.lower() for one in self._options.receives)

    def _named(self) -> list[tuple[str, str]]:
        return [_apart(one) for one in self._options.receives if not one.startswith("@")]

    def _is_bounces(self, address: str) -> bool:
        path = self._options.return_path
        return bool(path) and _apart(address) == _apart(path)


def _apart(address: str) -> tuple[str, str]:
    """Return the mailbox of an address, without what follows + in it, and the domain."""
    local, _, domain = address.lower().rpartition("@")
    return local.partition("+")[0], domain


def _is_report(mail: Message) -> bool:
    """Return whether this is a report of a mail server about a mail that is none of ours."""
    return mail.get_content_type() == "multipart/report"


def _id_of(letter: Letter) -> str:
    """Return what this mail is known by, so that it is one message by whatever way, and however often, it comes."""
    said = letter.id or "\n".join([str(letter.sent_at), letter.subject, letter.text])
    return hashlib.sha256(f"{letter.sender}\n{said}".encode("utf-8", "replace")).hexdigest()[:40]


def _content(letter: Letter, files: tuple[Attachment, ...]) -> Content:
    """Return what the mail says; the subject is shown where it begins something, and is the text where there is no other."""
    text, subject = letter.new, clean(letter.subject)
    if not text and not files:
        return Content(text=subject)
    return Content(text=text, title="" if is_reply(subject) else subject, attachments=files)


def _metadata(letter: Letter, address: str, left_out: Sequence[str], by: By) -> dict[str, Any]:
    whole = clean(letter.text.strip(), longest=LONGEST_WHOLE)
    said = {
        "subject": clean(letter.subject),
        "message_id": letter.id,
        "references": list(letter.references),
        "whole": whole if whole != clean(letter.new) else "",
        "from": letter.sender if letter.sender != address else "",
        "left_out": list(left_out),
        "by": "" if by == "person" else by,
    }
    return {name: value for name, value in said.items() if value}
