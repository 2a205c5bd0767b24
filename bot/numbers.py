"""Finds a number in French or English, in digits or in words: 12, 1 200,50, twenty-five, quatre-vingt-dix-sept.

What Duckling's dimension `number` gives a Rasa bot. A French "un" or "une" is an article unless it is all that was said.
"""

import re

_UNITS = {
    word: value
    for value, words in {
        0: "zero", 1: "one un une", 2: "two deux", 3: "three trois", 4: "four quatre", 5: "five cinq", 6: "six",
        7: "seven sept", 8: "eight huit", 9: "nine neuf", 10: "ten dix", 11: "eleven onze", 12: "twelve douze",
        13: "thirteen treize", 14: "fourteen quatorze", 15: "fifteen quinze", 16: "sixteen seize", 17: "seventeen",
        18: "eighteen", 19: "nineteen", 20: "twenty vingt vingts", 30: "thirty trente", 40: "forty quarante",
        50: "fifty cinquante", 60: "sixty soixante", 70: "seventy septante", 80: "eighty octante huitante",
        90: "ninety nonante",
    }.items()
    for word in words.split()
}  # fmt: skip
_SCALES = {
    "hundred": 100,
    "cent": 100,
    "cents": 100,
    "thousand": 1000,
    "mille": 1000,
    "million": 10**6,
    "millions": 10**6,
}
_JOINTS = ("and", "et")
_ARTICLES = ("un", "une")
_MOST_DIGITS = 15  # before the decimals; the database keeps eighteen
_LONGEST = 12  # words; "cent cent cent ..." must not grow into a number of a thousand digits
_DIGITS = re.compile(r"(?<![\w.,:/-])[+-]?(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d{1,15})(?:[.,]\d{1,15})?(?![\w:/-])")
_WORD = re.compile(r"[a-z]+")

Number = tuple[int | float, int, int]


def find_number(folded: str) -> Number | None:
    """Return the first number of a text in small letters without accents, and where it stands; None if there is none."""
    digits, words = _in_digits(folded), _in_words(folded)
    if digits and (words is None or digits.start() < words[1]):
        written = re.sub(r"\s", "", digits[0]).replace(",", ".")
        return (float(written) if "." in written else int(written)), *digits.span()
    return words


def _in_digits(text: str) -> re.Match[str] | None:
    """Return the first number in digits; of more than any count has, as an account's, it is none."""
    return next((found for found in _DIGITS.finditer(text) if _counts(found[0]) <= _MOST_DIGITS), None)


def _counts(written: str) -> int:
    """Return how many digits stand before the decimals."""
    return sum(map(str.isdecimal, re.split("[.,]", written)[0]))


def _in_words(text: str) -> Number | None:
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        is_near = not run or text[run[-1].end() : word.start()].strip(" -") == ""
        is_number = word[0] in _UNITS or word[0] in _SCALES
        if len(run) < _LONGEST and is_near and (is_number or (run and word[0] in _JOINTS)):
            run.append(word)
        elif run:
            break
    while run and run[-1][0] in _JOINTS:
        run.pop()
    if not run or (len(run) == 1 and not _counts_alone(run[0], text)):
        return None
    return _value([word[0] for word in run if word[0] not in _JOINTS]), run[0].start(), run[-1].end()


def _counts_alone(word: re.Match[str], text: str) -> bool:
    return word[0] not in _ARTICLES or not re.search(r"\w", text[: word.start()] + text[word.end() :])


def _value(words: list[str]) -> int:
    total, part = 0, 0
    for word in words:
        if word in ("thousand", "mille", "million", "millions"):
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word in _SCALES:
            part = max(part, 1) * _SCALES[word] if part < 1000 else part  # "cent cent cent" is no number
        elif word in ("vingt", "vingts") and part % 100 == 4:  # quatre-vingts
            part += 76
        else:
            part += _UNITS[word]
    return total + part
