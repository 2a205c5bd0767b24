"""[channels.wallet]: whose passes these are, what signs them, and where the wallets are told."""

from dataclasses import dataclass, field

from profiles.secret import Secret


@dataclass(frozen=True, slots=True)
class Options:
    """[channels.wallet]"""

    enabled: bool = field(
        default=False, metadata={"about": "Whether people can keep cards of yours in their phone's wallet."}
    )
    organisation: str = field(default="", metadata={"about": "Your name, as it stands on passes."})
    pass_type: str = field(
        default="",
        metadata={"about": "Apple's pass type identifier: pass.example.shop.loyalty; empty: one for trying out."},
    )
    team: str = field(default="", metadata={"about": "Apple's team identifier, ten letters and digits."})
    certificate: str = field(
        default="", metadata={"about": "The file of the pass certificate, PEM; empty: one of our own making."}
    )
    key: str = field(default="", metadata={"about": "The file of its private key, PEM."})
    key_password: Secret = field(default=Secret(), metadata={"about": "What opens that key; empty: nothing is needed."})
    wwdr: str = field(
        default="", metadata={"about": "The file of Apple's intermediate certificate (WWDR G4), PEM or .cer."}
    )
    push_host: str = field(
        default="api.push.apple.com", metadata={"about": "Where Apple takes news of passes; a port may follow."}
    )
    push_ca: str = field(default="", metadata={"about": "A file with that host's own CA; empty trusts the system's."})
    issuer: str = field(default="", metadata={"about": "Google's issuer id, digits; empty: no Google Wallet."})
    service_account: str = field(
        default="", metadata={"about": "The file of the service account that Google gave, JSON."}
    )
    google_url: str = field(
        default="https://walletobjects.googleapis.com", metadata={"about": "Where Google's wallet API is."}
    )
    timeout_seconds: float = field(default=15.0, metadata={"about": "How long Google may take to answer."})
    proxies: int = field(
        default=0, metadata={"about": "How many proxies of yours stand before the server and add to X-Forwarded-For."}
    )
