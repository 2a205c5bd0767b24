"""What an operator's letter says and the config repeats: [channels.smpp]."""

from dataclasses import dataclass, field

from channels.smpp_outgoing import address_of
from profiles.secret import Secret


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.smpp]"""

    enabled: bool = field(
        default=False, metadata={"about": "Whether people can write and be written to through an SMSC."}
    )
    host: str = field(default="", metadata={"about": "The SMSC's host."})
    port: int = field(default=2775, metadata={"about": "The SMSC's port; 3550 is usual with TLS."})
    tls: bool = field(
        default=False, metadata={"about": "Whether the connection is TLS; without it, use a VPN or a private line."}
    )
    tls_ca: str = field(default="", metadata={"about": "A file with the operator's own CA; empty trusts the system's."})
    system_id: str = field(default="", metadata={"about": "Our account's name, at most 15 characters."})
    password: Secret = field(
        default=Secret(), metadata={"about": "Its password; SMPP allows 8 characters, operators often more."}
    )
    system_type: str = field(default="", metadata={"about": "The system type, when the operator asks for one."})
    sender: str = field(
        default="", metadata={"about": "Who writes: +33..., a short code, or a name of at most 11 characters."}
    )
    sender_ton: int = field(default=-1, metadata={"about": "The sender's type of number; -1 chooses by its form."})
    sender_npi: int = field(default=-1, metadata={"about": "The sender's numbering plan; -1 chooses by its form."})
    window: int = field(default=50, metadata={"about": "Messages under way at once before the SMSC has answered."})
    per_second: float = field(
        default=0.0, metadata={"about": "Messages a second at most, as the contract says; 0 is unbounded."}
    )
    receipts: bool = field(default=True, metadata={"about": "Whether the SMSC tells us what became of each message."})
    receipt_ids: str = field(
        default="same",
        metadata={
            "about": "How ids are written: same; hex (answers hexadecimal, receipts decimal); decimal (the other way round)."
        },
    )
    default_alphabet: str = field(
        default="gsm7", metadata={"about": "What the SMSC's data coding 0 means: gsm7 or latin1."}
    )
    parts_seconds: float = field(
        default=120.0,
        metadata={"about": "How long the parts of a long message may take to come; then it is shown as it is."},
    )
    enquire_seconds: float = field(
        default=30.0, metadata={"about": "After how long we ask for a sign of life; two missed end the session."}
    )
    answer_seconds: float = field(default=15.0, metadata={"about": "How long the SMSC may take to answer."})
    reconnect_seconds: float = field(
        default=1.0, metadata={"about": "The first wait before connecting again; it doubles, up to 60 s."}
    )


def problems_of(options: Options) -> list[str]:
    """Return what is missing or wrong, a sentence for each key."""
    problems = []
    for key in ("host", "system_id", "sender"):
        if not getattr(options, key):
            problems.append(
                f"channels.smpp.{key}: expected it, got nothing. Hint: the operator's welcome letter has it."
            )
    if len(options.sender) > 20 or (address_of(options.sender).ton == 5 and len(options.sender) > 11):
        problems.append("channels.smpp.sender: expected a number, or a name of at most 11 characters.")
    if options.receipt_ids not in ("same", "hex", "decimal"):
        problems.append(f'channels.smpp.receipt_ids: expected same, hex or decimal, got "{options.receipt_ids}".')
    if options.default_alphabet not in ("gsm7", "latin1"):
        problems.append(f'channels.smpp.default_alphabet: expected gsm7 or latin1, got "{options.default_alphabet}".')
    if options.window < 1:
        problems.append(f"channels.smpp.window: expected at least 1, got {options.window}.")
    return problems
