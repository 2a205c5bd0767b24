"""What may be written on the command line, and what each word of it must look like.

It is read at every start, before the database is begun: so what a word needs in order to be read is loaded with that word alone.
"""

import argparse
from datetime import datetime
from pathlib import Path

from causerie.workers import Post


def parser() -> argparse.ArgumentParser:
    """Return what reads a command line: every command, with its options and what `--help` says of them."""
    whole = argparse.ArgumentParser(prog="causerie", description="Conversational customer relations on one MongoDB.")
    whole.add_argument("--config", type=Path, default=None, help="config file (default: config.toml, if there is one)")
    commands = whole.add_subparsers(dest="command", required=True)
    start = commands.add_parser("serve", help="start the server (and its own MongoDB unless store.url says otherwise)")
    start.add_argument(
        "--demo",
        action="store_true",
        help="with the demo shop, where anybody may sign in as Anna, and a month of invented contacts",
    )
    start.add_argument(
        "--workers",
        type=_count,
        default=1,
        help="how many processes serve this port (default: 1; one a core is enough)",
    )
    start.add_argument(
        "--worker", type=Post.parse, default=None, help=argparse.SUPPRESS
    )  # what a worker is started with
    commands.add_parser(
        "check", help="read the config, the bot's files and the rules and show all that is wrong with them"
    )
    talk = commands.add_parser("chat", help="talk to the bot in this terminal, without a server")
    talk.add_argument("--time", action="store_true", help="print the CPU time of each turn")
    _add_bot(commands.add_parser("bot", help="check, test, train or question a bot's files, without a server"))
    told = commands.add_parser(
        "explain", help="say a rule of the book in plain sentences, and what people may resent of it"
    )
    told.add_argument("rule", help="the rule's name, such as cart-reminder")
    told.add_argument("--language", choices=("en", "fr"), default="en")
    _add_rehearsals(commands)
    differs = commands.add_parser("diff", help="show what changed in a rule since a version that was good before")
    differs.add_argument("rule", help="the rule's name, such as cart-reminder")
    differs.add_argument(
        "version", nargs="?", default="", help="the version, or how it begins (default: the one before)"
    )
    looked = commands.add_parser("doctor", help="say what the world sees of a channel's set-up, and what to mend")
    looked.add_argument("channel", choices=("email",))
    looked.add_argument("domain", nargs="?", default="", help="the sending domain (default: that of from_address)")
    looked.add_argument(
        "--selector", action="append", default=[], help="of a DKIM key that your provider holds; repeat"
    )
    looked.add_argument("--language", choices=("en", "fr"), default="en")
    gone = commands.add_parser(
        "erase", help="erase a person for good; or write out, or carry out again, the log of erasures"
    )
    what = gone.add_mutually_exclusive_group(required=True)
    what.add_argument("whom", nargs="?", default=None, help="a profile's id, or an address such as anna@example.org")
    what.add_argument("--log", type=Path, default=None, help="write the log of erasures into this file (`-`: show it)")
    what.add_argument(
        "--replay",
        default="",
        help="after a restore: erase again who is in this log (a file, or the URI of a database)",
    )
    gone.add_argument("--yes", action="store_true", help="do not ask first; who is not at a terminal is never asked")
    _add_import(commands.add_parser("import", help="take over a file of customers (CSV), row by row; see --dry-run"))
    _add_export(
        commands.add_parser("export", help="write people, messages, deliveries or events into a CSV or JSON Lines file")
    )
    sealed = commands.add_parser("seals", help="say whether any row of the audit or of consent was changed or removed")
    sealed.add_argument("--head", action="append", default=[], help="a head that was kept elsewhere; repeat for more")
    key = commands.add_parser("key", help="make an API key; it is shown once")
    key.add_argument("name", help="whose key it is, such as `shop backend`")
    key.add_argument("--scope", action="append", required=True, help="such as profiles:read; repeat for more")
    key.add_argument("--days", type=_days, default=None, help="it ends after so many days (default: it does not end)")
    keys = commands.add_parser("keys", help="list the API keys, or revoke one")
    keys.add_argument("--revoke", metavar="ID", default=None, help="end this key for good: the 8 letters behind ck_")
    return whole


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise argparse.ArgumentTypeError(f'expected a number from 1 to 64, got "{text[:20]}"')
    return int(text)


def _days(text: str) -> int:
    from admin.keys import LONGEST_DAYS, days_of

    if (days := days_of(text)) is None:
        raise argparse.ArgumentTypeError(f'expected a number from 1 to {LONGEST_DAYS}, got "{text[:20]}"')
    return days


