"""Conditions of flows: `slots.age >= 18 and not (slots.city = "Paris")`. Parsed once, never run as code, without effects.

The language is that of Rasa's flows ("Conditions in Flows", rasa.com/docs) and of the library behind them, pypred: there
`and` and `or` bind alike and from the right, so `a and b or c` is `a and (b or c)`; `mixes` tells who should write
parentheses. Differences, on purpose: capitals of words do not matter, `not contains` is known, a number written in a text
slot compares as a number with < and >, and what cannot be compared is false instead of an error.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.patterns import compiled

LONGEST_CONDITION = 1_000
_DEEPEST = 40

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<hole>"\{\{\s*[\w.]+\s*\}\}"|'\{\{\s*[\w.]+\s*\}\}'|\{\{\s*[\w.]+\s*\}\})
      | (?P<text>"[^"]*"|'[^']*')(?P<flags>[simuSIMU]*\b)?
      | (?P<regex>/(?:[^/\\]|\\.)*/[simuSIMU]*)
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<sign>==|!=|<=|>=|[=<>(){},])
      | (?P<word>[\w.:;-]+)
    )""",
    re.VERBOSE,
)
_FLAGS = {"s": re.DOTALL, "i": re.IGNORECASE, "m": re.MULTILINE, "u": re.UNICODE}
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")

Values = Mapping[str, Any]
_Test = Callable[[Values, Values], Any]


class ConditionError(ValueError):
    """The text is no condition; it says what was expected."""


class _Empty:
    """What `empty` and `undefined` stand for: equal to everything of length zero."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Empty) or (hasattr(other, "__len__") and len(other) == 0)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return False


_CONSTANTS: Mapping[str, Any] = {
    "true": True, "false": False, "null": None, "none": None, "undefined": _Empty(), "empty": _Empty(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `names` are the slots (`slots.age` or `age`) and facts (`context.reason`) it looks at, as written."""

    text: str
    names: tuple[str, ...]
    test: _Test = field(compare=False, repr=False)
    mixes: bool = False
    """`or` follows `and` without parentheses: most readers group it the other way."""

    def holds(self, slots: Values, context: Values) -> bool:
        """Return whether it is so."""
        return bool(self.test(slots, context))


def parse_condition(text: str) -> Condition:
    """Return the condition that the text says. Raises ConditionError."""
    if len(text) > LONGEST_CONDITION:
        raise ConditionError(f"expected a condition of at most {LONGEST_CONDITION} characters")
    reader = _Reader(list(_tokens(text)))
    test = reader.either(0)
    if reader.kind:
        raise ConditionError(f'expected and, or or the end, got "{reader.word}"')
    return Condition(text, tuple(dict.fromkeys(reader.names)), test, reader.mixes)


def always(value: bool) -> Condition:
    """Return the condition that is always so, or never."""
    return Condition(str(value).lower(), (), lambda slots, context: value)


class _Token(NamedTuple):
    kind: str
    word: str
    flags: str = ""


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConditionError(f'unreadable from "{text[position:].strip()[:20]}"')
        kind = next(name for name in ("hole", "text", "regex", "number", "sign", "word") if match[name] is not None)
        yield _Token(kind, match[kind], match["flags"] or "" if kind == "text" else "")
        position = match.end()


