"""The benchmarks whose booleans are their claims: each with its options, and what it measures."""

import argparse
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench import console, history, mailing, outbox, results, soak, sockets, start, telegram

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One subcommand. Each option is an int or a tuple of ints, by its default."""

    about: str
    run: Callable[[argparse.Namespace], Coroutine[Any, Any, Figures]]
    options: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """name -> (default, what it means)."""


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of an option such as 1,16,128."""
    return tuple(int(part) for part in text.split(","))


def words(text: str) -> tuple[str, ...]:
    """Return the words of an option such as inbound,mail."""
    return tuple(text.split(","))


CATALOGUE: dict[str, Benchmark] = {
    "history": Benchmark(
        "opening a conversation with 50,000 messages, beside one with 50",
        lambda parsed: history.report(parsed.messages, parsed.pages),
        {"messages": (50_000, "messages of the long one"), "pages": (300, "times each is opened")},
    ),
    "console": Benchmark(
        "the inbox and a conversation, among few conversations and among many",
        lambda parsed: console.report(parsed.conversations, parsed.pages),
        {"conversations": ((10_000, 100_000), "sizes: 10000,100000,1000000"), "pages": (200, "of each kind and size")},
    ),
    "sockets": Benchmark(
        "what an idle visitor costs, and whether ten thousand of them slow those who talk",
        lambda parsed: sockets.report(parsed.idle, parsed.talking, parsed.seconds),
        {
            "idle": (10_000, "sockets held"),
            "talking": (20, "visitors who talk"),
            "seconds": (20.0, "length of each talk"),
        },
    ),
    "outbox": Benchmark(
        "what it costs to send what is committed, beside claiming one by one",
        lambda parsed: outbox.report(parsed.messages, parsed.rounds),
        {"messages": (4_000, "in each round"), "rounds": (3, "of each way")},
    ),
    "mailing": Benchmark(
        "a campaign by e-mail from the outbox to a server, beside the obvious code and django-post_office",
        lambda parsed: mailing.report(parsed.recipients, parsed.controls, parsed.rounds, parsed.post_office),
        {
            "recipients": ((10_000, 500_000), "sizes: 10000,500000"),
            "controls": (500, "mails in each round of the controls"),
            "rounds": (3, "of each way, ours with the first size"),
            "post-office": ("", "an interpreter that has django-post_office"),
        },
    ),
    "telegram": Benchmark(
        "what a message on Telegram costs, beside the library's own transport",
        lambda parsed: telegram.report(parsed.messages, parsed.rounds),
        {"messages": (4_000, "in each round"), "rounds": (3, "of each way")},
    ),
    "soak": Benchmark(
        "whether a server that works for an hour stays as it was",
        lambda parsed: soak.report(parsed.minutes),
        {"minutes": (60.0, "how long; memory is judged from 20 on")},
    ),
    "start": Benchmark("how soon the product is ready, and how much memory it then holds", lambda _: start.report()),
    "all": Benchmark(
        "every benchmark in its short form; writes bench/RESULTS.md",
        lambda parsed: results.report(parsed.only),
        {"only": ((), "some of them: inbound,mail")},
    ),
}


def add_to(names: Any) -> None:
    """Add every benchmark as a subcommand."""
    for name, one in CATALOGUE.items():
        parser = names.add_parser(name, help=one.about)
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")
        for option, (default, about) in one.options.items():
            several = words if default == () else numbers
            kind = several if isinstance(default, tuple) else type(default)
            parser.add_argument(f"--{option}", type=kind, default=default, help=f"{about} (default {default})")
