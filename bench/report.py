"""All figures of one benchmark, as lines for a person and as one object for a machine."""

from typing import Any

from bench import cpu
from bench.inbound import Scale, levels, study


async def inbound(scale: Scale, *, with_bot: bool) -> dict[str, Any]:
    """Run the inbound studies and return their figures."""
    figures: dict[str, Any] = {"levels": [], "bot": [], "machine": cpu.machine(), "nothing_lost": True}
    for owner, key in (("agent", "levels"), ("bot", "bot"))[: 1 + with_bot]:
        found = await study(owner, scale)
        figures[key] = levels(found, scale.clients)
        for design, audit in found.audits.items():
            print(f"{owner:5s} {design:5s} {audit}")
            figures["nothing_lost"] &= audit.is_right
        for level in figures[key]:
            print(
                f"{owner:5s} {level['clients']:4d} clients: {level['ratio']}x msg/s, {level['cpu_ratio']}x CPU,"
                f" p99 {level['p99_ms']} ms, {level['commands_per_message']} commands/msg"
            )
    return figures
