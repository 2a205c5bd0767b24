"""Things a text may contain that need no training: e-mail, phone, order number, amount, date.

Each finder returns the normalised value and where it stands, or None. Addresses here are only what the customer
typed: nothing is verified.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.dates import find_date
from bot.numbers import find_number
from profiles.swift import swift
from profiles.text import unaccented

Found = tuple[Any, int, int]


@swift
@dataclass(frozen=True, slots=True)
class Here:
    """What finding depends on beside the text: the day it is there, and the country of numbers without a prefix."""

    today: date
    country: str = "FR"


_DIGIT = re.compile(r"\d")  # most sentences hold none: asked first, that is quicker than the patterns themselves
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,24}(?![\w-])", re.I)
_PHONE = re.compile(r"(?<![\w+])\+?\(?\d[\d .()/-]{6,20}\d(?!\w)")
_ORDER = re.compile(r"(?<![\w-])#?(?:[a-z]{1,4}-?)?\d[\d-]{2,14}\d(?![\w-])", re.I)
_AMOUNT = re.compile(
    r"(?<![\w.,])(?:(€|\$|£)\s*)?(\d{1,7}(?:[.,]\d{1,2})?)\s*(€|euros?|eur|\$|dollars?|£|pounds?)?(?![\w])", re.I
)


def fold(text: str) -> str:
    """Return the text in small letters without accents; the length may change."""
    if text.isascii():
        return text.casefold()
    text = text.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    return unaccented(text)


def find_email(text: str, here: Here) -> Found | None:
    """Find an e-mail address, in small letters."""
    match = _EMAIL.search(text) if "@" in text else None
    return (match[0].casefold(), *match.span()) if match else None


def find_phone(text: str, here: Here) -> Found | None:
    """Find a phone number that exists as such, in E.164 (+33612345678)."""
    for match in _PHONE.finditer(text) if _DIGIT.search(text) else ():
        import phonenumbers  # 1 MB and 25 ms: for the first number that somebody writes

        try:
            number = phonenumbers.parse(match[0], here.country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), *match.span()
    return None


def find_order_number(text: str, here: Here) -> Found | None:
    """Find an order number: four digits or more, perhaps after a few letters; in capitals, without #."""
    match = _ORDER.search(text) if _DIGIT.search(text) else None
    return (match[0].removeprefix("#").upper(), *match.span()) if match else None


def find_amount(text: str, here: Here) -> Found | None:
    """Find an amount of money written with its currency, as a number."""
    for match in _AMOUNT.finditer(text):
        if match[1] or match[3]:
            return float(match[2].replace(",", ".")), *match.span()
    return None


def find_day(text: str, here: Here) -> Found | None:
    """Find a day, as 2026-11-24. Places are those in the folded text."""
    found = find_date(fold(text), here.today)
    return (found[0].isoformat(), found[1], found[2]) if found else None


def find_count(text: str, here: Here) -> Found | None:
    """Find a number, in digits or in words. Places are those in the folded text."""
    return find_number(fold(text))


FINDERS: Mapping[str, Callable[[str, Here], Found | None]] = {
    "email": find_email,
    "phone": find_phone,
    "order_number": find_order_number,
    "amount": find_amount,
    "date": find_day,
    "number": find_count,
}
