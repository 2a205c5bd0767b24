"""The whole configuration, as far as the parts need it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from admin.options import Options as ConsoleOptions
from admin.options import TrackerOptions
from bot.llm_options import LlmOptions
from bot.options import BotOptions
from channels.webchat_options import Options as WebchatOptions
from channels.webchat_tokens import demo_key
from rules.options import RulesOptions


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where the server listens and who it serves."""

    host: str = field(default="127.0.0.1", metadata={"about": "address to listen on"})
    port: int = field(default=8080, metadata={"about": "port to listen on"})
    public_url: str = field(
        default="", metadata={"about": "how the world reaches this server, https://...; empty: http://host:port"}
    )
    language: str = field(default="fr", metadata={"about": "language to speak until a person's own is known: fr or en"})
    country: str = field(
        default="FR", metadata={"about": "where phone numbers without a country code belong (ISO 3166)"}
    )
    log_level: str = field(default="INFO", metadata={"about": "DEBUG, INFO, WARNING or ERROR"})
    metrics_port: int = field(
        default=0,
        metadata={
            "about": "port of each worker's own /health and /metrics, one up for each worker; 0: the main port only"
        },
    )
    shed_seconds: float = field(
        default=0.8,
        metadata={
            "about": "when storing takes longer for 3 seconds, what its sender repeats is refused (503) for a while; 0: never"
        },
    )
    drain_seconds: float = field(
        default=0.0,
        metadata={"about": "how long /health says 503 before a stopping server closes its port; 0: closes at once"},
    )


@dataclass(frozen=True, slots=True)
class Options:
    """The whole configuration, as far as the parts need it."""

    server: ServerOptions = ServerOptions()
    bot: BotOptions = BotOptions()
    llm: LlmOptions = LlmOptions()
    rules: RulesOptions = RulesOptions()
    console: ConsoleOptions = ConsoleOptions()
    tracker: TrackerOptions = TrackerOptions()
    channels: Mapping[str, Any] = field(default_factory=dict)
    database: str = "causerie"
    models: Path | None = None
    """Folder where trained models are kept; None: every start trains."""
    edits: Path | None = None
    """Folder of the copies that people change through the console where a bot's own folder is not to be written."""

    @property
    def public_url(self) -> str:
        """How the world reaches us, https://host without a slash at the end."""
        return (self.server.public_url or f"http://{self.server.host}:{self.server.port}").rstrip("/")

    def identity_secrets(self, secret: bytes) -> tuple[str, ...]:
        """What identity tokens may be signed with: the shop's secrets, and the demo shop's, made of our own `secret`."""
        chats = [one for one in self.channels.values() if isinstance(one, WebchatOptions)]
        demo = [demo_key(secret) for one in chats if one.enabled and one.demo]
        return (*(secret for one in chats for secret in one.identity_secrets), *demo)

    @property
    def proxies(self) -> int:
        """How many proxies of our own stand before us, as the web chat is told."""
        return max((getattr(one, "proxies", 0) for one in self.channels.values()), default=0)
