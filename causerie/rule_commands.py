"""`causerie check`, `explain` and `diff` for the rule book: what its owner does with it in a terminal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from difflib import unified_diff
from zoneinfo import ZoneInfo

from channels import house
from channels.sms_text import bodies
from profiles.calendar import utc_now
from profiles.findings import nearest
from profiles.store import Store
from rules.book import Book, Surroundings
from rules.book_folder import pictures_in, read_folder, unreadable_in
from rules.book_reading import read_book
from rules.bookcase import Bookcase, Version
from rules.counsel import Advice, counsel, weight
from rules.options import RulesOptions, folder_of
from rules.sentences import sentences
from rules.thrift import SMS

Say = Callable[[str], None]


def surroundings(options: RulesOptions) -> Surroundings:
    """Return what the book is read by: the channels that this server has, the cards' pictures, the zone of contacts without one."""
    pictures = pictures_in(folder_of(options))
    return Surroundings(channels=house.words(), zone=ZoneInfo(options.zone), pictures=pictures)


def check_rules(options: RulesOptions, say: Say) -> int:
    """Say every mistake of the book, then what is worth knowing before launch; return how many mistakes."""
    book = _book(options)
    for mistake in book.mistakes:
        say(str(mistake))
    for advice in advised(book, options, utc_now()):
        say(f"{weight(advice)}: {advice}")
    return len(book.mistakes)


def advised(book: Book, options: RulesOptions, now: datetime, rule: str = "") -> tuple[Advice, ...]:
    """Return what is worth saying about the book, or about one of its rules, before launch."""
    sms = {name for one in house.spaces().items() if one[1] == SMS for name in one}
    return counsel(book, now, options, bodies=bodies, words=sms, file=book.files.get(rule))


def explain_rule(options: RulesOptions, rule: str, language: str, say: Say) -> int:
    """Say a rule in sentences, then what is worth knowing before launch; 1 when there is no such rule, or it has mistakes."""
    book = _book(options)
    if rule not in book.rules:
        return unknown_rule(book, rule, say)
    for line in sentences(book.rules[rule], language, book.names.vocabulary.words):
        say(line)
    for advice in advised(book, options, utc_now(), rule):
        say(f"! {advice.told(language)}")
    return 0


async def show_difference(options: RulesOptions, store: Store, rule: str, version: str, say: Say) -> int:
    """Say how the rule's file differs from a version that was good before; without one, from the last that differs."""
    case = Bookcase(folder_of(options), store, surroundings(options), clock=utc_now)
    texts = read_folder(folder_of(options))
    book = read_book(texts, surroundings(options))
    file = book.files.get(rule)
    known = await case.versions(rule)
    if file is None and not known:
        return unknown_rule(book, rule, say)
    file = file or known[0].file
    now = texts.get(file, "")
    old = next((one for one in known if one.version.startswith(version) and (version or one.text != now)), None)
    if old is None:
        say(_no_version(rule, version, known))
        return 1 if version else 0
    name = f"{rule}@{old.version} ({old.at:%Y-%m-%d %H:%M} UTC, {old.by})"
    lines = [
        line.rstrip("\n") for line in unified_diff(old.text.splitlines(), now.splitlines(), name, file, lineterm="")
    ]
    for line in lines or [f"{rule}: {file} is as it was at {old.version}."]:
        say(line)
    return 0


def _book(options: RulesOptions) -> Book:
    folder = folder_of(options)
    book = read_book(read_folder(folder), surroundings(options))
    return replace(book, mistakes=(*unreadable_in(folder), *book.mistakes))


def unknown_rule(book: Book, rule: str, say: Say) -> int:
    """Say that the book has no such rule, with its mistakes or the nearest name; return the exit code 1."""
    broken = [mistake for mistake in book.mistakes if mistake.at.file.rsplit(".", 1)[0] == rule]
    for mistake in broken:
        say(str(mistake))
    if not broken:
        hint = nearest(rule, book.rules) or f"known: {', '.join(book.rules) or 'none'}"
        say(f'expected a rule of the book, got "{rule}". Hint: {hint}')
    return 1


def _no_version(rule: str, version: str, known: tuple[Version, ...]) -> str:
    if not version:
        return f"{rule}: no other version is remembered."
    names = ", ".join(dict.fromkeys(one.version for one in known)) or "none"
    return f'expected a version of {rule}, got "{version}". Hint: known: {names}'
