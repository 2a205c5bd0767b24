"""All figures of one benchmark, as lines for a person and as one object for a machine."""

from statistics import median
from typing import Any

from bench import conditions, cpu
from bench.goals import missed
from bench.inbound import Scale, levels, study
from bench.start import starts
from bench.turn import turn_us

CONDITIONS_A_SECOND = 100_000  # on one core: what the issue asks


def rules(seconds: float) -> dict[str, Any]:
    """Measure how many conditions are tested a second and return the figures."""
    figures: dict[str, Any] = {"conditions": [], "machine": cpu.machine()}
    for rate in conditions.rates(seconds=seconds):
        known = {"walker": round(rate.walker), "jinja": round(rate.jinja)}
        figures["conditions"].append({"condition": rate.condition, "ours": round(rate.ours), **known})
        beside = ", ".join(f"{way} {found:,}/s ({rate.ours / found:.1f}x)" for way, found in known.items())
        print(f"{rate.condition:15s} {round(rate.ours):>10,}/s   beside {beside}", flush=True)
    slowest = min(one["ours"] for one in figures["conditions"])
    figures["conditions_per_second"] = slowest
    figures["fast_enough"] = slowest >= CONDITIONS_A_SECOND
    return figures


async def inbound(scale: Scale, *, with_bot: bool) -> dict[str, Any]:
    """Run the inbound studies and return their figures, and which goals they miss."""
    figures: dict[str, Any] = {"levels": [], "bot": [], "machine": cpu.machine(), "nothing_lost": True}
    started = await starts()
    figures["start_seconds"] = round(median(one.seconds for one in started), 2)
    figures["rss_idle_mb"] = round(median(one.idle_mb for one in started), 1)
    print(f"ready after {figures['start_seconds']} s, {figures['rss_idle_mb']} MB idle", flush=True)
    figures["bot_turn_us"] = round(turn_us())
    print(f"a bot's turn takes {figures['bot_turn_us']} us of CPU", flush=True)
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
    short = missed(figures)
    figures["goals_met"], figures["missed"] = not short, "; ".join(short)
    print("\n".join(f"goal missed: {one}" for one in short) or "every goal met", flush=True)
    return figures
