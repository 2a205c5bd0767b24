"""What a mail provider's page says and the config repeats: [channels.email]."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from channels.email_address import mailbox
from profiles.record import replace
from profiles.secret import Secret


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
    receives: tuple[str, ...] = field(
        default=(),
        metadata={
            "about": "Our addresses that people write to; @shop.example is a whole domain. Empty: bounces alone."
        },
    )
    lmtp_host: str = field(
        default="127.0.0.1", metadata={"about": "Where mail is taken by LMTP: an address of this host."}
    )
    lmtp_port: int = field(default=0, metadata={"about": "The port your own mail server hands mail over to; 0: off."})
    imap_host: str = field(default="", metadata={"about": "The server of a mailbox to read by IMAP; empty: off."})
    imap_port: int = field(default=993, metadata={"about": "Its port: 993 with TLS, 143 with STARTTLS."})
    imap_tls: Literal["tls", "starttls", "none"] = field(
        default="tls", metadata={"about": "tls, starttls, or none: none only for a server of your own network."}
    )
    imap_ca: str = field(default="", metadata={"about": "A file with that server's own CA; empty trusts the system's."})
    imap_user: str = field(default="", metadata={"about": "Whose mailbox."})
    imap_password: Secret = field(default=Secret(), metadata={"about": "Its password."})
    imap_folder: str = field(default="INBOX", metadata={"about": "The folder that is read."})
    imap_seconds: float = field(
        default=30.0, metadata={"about": "How often it is looked at, where the server does not tell of mail by IDLE."}
    )
    imap_deletes: bool = field(
        default=False, metadata={"about": "Whether mail that was taken is deleted there; else it stays as it is."}
    )
    trusted_results: str = field(
        default="",
        metadata={"about": "Your mail server's name in Authentication-Results; empty: no sender counts as proved."},
    )
    sns_topic: str = field(
        default="",
        metadata={"about": "The ARN of the SNS topic by which Amazon SES reports bounces and complaints; empty: off."},
    )
    mailgun_key: Secret = field(
        default=Secret(), metadata={"about": "Mailgun's HTTP webhook signing key, for its reports; empty: off."}
    )
    previous_mailgun_key: Secret = field(
        default=Secret(), metadata={"about": "The one before it, still accepted until you take it out."}
    )
    sendgrid_key: str = field(
        default="",
        metadata={"about": "The verification key of SendGrid's signed event webhook, for its reports; empty: off."},
    )
    reporter: Literal["none", "brevo", "mailjet", "postmark"] = field(
        default="none",
        metadata={"about": "Who reports by webhook and does not sign: brevo, mailjet, postmark or none."},
    )
    reporter_secret: Secret = field(
        default=Secret(), metadata={"about": "What they show: the password of the webhook's address, or its token."}
    )
    previous_reporter_secret: Secret = field(
        default=Secret(), metadata={"about": "The one before it, still accepted until you take it out."}
    )
    largest_in: int = field(default=25_000_000, metadata={"about": "Bytes of a mail that is taken at most."})
    answers_per_hour: int = field(
        default=3, metadata={"about": "Answers of the bot to one address in an hour; then people are asked."}
    )
    soft_bounces: int = field(default=5, metadata={"about": "After so many soft bounces an address is suppressed."})
    soft_bounce_days: int = field(default=14, metadata={"about": "Within so many days."})
    complaint_percent: float = field(
        default=0.3, metadata={"about": "Complaints in a hundred mails at which marketing pauses; 0: never."}
    )
    complaint_mails: int = field(default=1_000, metadata={"about": "Mails before that percentage means something."})
    complaint_days: int = field(default=7, metadata={"about": "Over how many days both are counted."})
    complaint_pause_hours: float = field(default=24.0, metadata={"about": "How long such a pause lasts."})

    @property
    def hears(self) -> bool:
        """Whether people can write to us; else mail is sent alone, and bounces read."""
        return bool(self.receives and (self.lmtp_port or self.imap_host))

    @property
    def is_told(self) -> bool:
        """Whether what is written to the mailbox of bounces surely reaches us: by IMAP where it is the mailbox read."""
        path = self.return_path.lower()
        read = {self.imap_user.lower(), *(one.lower() for one in self.receives)} if self.imap_host else set()
        return bool(path) and (bool(self.lmtp_port) or not read.isdisjoint({path, f"@{path.rpartition('@')[2]}"}))


def in_ascii(options: Options) -> Options:
    """Return the options with each domain as mail knows it, bücher.example as xn--bcher-kva.example; what is wrong stays."""
    addresses = {name: _address(getattr(options, name)) for name in ("from_address", "reply_to", "return_path")}
    domains = {name: domain_in_ascii(getattr(options, name)) for name in ("list_domain", "dkim_domain", "hello")}
    receives = tuple(
        f"@{domain_in_ascii(one[1:])}" if one.startswith("@") else _address(one) for one in options.receives
    )
    return replace(options, receives=receives, **addresses, **domains)


def domain_in_ascii(domain: str) -> str:
    """Return this domain in ASCII; what is none as it is."""
    return domain if domain.isascii() else _address(f"x@{domain}").removeprefix("x@")


def _address(text: str) -> str:
    known = None if text.isascii() else mailbox(text)
    return known.address if known else text


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
