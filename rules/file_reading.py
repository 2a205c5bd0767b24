"""What reading one file knows and gathers: the names that exist, the facts an expression may ask about, the mistakes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from profiles.expression import Expression, Mistake, Vocabulary, parse, parse_value
from profiles.findings import Findings, nearest
from profiles.strict_yaml import Scalar
from profiles.written import Nothing, Place, Table, place_of

MOST_STEPS = 200

Told = Callable[[str], str]
"""What is expected, in the language it is asked for."""
_IN_FRENCH = {"nothing": "rien", "a list": "une liste"}


class Wrong:
    """What reading gives for a value with a mistake in it; the mistake is noted."""


WRONG = Wrong()


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a rule may use. None: whatever is spelt like one (nobody knows them yet)."""

    vocabulary: Vocabulary = Vocabulary()
    """Attributes, events, segments, words; which event, run and steps there are, the place in the rule says."""
    channels: frozenset[str] | None = None
    topics: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    templates: frozenset[str] | None = None
    cards: Mapping[str, frozenset[str]] | None = None
    """The wallet cards, each with the fields that a rule may set."""
    pictures: frozenset[str] | None = None
    """The files of passes/images."""


@dataclass(slots=True)
class Gathered:
    """What was met while one rule was read."""

    places: dict[str, Place] = field(default_factory=dict)
    """Step id -> where it stands."""
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The reading of one file at one place in it."""

    names: Names
    findings: Findings
    gathered: Gathered = field(default_factory=Gathered)
    event: str | None = None
    """The event that `event.` reads here; "" for any, None for none."""
    start: str | None = None
    """The event that began the run; None where none did."""
    sends: frozenset[str] | None = None
    """Ids of the rule's send steps; None where there is no run."""
    has_conversation: bool = True
    """Whether a conversation stands behind what is asked; none does where the database looks for a whole audience."""
    step: Any = None
    """The shape of one step: steps lie within steps."""
    path: str = ""
    """Which step: its own id, or its place such as `2.otherwise.0`."""

    def wrong(self, at: Any, key: str, expected: str | Told, hint: str = "") -> Wrong:
        """Note that something else was expected; `at` is the value, or its place. Return WRONG."""
        place = at if isinstance(at, Place) else place_of(at)
        got = None if isinstance(at, Place) else _shown(at)
        what, french = (expected, "") if isinstance(expected, str) else (expected("en"), expected("fr"))
        if french:
            shown = _IN_FRENCH.get(got or "", got or "").replace("keys (", "les clés (")
            french = f"{key} : attendu {french}" + (f", trouvé {shown}." if got else ".")
        self.findings.error(place, f"{key}: expected {what}" + (f", got {got}." if got else "."), hint, french=french)
        return WRONG

    def unknown(self, at: Any, key: str, what: str | Told, known: frozenset[str]) -> Wrong:
        """Note a name that stands for nothing. Return WRONG."""
        hint = nearest(str(at), known) or (f"known: {', '.join(sorted(known))}" if 0 < len(known) <= 12 else "")
        return self.wrong(at, key, what, hint)

    def condition(self, text: Any, key: str) -> Expression | Wrong:
        """Return a condition; its mistakes are noted where in the file they stand."""
        return self._expression(text, key, parse(str(text), self.vocabulary))

    def value(self, text: Any, key: str) -> Expression | Wrong:
        """Return an expression of any kind; its mistakes are noted where in the file they stand."""
        return self._expression(text, key, parse_value(str(text), self.vocabulary))

    @property
    def vocabulary(self) -> Vocabulary:
        """Return what an expression may name at this place."""
        return replace(
            self.names.vocabulary,
            event=self.event,
            start=self.start,
            has_conversation=self.has_conversation,
            steps=self.sends,
            channels=self.names.channels,
            topics=self.names.topics,
            rules=self.names.rules,
        )

    def _expression(self, text: Any, key: str, parsed: Expression | tuple[Mistake, ...]) -> Expression | Wrong:
        if isinstance(parsed, Expression):
            return parsed
        for mistake in parsed:
            problem = f"{key}: expected {mistake.expected}, got {mistake.got}."
            self.findings.error(_place_of(text, mistake), problem, _hint(text, mistake))
        return WRONG


def named(table: Table, key: str) -> str:
    """Return a text of a table before the table is read, or an empty one."""
    value = table.get(key)
    return str(value) if isinstance(value, str) else ""


def _shown(value: Any) -> str:
    if value is None or isinstance(value, Nothing):
        return "nothing"
    if isinstance(value, Mapping):
        return f"keys ({', '.join(map(str, value)) or 'none'})"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text if len(text) <= 60 else text[:57] + "..."}"'


def _place_of(text: Any, mistake: Mistake) -> Place:
    if isinstance(text, Scalar) and text.first and mistake.line == 1:
        return text.first._replace(column=text.first.column + mistake.column - 1)
    return place_of(text)


def _hint(text: Any, mistake: Mistake) -> str:
    if mistake.nearest:
        return f'did you mean "{mistake.nearest}"?'
    if isinstance(text, Scalar) and text.in_flow and text.count("(") != text.count(")"):
        return "between [ ] and { } a comma ends the text: put it in '...' or on a line of its own"
    return ""
