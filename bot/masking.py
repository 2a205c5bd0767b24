"""Takes e-mail addresses, phone and card numbers out of a text before it leaves the server.

Better too much than too little: what looks like a number of 9 digits or more is masked, order numbers of that length too.
"""

import re
from collections.abc import Iterable

_AT_HOST = re.compile(r"\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.I)
"""An e-mail address from its @ on: what stands before is sought backwards, for a search would begin anew at each letter."""
_LOCAL = "_.+-"
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){3,8}\b")
_DIGITS = re.compile(r"(?<!\w)[+(]?\d(?:[ .()/\u00a0-]{0,2}\d){8,24}(?!\w)")
_SHORTEST_NAME = 3  # shorter ones are words too
_CARD_DIGITS = range(13, 20)


def masked(text: str, names: Iterable[str] = ()) -> str:
    """Return the text with [email], [account], [card] and [number] in place of what they stand for, [name] for these names."""
    text = _IBAN.sub("[account]", _without_addresses(text))
    text = _DIGITS.sub(_mask, text)
    known = sorted({re.escape(name) for name in names if len(name) >= _SHORTEST_NAME}, key=len, reverse=True)
    if not known:
        return text
    # last: an address that holds the name must be gone whole
    return re.sub(rf"(?<![\w\[])(?:{'|'.join(known)})(?![\w\]])", "[name]", text, flags=re.I)


def _without_addresses(text: str) -> str:
    kept, done = [], 0
    for found in _AT_HOST.finditer(text):
        begin = found.start()
        while begin > done and (text[begin - 1].isalnum() or text[begin - 1] in _LOCAL):
            begin -= 1
        if begin < found.start():
            kept += [text[done:begin], "[email]"]
            done = found.end()
    return "".join([*kept, text[done:]])


def _mask(match: re.Match[str]) -> str:
    digits = [int(char) for char in match[0] if char.isdigit()]
    return "[card]" if len(digits) in _CARD_DIGITS and _is_card(digits) else "[number]"


def _is_card(digits: list[int]) -> bool:
    """Whether the digits pass Luhn's check (ISO/IEC 7812)."""
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
