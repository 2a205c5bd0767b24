"""Web push as the config has it: [channels.webpush]."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from channels.webpush_services import Services
from profiles.secret import Secret

LONGEST_TTL_HOURS = 24 * 28  # push services keep nothing for longer than four weeks


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.webpush]"""

    enabled: bool = field(default=False, metadata={"about": "Whether browsers can be written to (web push)."})
    origins: tuple[str, ...] = field(
        default=(),
        metadata={"about": 'Sites whose pages may subscribe: "https://shop.example"; this server\'s own always may.'},
    )
    subject: str = field(
        default="",
        metadata={"about": "Whom push services write to when something is wrong: mailto:...; empty: our public_url."},
    )
    private_key: Secret = field(
        default=Secret(),
        metadata={
            "about": "The VAPID key of subscriptions that you bring along; empty: one is made at the first start."
        },
    )
    title: str = field(
        default="", metadata={"about": "What stands above a message without a title; empty: the site's address."}
    )
    icon: str = field(
        default="", metadata={"about": "Address of the picture beside each message, https://; empty: none."}
    )
    ttl_hours: float = field(
        default=24.0,
        metadata={"about": "For how long a message waits for a browser that is off, counted from its making."},
    )
    services: tuple[str, ...] = field(
        default=(),
        metadata={"about": 'Push services beside those of the known browsers: "push.example", "*.push.example".'},
    )
    connections: int = field(default=64, metadata={"about": "Connections to each push service at most."})
    per_second: float = field(default=0.0, metadata={"about": "Messages a second over all; 0 is unbounded."})
    answer_seconds: float = field(default=10.0, metadata={"about": "How long a push service's answer may take."})
    proxies: int = field(
        default=0,
        metadata={"about": "How many proxies of yours stand before the server and add to X-Forwarded-For."},
    )


def problems_of(options: Options) -> list[str]:
    """Return what is wrong, a sentence for each key."""
    problems = []
    if options.subject and not options.subject.startswith(("mailto:", "https://")):
        problems.append(f'subject: expected mailto:you@shop.example or an https address, got "{options.subject}".')
    if options.icon and urlsplit(options.icon).scheme != "https":
        problems.append(f'icon: expected an https address, got "{options.icon}".')
    if not 0 < options.ttl_hours <= LONGEST_TTL_HOURS:
        problems.append(f"ttl_hours: expected more than 0 and at most {LONGEST_TTL_HOURS}, got {options.ttl_hours}.")
    if options.connections < 1:
        problems.append(f"connections: expected at least 1, got {options.connections}.")
    if options.proxies < 0:
        problems.append(f"proxies: expected 0 or more, got {options.proxies}.")
    try:
        Services(options.services)
    except ValueError as error:
        problems.append(f"services: {error}")
    return [f"channels.webpush.{problem}" for problem in problems]


def subject_of(options: Options, public_url: str) -> str:
    """Return whom push services may write to. Apple refuses one on localhost; the others take it."""
    if options.subject:
        return options.subject
    return public_url if public_url.startswith("https://") else f"mailto:webpush@{urlsplit(public_url).hostname}"
