"""What the operator sets of the rules; what marketers set stands in the book's own files."""

from dataclasses import dataclass, field
from pathlib import Path

from profiles.calendar import is_zone
from profiles.secret import Secret


@dataclass(frozen=True, slots=True)
class RulesOptions:
    """Where the rule book is, and whose hours count."""

    folder: str = field(default="", metadata={"about": "folder of the rule book; empty: the book that is shipped"})
    webhook_secret: Secret = field(
        default=Secret(),
        metadata={"about": "what webhooks are signed with, whsec_ and base64; empty: webhooks wait for it"},
    )
    previous_webhook_secret: Secret = field(
        default=Secret(), metadata={"about": "the one before it: webhooks are signed with both until you take it out"}
    )
    webhooks_inside: bool = field(
        default=False, metadata={"about": "let webhooks reach private addresses, other ports and plain http"}
    )
    zone: str = field(default="Europe/Paris", metadata={"about": "time zone of contacts whose own is not known"})

    def __post_init__(self) -> None:
        for name in ("webhook_secret", "previous_webhook_secret"):
            if secret := getattr(self, name):
                from rules.webhooks import key_of  # half the rules come with it: only where there is a secret

                try:
                    key_of(secret.reveal())
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        if not is_zone(self.zone):
            raise ValueError(f'zone: expected a time zone, got "{self.zone}". Hint: Europe/Paris')


def folder_of(options: RulesOptions) -> Path:
    """Return the folder of the rule book."""
    return Path(options.folder) if options.folder else Path(__file__).parent / "book"
