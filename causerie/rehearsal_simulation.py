"""A simulation, said on the terminal or as JSON: row by row, then how often each rule sent and why it did not."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from causerie.rehearsal_wish import Wish
from causerie.rehearsal_words import counted, number, plain, said, when
from causerie.rule_commands import Say
from rules.reasons import spoken
from rules.recall import MOST_CONTACTS
from rules.rehearsal import Rehearsed, Stage, Told

SHOWN = 40


def say_simulation(
    rehearsed: Rehearsed, stage: Stage, wish: Wish, say: Say, *, since: datetime, until: datetime
) -> None:
    """Say what was played between these instants, then the totals of each rule."""
    if wish.as_json:
        return say(_as_json(rehearsed, since, until))
    zone, speaks = stage.book.policy.zone, wish.language
    say(
        said(
            speaks,
            "{since} to {until} ({zone}): {contacts}, {events}, {decisions}. Nothing was sent or written.",
            since=f"{since.astimezone(zone):%Y-%m-%d}",
            until=f"{until.astimezone(zone):%Y-%m-%d}",
            zone=str(zone),
            contacts=counted(speaks, rehearsed.contacts, "contact"),
            events=counted(speaks, rehearsed.events, "event"),
            decisions=counted(speaks, len(rehearsed.told), "decision"),
        )
    )
    if rehearsed.contacts >= MOST_CONTACTS:
        most = counted(speaks, MOST_CONTACTS, "contact")
        say(said(speaks, "Only the first {contacts} were played.", contacts=most))
    shown = rehearsed.told if wish.everything or wish.contact else rehearsed.told[:SHOWN]
    if shown:
        say("")
    _say_rows(shown, stage, speaks, say)
    if len(shown) < len(rehearsed.told):
        rest = number(speaks, len(rehearsed.told) - len(shown))
        say(said(speaks, "... and {rows} more. Hint: --all, --rule, --contact or --json", rows=rest))
    say("")
    return _say_totals(rehearsed, speaks, say)


def _say_rows(shown: Sequence[Told], stage: Stage, language: str, say: Say) -> None:
    rules = max((len(row.rule) for row in shown), default=0)
    names = min(max((len(row.name) for row in shown), default=0), 24)
    for row in shown:
        text = f': "{" ".join(row.text.split())[:60]}"' if row.text else ""
        where = f" {row.channel}" if row.channel else ""
        say(
            f"{when(row.at, stage)}  {row.name[:24]:<{names}}  {row.rule:<{rules}}  "
            f"{spoken(row.reason, language)}{where}{text}"
        )


def _say_totals(rehearsed: Rehearsed, language: str, say: Say) -> None:
    rules = sorted({row.rule for row in rehearsed.told})
    width = max((len(rule) for rule in rules), default=0)
    if rules:
        columns = ("rule", "sent", "waits", "not sent", "why not, most often")
        rule, sent, waits, refused, reason = (said(language, title) for title in columns)
        say(f"{rule:<{width}}  {sent:>7} {waits:>6} {refused:>8}  {reason}")
    for rule in rules:
        found = rehearsed.of_rule(rule)
        sums = {verdict: sum(reasons.values()) for verdict, reasons in found.items()}
        why = sorted(found.get("not sent", {}).items(), key=lambda one: (-one[1], one[0]))[:3]
        words = ", ".join(f"{spoken(reason, language)} {times}" for reason, times in why)
        say(
            f"{rule:<{width}}  {sums.get('sent', 0):>7} {sums.get('waits', 0):>6} {sums.get('not sent', 0):>8}  {words}"
        )


def _as_json(rehearsed: Rehearsed, since: datetime, until: datetime) -> str:
    rules = sorted({row.rule for row in rehearsed.told})
    return json.dumps(
        {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "contacts": rehearsed.contacts,
            "events": rehearsed.events,
            "rules": {rule: rehearsed.of_rule(rule) for rule in rules},
            "told": [plain(row) for row in rehearsed.told],
        },
        indent=2,
        ensure_ascii=False,
    )


@dataclass(slots=True)
class Days:
    """Says on the terminal how far a long rehearsal is: each tenth of its days."""

    progress: Callable[[str], None]
    since: datetime
    until: datetime
    told: int = 0

    def passing(self, now: datetime) -> None:
        done = int(10 * ((now - self.since) / (self.until - self.since)))
        if done > self.told:
            self.told = done
            self.progress(f"Playing: {now:%Y-%m-%d}, {done * 10} %")