def _add_import(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(dest="what", required=True).add_parser("profiles", help="people, one a row")
    what.add_argument("file", type=Path, help="a CSV file whose first line says what its columns are")
    what.add_argument("--dry-run", action="store_true", help="say what would come of each row, and write nothing")
    what.add_argument(
        "--proved",
        action="append",
        default=[],
        choices=("email", "sms", "telegram"),
        help="these addresses are proved to be theirs, as your shop's own ids (user) are; repeat for more",
    )
    what.add_argument(
        "--column",
        action="append",
        default=[],
        type=_column,
        metavar="HEADER=NAME",
        help="what a column is; `HEADER=` leaves it out; repeat for more",
    )
    what.add_argument(
        "--source",
        choices=("declared", "inferred", "tracked"),
        default="declared",
        help="how you know it; what was declared gives way to declared alone (default: declared)",
    )
    what.add_argument(
        "--days",
        choices=("year", "day", "month"),
        default="year",
        help="what comes first in a day: 1990-05-01, 01/05/1990 or 05/01/1990 (default: year)",
    )
    what.add_argument("--encoding", default="utf-8-sig", help="of the file: cp1252 for Excel's (default: utf-8)")
    what.add_argument("--all", action="store_true", help="show every refused row, not the first 100")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("profiles", "messages", "deliveries", "events"))
    parser.add_argument("file", type=Path, help="a file that is not there yet, which ends with .csv or .jsonl")
    parser.add_argument(
        "--since", type=_instant, help="from then on: 2026-01-31, or 2026-01-31T08:00+01:00 (UTC if no zone)"
    )
    parser.add_argument("--until", type=_instant, help="before then")


def _instant(text: str) -> datetime:
    from causerie.export_commands import instant

    try:
        return instant(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected a day such as 2026-01-31, got "{text[:40]}"') from None


def _column(text: str) -> tuple[str, str]:
    header, equals, name = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f'expected HEADER=NAME, got "{text[:60]}"')
    return header.strip(), name.strip()


def _add_rehearsals(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    shown = commands.add_parser("preview", help="say how many a rule is for, and what some of them would get")
    shown.add_argument("rule", help="the rule's name, such as cart-reminder")
    whom = shown.add_mutually_exclusive_group()
    whom.add_argument("--contact", help="this one: a profile's id, or an address such as anna@example.org")
    whom.add_argument(
        "--cast", action="store_true", help="people who do not exist, each with a trait; needs no database"
    )
    played = commands.add_parser(
        "simulate", help="say who would have got what, when, and which limit stopped whom; nothing is sent"
    )
    played.add_argument("--rule", help="only this one, as if it were live; the live ones play along")
    played.add_argument("--contact", help="only this one: a profile's id, or an address such as anna@example.org")
    played.add_argument("--days", type=int, default=30, help="over the events of the last so many days (default: 30)")
    played.add_argument("--ahead", type=int, default=0, help="over the next so many days instead, from now on")
    played.add_argument("--all", action="store_true", help="show every decision, not the first 40")
    for parser in (shown, played):
        parser.add_argument("--demo", action="store_true", help="with the channels and the book of serve --demo")
        parser.add_argument("--json", action="store_true", help="as JSON")
        parser.add_argument("--language", choices=("en", "fr"), default="en")


def _add_bot(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", required=True)
    look = acts.add_parser("check", help="show all that is wrong in the bot's files, each with its place")
    look.add_argument("--strict", action="store_true", help="fail on notices, too")
    test = acts.add_parser("test", help="play the bot's test stories (Rasa's format) and report what came of them")
    test.add_argument("--stories", type=Path, default=None, help="a file of stories, or a folder with tests/ in it")
    test.add_argument("--report", type=Path, default=None, help="write the report as JSON into this file, too")
    train = acts.add_parser("train", help="learn, and say how well sentences are understood that were held out")
    why = acts.add_parser("explain", help="say what the bot makes of a sentence, what it does, and who decided that")
    why.add_argument("sentence")
    why.add_argument("--language", default=None, help="what the conversation is held in, such as fr")
    why.add_argument("--after", action="append", default=[], help="what the customer said before; repeat for more")
    why.add_argument(
        "--bot", dest="path", type=Path, default=None, help="folder of the bot (default: the configured one)"
    )
    for act in (look, test, train):
        act.add_argument(
            "path", type=Path, nargs="?", default=None, help="folder of the bot (default: the configured one)"
        )
