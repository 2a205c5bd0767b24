"""Chance that stays: a contact falls on the same side of the same test for ever, on every machine, after every edit."""

import hashlib
from collections.abc import Mapping


def share(*names: str) -> float:
    """Return a number in [0, 1) that is the same for the same names, and spread evenly over contacts."""
    digest = hashlib.blake2b("\x1f".join(names).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def is_held_out(rule: str, profile: str, part: float) -> bool:
    """Return whether this contact is a ghost of this rule."""
    return part > 0 and share("holdout", rule, profile) < part


def is_control(profile: str, part: float) -> bool:
    """Return whether this contact is in the one control group that no marketing reaches."""
    return part > 0 and share("control", profile) < part


def variant(rule: str, step: str, profile: str, parts: Mapping[str, int]) -> str:
    """Return this contact's variant of a step, each with its part of the sum; no variants give an empty text."""
    total = sum(parts.values())
    if total <= 0:
        return ""
    at = share("variant", rule, step, profile) * total
    for name in sorted(parts):
        at -= parts[name]
        if at < 0:
            return name
    return sorted(parts)[-1]
