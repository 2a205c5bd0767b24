"""From a message to the octets of its mail: what it answers, its language, the files that go along, the way out, our signatures."""

import logging
from collections.abc import Sequence
from datetime import datetime

from channels.channel import Door, Outbound
from channels.email_address import Mailbox
from channels.email_dkim import read_key, record_of, signed
from channels.email_header import fields_of, without_secrets
from channels.email_letter import LONGEST_SUBJECT, File, House, Letter, head, written
from channels.email_mime import Malformed
from channels.email_options import Options, signers, signing_domain
from channels.email_threads import answered_by, bare
from channels.email_verp import bounce_path, leaving_address
from profiles.personal_links import Offer, PersonalLinks
from profiles.record import replace
from profiles.timeline import BOT, Attachment, Content
from profiles.topics import EVERY

log = logging.getLogger("channels.email")


class Composer:
    """Writes the mails of one sending address; what they say of their person is read where it is kept."""

    def __init__(self, options: Options, door: Door, house: House, *, space: str) -> None:
        self._options, self._door, self._house, self._space = options, door, house, space
        domain = signing_domain(options)
        self._keys = [read_key(domain, selector, key.reveal()) for _, selector, key in signers(options)]
        for key in self._keys:
            log.info("email.dkim domain=%s selector=%s record=%s", domain, key.selector, record_of(key))
        self._links = PersonalLinks(door.secret, door.public_url)

    async def mail(self, outbound: Outbound, to: Mailbox, token: str, now: datetime) -> bytes:
        """Return the mail, signed. Raises Malformed for what no mail can carry, and Unavailable."""
        files = await self._files(outbound.content)
        letter = await self._letter(outbound, to, files, token, now)
        return signed(written(letter, self._house), self._keys, now)

    async def header(self, outbound: Outbound, to: Mailbox, token: str, at: datetime) -> Sequence[tuple[str, str]]:
        """Return the mail's header without what would open the person's page, forge a bounce or count as a signature.

        Raises Malformed and Unavailable likewise.
        """
        fields = head(await self._letter(outbound, to, (), token, at), self._house)
        return (("Return-Path", without_secrets(self.path(token))), *fields_of(fields, self._keys))

    def path(self, token: str) -> str:
        """Return the address that a mail which does not arrive comes back to."""
        return bounce_path(self._door.secret, self._options.return_path, token) or self._house.address

    async def _letter(
        self, outbound: Outbound, to: Mailbox, files: Sequence[File], token: str, now: datetime
    ) -> Letter:
        answered = await answered_by(self._door.store, outbound) if self._options.hears else None
        content = outbound.content
        if answered and answered.subject and not content.title:
            content = replace(content, title=f"Re: {bare(answered.subject)}"[:LONGEST_SUBJECT])
        labels = {name: str(outbound.metadata.get(name) or "") for name in ("rule", "topic", "class")}
        unsubscribe = self._unsubscribe(outbound, labels, now)
        can_leave = unsubscribe and self._options.is_told
        return Letter(
            to.address,
            token,
            now,
            content,
            files,
            unsubscribe,
            labels,
            await self._language(outbound),
            answered.chain if answered else (),
            outbound.author == BOT,
            leaving_address(self._door.secret, self._options.return_path, token) if can_leave else "",
        )

    async def _language(self, outbound: Outbound) -> str:
        """Return the language that its writer named; of the bot's mails and of people's, the one spoken there. Empty: not known."""
        if outbound.language or outbound.metadata.get("rule"):
            return outbound.language or ""
        thread = await self._door.store.get("conversations", outbound.conversation)
        if thread and thread.get("language"):
            return str(thread["language"])
        profile = await self._door.writer.recent.profile(outbound.profile) if outbound.profile else None
        return (profile.language if profile else None) or ""

    def _unsubscribe(self, outbound: Outbound, labels: dict[str, str], now: datetime) -> str:
        if labels["class"] != "marketing" or not outbound.profile:
            return ""
        offer = Offer(outbound.profile, self._space, labels["topic"] or EVERY, outbound.id)
        return self._links.unsubscribe(offer, now)

    async def _files(self, content: Content) -> list[File]:
        """Return the files that go along. Raises Malformed for one that is gone or too large."""
        files = [await self._file(attachment) for attachment in content.attachments]
        if sum(len(file.content) for file in files) > self._options.largest:
            raise Malformed("the files are too large together")
        return files

    async def _file(self, attachment: Attachment) -> File:
        kept = await self._door.store.get("files", attachment.file) if attachment.file else None
        if kept is None:
            raise Malformed("a file of it is gone")
        return File(attachment.name or attachment.kind, attachment.mime, bytes(kept["bytes"]))
