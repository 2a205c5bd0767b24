"""What may be configured of the web chat, and whether it can work."""

from dataclasses import dataclass, field

from profiles.secret import Secret, live

SHORTEST_SECRET = 32  # characters: RFC 7518, section 3.2, asks for as many bits as the hash has


@dataclass(frozen=True, slots=True)
class Options:
    """The section [channels.webchat]."""

    enabled: bool = field(default=False, metadata={"about": "Whether the web chat is served."})
    origins: tuple[str, ...] = field(
        default=(),
        metadata={"about": 'Pages that may hold the widget: "https://shop.example"; this server\'s own always may.'},
    )
    identity_secret: Secret = field(
        default=Secret(),
        metadata={
            "about": "What your server signs identity tokens with, 32 characters or more; empty: nobody signs in."
        },
    )
    previous_identity_secret: Secret = field(
        default=Secret(), metadata={"about": "The one before it, still accepted until you take it out."}
    )
    demo: bool = field(default=False, metadata={"about": "Whether the demo shop is served at /channels/webchat/demo."})
    largest_file_megabytes: int = field(default=10, metadata={"about": "The largest file a visitor may send, 1 to 15."})
    sockets_per_address: int = field(
        default=20, metadata={"about": "How many sockets one internet address may hold open at once."}
    )
    proxies: int = field(
        default=0,
        metadata={"about": "How many proxies of yours stand before the server and add to X-Forwarded-For."},
    )

    @property
    def identity_secrets(self) -> tuple[str, ...]:
        """What an identity token may be signed with."""
        return live(self.identity_secret, self.previous_identity_secret)


def check(options: Options) -> None:
    """Raise ValueError for options that can not work."""
    for name in ("identity_secret", "previous_identity_secret"):
        length = len(getattr(options, name).reveal())
        if 0 < length < SHORTEST_SECRET:
            raise ValueError(
                f"{name}: expected {SHORTEST_SECRET} characters or more, got {length}. "
                'Hint: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
    if options.previous_identity_secret and not options.identity_secret:
        raise ValueError(
            "previous_identity_secret: expected identity_secret beside it: only the old one would be taken"
        )
    if not 1 <= options.largest_file_megabytes <= 15:  # one MongoDB document holds 16 MB
        raise ValueError(f"largest_file_megabytes: expected 1 to 15, got {options.largest_file_megabytes}")
    if options.proxies < 0 or options.sockets_per_address < 1:
        raise ValueError("proxies: expected 0 or more; sockets_per_address: expected 1 or more")
