"""What a mail provider's page says and the config repeats: [channels.email]."""

import ipaddress
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from channels.email_address import mailbox
from channels.email_dkim import read_key
from profiles.secret import Secret

LONGEST_BOUNCES = 24  # a local part has 64, and ours takes 40 (email_verp.py)


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.email]"""

    enabled: bool = field(default=False, metadata={"about": "Whether people can be written to by e-mail."})
    host: str = field(
        default="", metadata={"about": "The server that takes our mail: a provider's, or your own relay."}
    )
    port: int = field(
        default=587, metadata={"about": "Its port: 587 with STARTTLS, 465 with TLS, 25 on your own host."}
    )
    tls: Literal["starttls", "tls", "none"] = field(
        default="starttls", metadata={"about": "starttls, tls, or none: none only for a server on this host."}
    )
    tls_ca: str = field(default="", metadata={"about": "A file with that server's own CA; empty trusts the system's."})
    user: str = field(default="", metadata={"about": "Who signs in; empty when the server knows us by our address."})
    password: Secret = field(default=Secret(), metadata={"about": "Their password, or the provider's SMTP key."})
    hello: str = field(
        default="", metadata={"about": "The name we say in EHLO; empty says the domain of `from_address`."}
    )
    from_address: str = field(default="", metadata={"about": "Who writes: news@shop.example."})
    from_name: str = field(default="", metadata={"about": "The name that is shown for it."})
    reply_to: str = field(default="", metadata={"about": "Where answers go; empty: to `from_address`."})
    return_path: str = field(
        default="",
        metadata={"about": "The mailbox of bounces, told apart by +token; empty: `from_address`, not told apart."},
    )
    list_domain: str = field(
        default="", metadata={"about": "The domain in List-ID, such as shop.example; empty: none."}
    )
    feedback_id: str = field(
        default="", metadata={"about": "Our name in Feedback-ID, 5 to 15 letters, for Gmail's reports; empty: none."}
    )
    dkim_domain: str = field(default="", metadata={"about": "The domain that signs; empty: that of `from_address`."})
    dkim_selector: str = field(default="", metadata={"about": "Where the key is published: s1 for s1._domainkey."})
    dkim_key: Secret = field(default=Secret(), metadata={"about": "The RSA key in PEM; empty when the provider signs."})
    dkim_second_selector: str = field(default="", metadata={"about": "Where a second key is published."})
    dkim_second_key: Secret = field(
        default=Secret(), metadata={"about": "A second key in PEM, an Ed25519 one beside RSA."}
    )
    connections: int = field(default=8, metadata={"about": "Connections to the server at most."})
    mails_per_connection: int = field(
        default=100, metadata={"about": "Mails on one connection before a new one is opened; 0 is unbounded."}
    )
    per_second: float = field(default=0.0, metadata={"about": "Mails a second over all; 0 is unbounded."})
    per_domain: int = field(
        default=20, metadata={"about": "Mails under way at once to one domain, once it takes them."}
    )
    answer_seconds: float = field(default=25.0, metadata={"about": "How long each answer of the server may take."})
    give_up_hours: float = field(
        default=72.0, metadata={"about": "For how long a mail that is put off is tried, from when it was decided."}
    )
    warm_up_from: str = field(
        default="", metadata={"about": "The first day of a new sending domain, 2026-11-22; empty: it is known already."}
    )
    warm_up_first: int = field(default=200, metadata={"about": "Mails on the first day of warming up."})
    warm_up_growth: float = field(default=1.5, metadata={"about": "How many times more on each day after it."})
    warm_up_days: int = field(default=30, metadata={"about": "After so many days there is no ceiling any more."})
    largest: int = field(default=5_000_000, metadata={"about": "Bytes of a mail's files at most."})


def problems_of(options: Options) -> list[str]:
    """Return what is missing or wrong, a sentence for each key."""
    problems = []
    if not options.host:
        problems.append("host: expected it, got nothing. Hint: your provider's SMTP page has it.")
    for key in ("from_address", "reply_to", "return_path"):
        value = getattr(options, key)
        known = mailbox(value)
        if (value or key == "from_address") and (known is None or known.needs_utf8):
            problems.append(f'{key}: expected an address such as news@shop.example, got "{value}".')
    if len(options.return_path.rpartition("@")[0]) > LONGEST_BOUNCES:
        problems.append(f"return_path: expected at most {LONGEST_BOUNCES} characters before @, for ours come after it.")
    if options.tls == "none" and options.host and not _is_here(options.host):
        problems.append("tls: expected starttls or tls, for without it everybody on the way reads the mail.")
    if bool(options.user) != bool(options.password):
        problems.append("user and password: expected both or neither.")
    if options.list_domain and mailbox(f"x@{options.list_domain}") is None:
        problems.append(f'list_domain: expected a domain, got "{options.list_domain}".')
    if options.feedback_id and not (options.feedback_id.isalnum() and 5 <= len(options.feedback_id) <= 15):
        problems.append(f'feedback_id: expected 5 to 15 letters and digits, got "{options.feedback_id}".')
    for key, least in (("connections", 1), ("per_domain", 1), ("warm_up_first", 1), ("warm_up_growth", 1)):
        if getattr(options, key) < least:
            problems.append(f"{key}: expected at least {least}, got {getattr(options, key)}.")
    if options.warm_up_from and first_day(options) is None:
        problems.append(f'warm_up_from: expected a day such as 2026-11-22, got "{options.warm_up_from}".')
    return [f"channels.email.{problem}" for problem in problems + _key_problems(options)]


def first_day(options: Options) -> date | None:
    """Return the first day of warming up; None for none."""
    try:
        return date.fromisoformat(options.warm_up_from) if options.warm_up_from else None
    except ValueError:
        return None


def signers(options: Options) -> list[tuple[str, str, Secret]]:
    """Return the name of the key's option, the selector and the key, of each key there is."""
    both = (
        ("dkim_key", options.dkim_selector, options.dkim_key),
        ("dkim_second_key", options.dkim_second_selector, options.dkim_second_key),
    )
    return [(name, selector, key) for name, selector, key in both if key or selector]


def signing_domain(options: Options) -> str:
    """Return the domain whose keys sign."""
    return options.dkim_domain or options.from_address.rpartition("@")[2].lower()


def _key_problems(options: Options) -> list[str]:
    problems = []
    for name, selector, key in signers(options):
        try:
            read_key(signing_domain(options), selector, key.reveal())
        except ValueError as error:
            problems.append(f"{name}: {error}.")
    return problems


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host  # a name of the own network, such as a container's
