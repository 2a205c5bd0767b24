"""What of a person's text may be remembered: all of it that is Unicode, up to a bound. Directions of writing stay."""

import re
from unicodedata import combining, normalize

LONGEST_TEXT = 16_000  # characters: four of the longest messages Telegram lets a person write
CUT = "…"
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # MongoDB refuses lone surrogates, and NUL ends texts in C


def clean(text: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return the text with NUL and lone surrogates as U+FFFD, at most `longest` characters, a cut marked by "…"."""
    if len(text) > longest:
        text = text[: longest - len(CUT)] + CUT
    if text.isascii() and "\0" not in text:  # nearly every text of a provider's
        return text
    return _NOT_TEXT.sub("\ufffd", text)


def unaccented(text: str) -> str:
    """Return the text with its letters as they are without marks: é as e, ﬁ as fi. The length may change."""
    if text.isascii():
        return text
    apart = normalize("NFKD", text)
    for mark in filter(combining, set(apart)):  # a long text has few different letters
        apart = apart.replace(mark, "")
    return apart
