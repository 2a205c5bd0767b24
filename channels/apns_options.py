"""Apple's push service as the config has it: [channels.apns]."""

import re
from dataclasses import dataclass, field

from channels.apns_client import PRODUCTION, SANDBOX, client_context
from channels.jws import private_key
from profiles.secret import Secret

LONGEST_TTL_HOURS = 24 * 30  # Apple keeps nothing for longer
_TEN = re.compile(r"[A-Z0-9]{10}")
_APP = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.apns]"""

    enabled: bool = field(default=False, metadata={"about": "Whether apps on iPhones and iPads can be written to."})
    app: str = field(default="", metadata={"about": "The app's bundle id, com.example.shop: what a push is for."})
    team: str = field(default="", metadata={"about": "The team's id, ten letters: Membership in Apple's account."})
    key_id: str = field(default="", metadata={"about": "The id of the key, ten letters; empty with a certificate."})
    key: Secret = field(default=Secret(), metadata={"about": "The text of the .p8 file of that key."})
    certificate: str = field(
        default="", metadata={"about": "Instead of a key: the file of the app's push certificate, PEM."}
    )
    certificate_key: str = field(
        default="", metadata={"about": "The file of its private key, PEM; empty when it stands in the same file."}
    )
    certificate_password: Secret = field(default=Secret(), metadata={"about": "The password of that private key."})
    sound: str = field(default="default", metadata={"about": "What an alert sounds like; empty: it is silent."})
    ttl_hours: float = field(
        default=72.0,
        metadata={"about": "For how long a message waits for a phone that is off, counted from its making."},
    )
    at_once: int = field(default=100, metadata={"about": "Pushes under way at once at most."})
    host: str = field(default=PRODUCTION, metadata={"about": "Where Apple's push service is."})
    sandbox_host: str = field(default=SANDBOX, metadata={"about": "Where it is for builds from Xcode."})
    port: int = field(default=443, metadata={"about": "Its port; 2197 where 443 is closed."})
    ca: str = field(
        default="", metadata={"about": "A file with that server's own CA, for a test; empty trusts the system's."}
    )
    answer_seconds: float = field(default=20.0, metadata={"about": "How long Apple's answer may take."})


def problems_of(options: Options) -> list[str]:
    """Return what is missing or wrong, a sentence for each key."""
    problems = []
    if not _APP.fullmatch(options.app):
        problems.append(f'app: expected a bundle id such as com.example.shop, got "{options.app}".')
    if options.certificate:
        try:
            client_context(
                certificate=options.certificate, key=options.certificate_key,
                password=options.certificate_password.reveal(), ca=options.ca,
            )  # fmt: skip
        except ValueError as error:
            problems.append(f"certificate: {error}.")
    else:
        problems += _token_problems(options)
    if not 0 < options.ttl_hours <= LONGEST_TTL_HOURS:
        problems.append(f"ttl_hours: expected more than 0 and at most {LONGEST_TTL_HOURS}, got {options.ttl_hours}.")
    if not 1 <= options.at_once <= 1000:
        problems.append(f"at_once: expected 1 to 1000, got {options.at_once}.")
    return [f"channels.apns.{problem}" for problem in problems]


def _token_problems(options: Options) -> list[str]:
    problems = []
    if not _TEN.fullmatch(options.team):
        problems.append(f'team: expected ten capital letters and digits, got "{options.team}".')
    if not _TEN.fullmatch(options.key_id):
        problems.append(f'key_id: expected ten capital letters and digits, got "{options.key_id}".')
    try:
        is_curve = hasattr(private_key(options.key.reveal()), "curve")
    except ValueError:
        is_curve = False
    if not is_curve:
        problems.append("key: expected the text of the .p8 file. Hint: Apple lets you download it once, under Keys.")
    return problems
