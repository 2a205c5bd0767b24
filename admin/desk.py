"""All that the console and the API may use of the server, in one small bag made by whoever starts it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from admin.options import Options as Options  # known from here, too
from admin.passwords import Passwords
from admin.presence import Presence
from bot.titles import Titles
from bot.workshop import Workshop
from channels.channel import Channel
from channels.shedding import Shedding
from profiles.calendar import Clock
from profiles.consents import Consents
from profiles.live import Feed
from profiles.store import Store
from profiles.writer import Writer
from rules.running import Running

PREFIX = "/console"  # where the server mounts these pages


class Drafts(Protocol):
    """Proposes what an agent might reply: bot/llm.py, or a test's own."""

    async def draft(
        self, said: Sequence[tuple[str, str]], question: str, language: str, conversation: str
    ) -> str | None:
        """Return a reply for the agent to change or throw away; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What a console page may reach. One per process."""

    store: Store
    writer: Writer
    feed: Feed
    clock: Clock
    secret: bytes
    """This installation's signing secret, 32 bytes, the same in every process."""
    public_url: str
    """https://host without a slash at the end."""
    channels: Mapping[str, Channel] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    presence: Presence = field(default_factory=Presence)
    passwords: Passwords = field(default_factory=Passwords)
    country: str = "FR"
    """Where a phone number without a country code belongs (ISO 3166)."""
    workshop: Workshop | None = None
    """Where people teach the bot; None where its answers come from elsewhere."""
    drafts: Drafts | None = None
    """Who proposes replies to agents; None where no language model is configured."""
    rules: Running | None = None
    """The rule book and its engine; None where there is none."""
    consents: Consents | None = None
    """What people said about being written to; None where nobody asks."""
    proxies: int = 0
    """How many proxies of our own stand before us; who asks is whom the outermost saw."""
    shedding: Shedding = field(default_factory=Shedding)
    """Refuses events while too much is asked of us; a desk of its own never does."""
    identity_secrets: tuple[str, ...] = ()
    """What the shop's own server signs identity tokens with (channels/webchat_tokens.py)."""

    @property
    def words(self) -> Mapping[str, Mapping[str, str]]:
        """What the house calls its things: cart.updated, contact.tier, rule:welcome, topic:offers -> language -> words."""
        return self.rules.bookcase.book.called if self.rules else {}

    @property
    def titles(self) -> Titles:
        """What agents read for the names in the bot's files."""
        return self.workshop.brain.script.project.titles if self.workshop else Titles()

    @property
    def is_https(self) -> bool:
        """Whether agents reach us over TLS, so that cookies may insist on it."""
        return self.public_url.startswith("https://")


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)
