"""What the operator sets of the console and the tracker. Nothing heavy is imported: it is read before anything else starts."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """Section [console] of config.toml."""

    capacity: int = field(
        default=5,
        metadata={"about": "Conversations the queue gives to one new agent at once; changed per agent later."},
    )
    idle_hours: int = field(default=12, metadata={"about": "A session unused for so long ends."})
    session_days: int = field(default=7, metadata={"about": "A session ends after so many days, used or not."})
    invitation_days: int = field(default=7, metadata={"about": "An invitation link works for so many days."})
    second_factor_roles: tuple[str, ...] = field(
        default=(), metadata={"about": "Roles that can do nothing before they set up a second factor, e.g. admin."}
    )
    attachment_megabytes: int = field(default=10, metadata={"about": "The largest file an agent may send."})


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """Section [tracker] of config.toml."""

    enabled: bool = field(default=False, metadata={"about": "Whether the tracker of the shop's pages is served at /t."})
    origins: tuple[str, ...] = field(
        default=(), metadata={"about": 'Pages that may report: "https://shop.example"; this server\'s own always may.'}
    )
