"""What may be configured of Telegram, and whether it is right."""

import re
from dataclasses import dataclass, field

from channels.channel import Door
from profiles.secret import Secret

TOKEN = re.compile(r"\d{1,20}:[\w-]{20,100}", re.ASCII)
SECRET_TOKEN = re.compile(r"[\w-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Options:
    """The section [channels.telegram]."""

    enabled: bool = field(default=False, metadata={"about": "Whether customers can write to us on Telegram."})
    token: Secret = field(
        default=Secret(), metadata={"about": "The bot's token from @BotFather; rather in the environment than here."}
    )
    webhook: bool = field(
        default=False,
        metadata={"about": "true: Telegram calls us at our public https address; false: we ask it (long polling)."},
    )
    secret_token: Secret = field(
        default=Secret(),
        metadata={"about": "What Telegram shows us with each webhook (A-Z a-z 0-9 _ -); empty: made by the server."},
    )
    previous_secret_token: Secret = field(
        default=Secret(), metadata={"about": "The one before it, still accepted until you take it out."}
    )
    api_url: str = field(
        default="https://api.telegram.org",
        metadata={"about": "Where the Bot API answers; change it for a Bot API server of your own."},
    )
    max_connections: int = field(
        default=40, metadata={"about": "How many webhooks Telegram may send at once, 1 to 100."}
    )
    poll_seconds: int = field(
        default=25, metadata={"about": "How long one question for updates may wait at Telegram, 1 to 50 seconds."}
    )
    timeout_seconds: float = field(
        default=25.0, metadata={"about": "How long one message may take to be handed over, at most 29 seconds."}
    )


def mistakes(options: Options, door: Door) -> list[str]:
    """Return what is wrong with the options, one line each."""
    section, wrong = "channels.telegram", []
    if not TOKEN.fullmatch(options.token.reveal()):
        wrong.append(f"{section}.token: expected a token such as 123456:ABC-DEF. Hint: @BotFather gives it")
    for name in ("secret_token", "previous_secret_token"):
        secret = getattr(options, name)
        if secret and not SECRET_TOKEN.fullmatch(secret.reveal()):
            wrong.append(f"{section}.{name}: expected 1 to 256 of A-Z a-z 0-9 _ -")
    if not options.api_url.startswith(("http://", "https://")):
        wrong.append(f'{section}.api_url: expected an address with http, got "{options.api_url}"')
    if options.webhook and options.api_url == Options().api_url and not door.public_url.startswith("https://"):
        wrong.append(
            f'{section}.webhook: expected a public https address of this server, got "{door.public_url}".'
            " Hint: webhook = false needs none"
        )
    for name, lowest, highest in (("max_connections", 1, 100), ("poll_seconds", 1, 50), ("timeout_seconds", 0.1, 29)):
        value = getattr(options, name)
        if not lowest <= value <= highest:
            wrong.append(f"{section}.{name}: expected {lowest} to {highest}, got {value}")
    return wrong
