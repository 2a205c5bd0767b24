"""`python -m bench NAME`: run one benchmark. With --json the last line is one JSON object with all figures."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from bench import (
    audience,
    bot,
    campaign,
    catalogue,
    company,
    engine,
    events,
    gate,
    mail,
    report,
    server,
    waiting,
    webpush,
)
from bench.inbound import Scale

RULES_AT_WORK: dict[str, Callable[[argparse.Namespace], Coroutine[Any, Any, dict[str, Any]]]] = {
    "campaign": lambda parsed: campaign.report(parsed.contacts, parsed.one_by_one),
    "audience": lambda parsed: audience.report(parsed.contacts),
    "engine": lambda parsed: engine.report(parsed.contacts, parsed.seconds),
    "waiting": lambda parsed: waiting.report(parsed.runs),
    "company": lambda parsed: company.report(parsed.seconds, parsed.rounds),
}
"""What ends with 1 unless everything that it claims is true."""


def main() -> int:
    """Run one benchmark and return the exit code: 0 measured, 1 something was lost, doubled or answered otherwise."""
    parsed = _parser().parse_args()
    if parsed.name == "serve":
        uvloop.run(server.serve())
        return 0
    if parsed.name in catalogue.CATALOGUE:
        return _claimed(uvloop.run(catalogue.CATALOGUE[parsed.name].run(parsed)), as_json=parsed.json)
    if parsed.name == "gate":
        found = uvloop.run(gate.report(parsed.seconds, parsed.contacts, parsed.rounds))
        if parsed.json:
            print(json.dumps(found))
        return 0 if found["ours_is_right"] and found["the_checker_sees"] else 1
    if parsed.name in RULES_AT_WORK:
        return _claimed(uvloop.run(RULES_AT_WORK[parsed.name](parsed)), as_json=parsed.json)
    if parsed.name == "bot":
        heard = uvloop.run(bot.bot(parsed.data))
        if parsed.json:
            print(json.dumps(heard))
        return 1 if heard["replayed"]["differing"] else 0
    if parsed.name == "mail":
        told = uvloop.run(mail.mail(parsed.mails, parsed.rounds))
        if parsed.json:
            print(json.dumps(told))
        return 0 if told["nothing_lost"] and told["fast_enough"] else 1
    if parsed.name == "webpush":
        pushed = uvloop.run(webpush.webpush(parsed.messages, parsed.rounds))
        if parsed.json:
            print(json.dumps(pushed))
        return 0 if pushed["nothing_lost"] and pushed["fast_enough"] else 1
    if parsed.name == "rules":
        figures = report.rules(parsed.seconds)
        if parsed.json:
            print(json.dumps(figures))
        return 0 if figures["fast_enough"] else 1
    if parsed.name == "events":
        figures = uvloop.run(events.figures(parsed.profiles, rounds=parsed.rounds, seconds=parsed.seconds))
        if parsed.json:
            print(json.dumps(figures))
        return 0 if figures["fast_enough"] and figures["nothing_lost"] else 1
    scale = Scale(tuple(parsed.clients), parsed.rounds, parsed.seconds)
    figures = uvloop.run(report.inbound(scale, with_bot=parsed.bot))
    if parsed.json:
        print(json.dumps(figures))
    return 0 if figures["nothing_lost"] else 1


def _claimed(measured: dict[str, Any], *, as_json: bool) -> int:
    print(json.dumps(measured) if as_json else "\n".join(f"{name}: {it}" for name, it in measured.items()))
    return 0 if all(it for it in measured.values() if isinstance(it, bool)) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    inbound = names.add_parser("inbound", help="messages a second from webhooks, beside the obvious design")
    inbound.add_argument("--json", action="store_true", help="end with one line of JSON")
    inbound.add_argument(
        "--bot", action=argparse.BooleanOptionalAction, default=True, help="measure with the shipped bot answering too"
    )
    inbound.add_argument("--seconds", type=float, default=3.0, help="length of one round (default 3)")
    inbound.add_argument("--rounds", type=int, default=3, help="rounds of each design at each number of clients")
    inbound.add_argument("--clients", type=_numbers, default=(1, 16, 128), help="numbers of clients: 1,16,128")
    slots = names.add_parser(
        "gate", help="decisions a second: in bulk, one by one, and counting first; over-sends in races"
    )
    slots.add_argument("--json", action="store_true", help="end with one line of JSON")
    slots.add_argument("--seconds", type=float, default=8.0, help="length of one race (default 8)")
    slots.add_argument("--contacts", type=int, default=20_000, help="contacts asked about (default 20000)")
    slots.add_argument("--rounds", type=int, default=3, help="rounds of each way (default 3)")
    _rules_at_work(names)
    catalogue.add_to(names)
    hearing = names.add_parser("bot", help="what the shipped bot understands, what its turns cost, and what it replays")
    hearing.add_argument("--json", action="store_true", help="end with one line of JSON")
    hearing.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("CAUSERIE_BENCH_DATA"),
        help="folder of public sets (bench/bot_sets.py)",
    )
    rules = names.add_parser("rules", help="conditions tested a second on one core, beside two obvious ways")
    rules.add_argument("--json", action="store_true", help="end with one line of JSON")
    rules.add_argument("--seconds", type=float, default=3.0, help="CPU time for each condition and way (default 3)")
    told = names.add_parser("events", help="events a second in batches of 500, beside one insert for each")
    told.add_argument("--json", action="store_true", help="end with one line of JSON")
    told.add_argument("--seconds", type=float, default=4.0, help="length of one round (default 4)")
    told.add_argument("--rounds", type=int, default=3, help="rounds of each way (default 3)")
    told.add_argument("--profiles", type=_numbers, default=(10_000, 1_000_000), help="profiles stored: 10000,1000000")
    mails = names.add_parser(
        "mail", help="personalised mails a second to a server that takes them, beside the obvious way"
    )
    mails.add_argument("--json", action="store_true", help="end with one line of JSON")
    mails.add_argument("--mails", type=int, default=10_000, help="mails in each round (default 10000)")
    mails.add_argument("--rounds", type=int, default=3, help="rounds of each way (default 3)")
    pushes = names.add_parser("webpush", help="what a web push costs, posting included, beside pywebpush's own call")
    pushes.add_argument("--json", action="store_true", help="end with one line of JSON")
    pushes.add_argument("--messages", type=int, default=10_000, help="messages in each round (default 10000)")
    pushes.add_argument("--rounds", type=int, default=3, help="rounds of each way (default 3)")
    others = names.add_parser("company", help="what it costs that a second process hears of every message, in two ways")
    others.add_argument("--json", action="store_true", help="end with one line of JSON")
    others.add_argument("--seconds", type=float, default=5.0, help="length of one round (default 5)")
    others.add_argument("--rounds", type=int, default=3, help="rounds of each way (default 3)")
    names.add_parser("serve", help="(used by the others) be one server under test")
    return parser


def _rules_at_work(names: Any) -> None:
    sales = names.add_parser(
        "campaign", help="contacts a second from a schedule to committed deliveries, in chunks and alone"
    )
    sales.add_argument("--contacts", type=int, default=1_000_000, help="contacts in the audience (default 1000000)")
    sales.add_argument("--one-by-one", type=int, default=5_000, help="contacts of the control (default 5000)")
    chosen = names.add_parser("audience", help="one contact in a hundred: by an index, and by reading everybody")
    chosen.add_argument("--contacts", type=int, default=1_000_000, help="contacts in the base (default 1000000)")
    events = names.add_parser("engine", help="from an event to a delivery, with 50 live rules at 200 events a second")
    events.add_argument("--contacts", type=int, default=100_000, help="contacts known (default 100000)")
    events.add_argument("--seconds", type=float, default=30.0, help="length of each way (default 30)")
    asleep = names.add_parser("waiting", help="what runs cost that wait for another day")
    asleep.add_argument("--runs", type=int, default=1_000_000, help="runs that wait (default 1000000)")
    for one in (sales, chosen, events, asleep):
        one.add_argument("--json", action="store_true", help="end with one line of JSON")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
