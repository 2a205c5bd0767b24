"""The command line: `causerie serve`, `import`, `export`, `key`, `keys` ...; for rules `explain`, `preview`, `simulate`, `diff`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from causerie.arguments import parser
from causerie.config import ConfigErrors
from causerie.garbage import undisturbed
from causerie.mongod_program import CannotStart
from causerie.progress import on_terminal, silent

if TYPE_CHECKING:  # each command loads what it needs: a start begins the database before it loads the rest
    from causerie.configured import Configured
    from causerie.export_commands import Taking
    from causerie.import_commands import Wanted
    from causerie.options import Options
    from causerie.rehearsal_wish import Wish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code: 0 done, 1 could not, 2 wrong usage."""
    parsed = parser().parse_args(arguments)
    with undisturbed():
        from causerie.configured import read_config
        from causerie.logs import configure
    try:
        config = read_config(parsed.config, os.environ)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    configure(config.options.server.log_level, config.secrets)
    import uvloop

    try:
        return int(uvloop.run(_run(parsed, config, sys.argv[1:] if arguments is None else arguments)) or 0)
    except (CannotStart, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


async def _run(parsed: argparse.Namespace, config: "Configured", arguments: Sequence[str]) -> int:
    if parsed.command == "serve":
        await _serve(parsed, config, arguments)
        return 0
    from causerie import commands

    match parsed.command:
        case "preview":
            return await commands.preview_rule(_rehearsed(parsed, config), _wish(parsed), print, with_cast=parsed.cast)
        case "simulate":
            progress = silent if parsed.json else on_terminal()
            return await commands.simulate_rules(_rehearsed(parsed, config), _wish(parsed), print, progress)
        case "check":
            return commands.check(config, print)
        case "chat":
            return await commands.chat(config, sys.stdin, print, timed=parsed.time)
        case "bot":
            return await _run_bot(parsed, parsed.path or commands.bot_folder(config))
        case "explain":
            from causerie.rule_commands import explain_rule

            return explain_rule(config.options.rules, parsed.rule, parsed.language, print)
        case "doctor":
            return await _doctor(parsed, config)
        case "erase":
            ask = input if sys.stdin.isatty() and not parsed.yes else None
            return await commands.erase(config, parsed.whom or "", parsed.log, parsed.replay, print, ask)
        case "import":
            return await commands.take_over(config, _wanted(parsed), print, on_terminal())
        case "export":
            return await commands.take_away(config, _taking(parsed), print, on_terminal())
        case "seals":
            return await commands.seals(config, parsed.head, print)
        case "keys":
            return await commands.keys(config, parsed.revoke, print)
        case "diff":
            return await commands.diff_rule(config, parsed.rule, parsed.version, print)
        case _:
            return await commands.key_create(config, parsed.name, parsed.scope, print, days=parsed.days)


async def _serve(parsed: argparse.Namespace, config: "Configured", arguments: Sequence[str]) -> None:
    from causerie.configured import with_demo
    from causerie.serve import serve, serve_at, serve_many

    options = with_demo(config) if parsed.demo else config.options
    if parsed.worker:
        return await serve_at(parsed.worker, options, config.store, print)
    furnish = partial(_furnish, options, config) if parsed.demo else None
    if parsed.workers > 1:
        return await serve_many(parsed.workers, arguments, options, config.store, on_terminal(), furnish)
    return await serve(options, config.store, on_terminal(), print, furnish)


async def _furnish(options: "Options", config: "Configured", database_url: str) -> None:
    from causerie.commands import furnish_demo

    await furnish_demo(options, config.store, database_url)


async def _run_bot(parsed: argparse.Namespace, folder: Path) -> int:
    from causerie.bot_commands import bot_check, bot_explain, bot_test, bot_train

    match parsed.act:
        case "check":
            return await bot_check(folder, print, strict=parsed.strict)
        case "test":
            return bot_test(folder, parsed.stories, parsed.report, print)
        case "train":
            return bot_train(folder, print, on_terminal())
        case _:
            return bot_explain(folder, parsed.sentence, parsed.language, parsed.after, print)


async def _doctor(parsed: argparse.Namespace, config: "Configured") -> int:
    from causerie.doctor_commands import doctor_email

    options, url = config.options.channels["email"], config.options.server.public_url
    language = parsed.language
    return await doctor_email(options, parsed.domain, parsed.selector, public_url=url, language=language, say=print)


def _rehearsed(parsed: argparse.Namespace, config: "Configured") -> "Configured":
    from causerie.configured import with_demo

    return replace(config, options=with_demo(config)) if parsed.demo else config


def _wish(parsed: argparse.Namespace) -> "Wish":
    from causerie.rehearsal_wish import Wish

    known = vars(parsed)
    return Wish(
        rule=parsed.rule or "",
        contact=parsed.contact or "",
        days=known.get("days", 30),
        ahead=known.get("ahead", 0),
        language=parsed.language,
        as_json=parsed.json,
        everything=known.get("all", False),
    )


def _wanted(parsed: argparse.Namespace) -> "Wanted":
    from causerie.import_commands import Wanted

    return Wanted(
        file=parsed.file,
        proved=parsed.proved,
        named=dict(parsed.column),
        source=parsed.source,
        days=parsed.days,
        encoding=parsed.encoding,
        tries=parsed.dry_run,
        everything=parsed.all,
    )


def _taking(parsed: argparse.Namespace) -> "Taking":
    from causerie.export_commands import Taking

    return Taking(kind=parsed.kind, file=parsed.file, since=parsed.since, until=parsed.until)


if __name__ == "__main__":
    sys.exit(main())