class _Reader:
    """Reads tokens from left to right; each method reads one form and returns its test."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at = tokens, 0
        self.names: list[str] = []
        self.mixes = False

    @property
    def kind(self) -> str:
        """The kind of the next token; empty at the end."""
        return self._tokens[self._at].kind if self._at < len(self._tokens) else ""

    @property
    def word(self) -> str:
        """The next token as written."""
        return self._tokens[self._at].word if self.kind else "the end"

    def either(self, depth: int) -> _Test:
        """Read `x`, `x and ...` or `x or ...`."""
        if depth > _DEEPEST:
            raise ConditionError("expected fewer parentheses within each other")
        tests, signs = [self._negation(depth)], []
        while self._is("and") or self._is("or"):
            signs.append(self._take().word.lower())
            tests.append(self._negation(depth))
        self.mixes |= "and" in signs and "or" in signs[signs.index("and") :]
        test = tests.pop()
        for sign, left in zip(reversed(signs), reversed(tests), strict=True):
            test = _both(left, test) if sign == "and" else _one_of(left, test)
        return test

    def _negation(self, depth: int) -> _Test:
        times = 0
        while self._is("not"):
            self._take()
            times += 1
        test = self._comparison(depth)
        return test if times % 2 == 0 else _not(test)

    def _comparison(self, depth: int) -> _Test:
        left = self._value(depth)
        negated = False
        if self._is("is"):
            self._take()
            negated = self._skip("not")
            test = _compare(left, "=", self._value(depth))
            return _not(test) if negated else test
        if self._is("not"):  # `x not contains y`
            self._take()
            negated = True
        if self._is("contains"):
            self._take()
            test = _contains(left, self._value(depth))
        elif self._is("matches"):
            self._take()
            test = _matches(left, self._pattern())
        elif negated:
            raise ConditionError(f'expected contains or matches after not, got "{self.word}"')
        elif self.kind == "sign" and self.word in ("=", "==", "!=", "<", "<=", ">", ">="):
            test = _compare(left, self._take().word, self._value(depth))
        else:
            return left
        return _not(test) if negated else test

    def _value(self, depth: int) -> _Test:
        if self.kind == "sign" and self.word in "({":
            return self._group(depth) if self._take().word == "(" else self._set(depth)
        if self.kind in ("", "sign", "regex"):
            raise ConditionError(f'expected a slot or a value, got "{self.word}"')
        token = self._take()
        if token.kind == "text":
            return _constant(token.word[1:-1])
        if token.kind == "number":
            return _constant(float(token.word))
        name = token.word.strip("\"'{} ")
        if token.kind == "word" and name.lower() in _CONSTANTS:
            return _constant(_CONSTANTS[name.lower()])
        if token.kind == "word" and name.lower() in ("and", "or", "is", "contains", "matches"):
            raise ConditionError(f'expected a slot or a value, got "{name}"')
        self.names.append(name)
        return _named(name)

    def _group(self, depth: int) -> _Test:
        test = self.either(depth + 1)
        self._expect(")")
        return test

    def _set(self, depth: int) -> _Test:
        members = []
        while self.kind and self.word != "}":
            members.append(self._value(depth))
            if self.kind == "sign" and self.word == ",":
                self._take()
        self._expect("}")
        return lambda slots, context: [member(slots, context) for member in members]

    def _pattern(self) -> re.Pattern[str]:
        if self.kind not in ("text", "regex", "word"):
            raise ConditionError(f'expected a regular expression in quotes after matches, got "{self.word}"')
        token = self._take()
        written, flags = token.word, token.flags
        if token.kind == "regex":
            written, flags = written[1:].rsplit("/", 1)
        elif token.kind == "text":
            written = written[1:-1]
        try:
            return compiled(written, sum({_FLAGS[flag] for flag in flags.lower()}))
        except ValueError as error:
            raise ConditionError(f"expected a regular expression, got {written!r}: {error}") from None

    def _is(self, word: str) -> bool:
        return self.kind == "word" and self.word.lower() == word

    def _skip(self, word: str) -> bool:
        found = self._is(word)
        self._at += found
        return found

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        if self.kind != "sign" or self.word != sign:
            raise ConditionError(f'expected "{sign}", got "{self.word}"')
        self._take()


def _constant(value: Any) -> _Test:
    return lambda slots, context: value


def _named(name: str) -> _Test:
    space, _, rest = name.partition(".")
    if space == "context" and rest:
        return lambda slots, context: context.get(rest)
    plain = rest if space == "slots" and rest else name
    return lambda slots, context: slots.get(plain)


def _not(test: _Test) -> _Test:
    return lambda slots, context: not test(slots, context)


def _both(left: _Test, right: _Test) -> _Test:
    return lambda slots, context: bool(left(slots, context)) and bool(right(slots, context))


def _one_of(left: _Test, right: _Test) -> _Test:
    return lambda slots, context: bool(left(slots, context)) or bool(right(slots, context))


def _compare(left: _Test, sign: str, right: _Test) -> _Test:
    return lambda slots, context: _stands(left(slots, context), sign, right(slots, context))


def _stands(one: Any, sign: str, other: Any) -> bool:
    if sign in ("=", "=="):
        return bool(one == other)
    if sign == "!=":
        return bool(one != other)
    if not (isinstance(one, str) and isinstance(other, str)):
        one, other = _number(one), _number(other)
        if one is None or other is None:
            return False
    return bool({"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign])


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip().replace(",", "."))
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _contains(left: _Test, right: _Test) -> _Test:
    def test(slots: Values, context: Values) -> bool:
        whole, part = left(slots, context), right(slots, context)
        if isinstance(whole, str):
            return isinstance(part, str) and part in whole
        return isinstance(whole, list | tuple | dict) and part in list(whole)

    return test


def _matches(left: _Test, pattern: re.Pattern[str]) -> _Test:
    def test(slots: Values, context: Values) -> bool:
        value = left(slots, context)
        return isinstance(value, str) and pattern.search(value) is not None

    return test
