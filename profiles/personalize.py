"""Texts with fields in them, for one contact: Jinja2 in a narrow profile that marketers write and nothing can escape from.

Compiled once, rendered many times. What a contact lacks is noted by name, so that a preview can show it and a sending refuse it.
A template sees plain dictionaries, lists, texts, numbers and instants, never an object of ours. Rendering is bounded by what the
language can say (two loops over 100 items, no calls, no assignments), by how much its loops do, and by the size of what comes out,
so it needs no process of its own: the worst of the attack corpus takes under a second (tests/profiles/test_personalize_attacks.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from typing import Any

from jinja2 import ChainableUndefined, Template, TemplateError, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from profiles.personalize_filters import FILTERS, each, is_number
from profiles.personalize_grammar import LARGEST_SOURCE, TESTS, Flaw, flaws

LARGEST_OUTPUT = 200_000  # characters
MOST_PIECES = 60_000
MOST_STEPS = 1_000_000
"""What all loops of one text may do: a step for each node, `_FILTER_STEPS` for a filter, by the items of the loop around it."""
_FILTER_STEPS = 100  # an amount or a date takes some 50 us, a field less than one
LARGEST_NUMBER = 1e15
PRINTED = (str, int, float, bool, list, tuple, date)
LOOP = frozenset({"index", "first", "last", "length"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text for one contact, and the fields in it that the contact lacks."""

    text: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Why no text came of it."""

    problem: str


@dataclass(frozen=True, slots=True)
class Text:
    """One compiled text."""

    source: str
    _template: Template

    def render(self, fields: Mapping[str, Any], *, language: str, zone: tzinfo = UTC) -> Rendered | Unrendered:
        """Return the text for these fields: plain dictionaries, lists, texts, numbers, flags and instants."""
        missing: dict[str, None] = {}
        named = {name: _Fields(it, name) if isinstance(it, Mapping) else it for name, it in fields.items()}
        context = {**named, "language": language, "zone": zone, "missing_": missing, "steps_": [0]}
        pieces: list[str] = []
        size = 0
        try:
            for piece in self._template.generate(context):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST_OUTPUT or len(pieces) > MOST_PIECES:
                    return Unrendered(f"expected at most {LARGEST_OUTPUT} characters, got more")
        except (TemplateError, SecurityError, ArithmeticError, TypeError, ValueError, LookupError) as error:
            return Unrendered(f"{type(error).__name__}: {str(error)[:200]}")
        return Rendered("".join(pieces), tuple(missing))


def compile_text(source: str, *, html: bool = False) -> Text | tuple[Flaw, ...]:
    """Return the text ready to be rendered, or everything in it that is not in the language.

    `html` escapes what fields say; the author's own markup stays.
    """
    if len(source) > LARGEST_SOURCE:
        return (Flaw(1, f"at most {LARGEST_SOURCE} characters", str(len(source))),)
    try:
        return _compiled(source, _HTML if html else _PLAIN)
    except TemplateSyntaxError as error:
        return (Flaw(error.lineno or 1, "a well-formed template", error.message or "a mistake"),)
    except (RecursionError, MemoryError, ValueError, OverflowError):
        return (
            Flaw(1, "a template of ordinary depth and numbers", "too much inside each other, or too large a number"),
        )


def names_in(text: Text) -> tuple[str, ...]:
    """Return what a text names and no loop of its own makes: `contact.first_name`, `prenom` (of a longer path two parts)."""
    tree = _PLAIN.parse(text.source)
    made = {"loop", *(name.name for loop in tree.find_all(nodes.For) for name in loop.target.find_all(nodes.Name))}
    made |= {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}
    below = {id(next(node.iter_child_nodes())): node for node in tree.find_all((nodes.Getattr, nodes.Getitem))}
    return tuple(dict.fromkeys(_named(name, below) for name in tree.find_all(nodes.Name) if name.name not in made))


def _named(name: nodes.Name, below: Mapping[int, nodes.Node]) -> str:
    match below.get(id(name)):
        case nodes.Getattr(attr=attribute):
            return f"{name.name}.{attribute}"
        case nodes.Getitem(arg=nodes.Const(value=str(attribute))):
            return f"{name.name}.{attribute}"
    return name.name


def _compiled(source: str, environment: Environment) -> Text | tuple[Flaw, ...]:
    tree = environment.parse(source)
    if found := tuple(flaws(tree, frozenset(FILTERS))):
        return found
    for loop in tree.find_all(nodes.For):
        steps = nodes.Const(sum(_steps(node) for node in (*loop.body, *loop.else_)))
        loop.iter = nodes.Filter(loop.iter, "each_", [steps], [], None, None, lineno=loop.lineno)
    code = environment.compile(tree)
    return Text(source, Template.from_code(environment, code, environment.make_globals(None)))


def _steps(node: nodes.Node) -> int:
    return (_FILTER_STEPS if isinstance(node, nodes.Filter) else 1) + sum(map(_steps, node.iter_child_nodes()))


@pass_context
def _each(context: Context, value: Any, steps: int) -> list[Any]:
    """Return what a loop goes over, whose one turn takes so many steps."""
    items, taken = each(value), context["steps_"]
    taken[0] += len(items) * steps
    if taken[0] > MOST_STEPS:
        raise SecurityError("expected loops that do less")
    return items


class _Fields(dict[str, Any]):
    """A dictionary that knows what it is called, so that a missing field can be named whole: contact.address.city."""

    def __init__(self, fields: Mapping[str, Any], path: str) -> None:
        super().__init__(fields)
        self.path = path


@pass_context
def _noted(context: Context, value: Any) -> Any:
    """Note a field that is printed and missing."""
    if isinstance(value, Undefined):
        context["missing_"][str(value._undefined_name)] = None
        return ""
    return value if isinstance(value, PRINTED) else ""


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/"})
    intercepted_unops = frozenset({"-", "+"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look into dictionaries and lists alone; of a loop, its few numbers."""
        if isinstance(obj, _Fields) and isinstance(argument, str) and argument in obj:
            found = obj[argument]
            return _Fields(found, f"{obj.path}.{argument}") if isinstance(found, Mapping) else found
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list | tuple) and type(argument) is int and -len(obj) <= argument < len(obj):
            return obj[argument]
        if isinstance(obj, LoopContext) and argument in LOOP:
            return getattr(obj, argument)
        return self.undefined(name=_path(obj, argument))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Count with numbers, within bounds: a text times a million is no number."""
        if not (is_number(left) and is_number(right)):
            raise SecurityError("expected numbers on both sides")
        result = super().call_binop(context, operator, left, right)
        if abs(result) > LARGEST_NUMBER:
            raise SecurityError("expected a smaller number")
        return result

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        if not is_number(arg):
            raise SecurityError("expected a number")
        return super().call_unop(context, operator, arg)


def _path(obj: Any, argument: Any) -> str:
    known = obj._undefined_name if isinstance(obj, Undefined) else getattr(obj, "path", "")
    return f"{known}.{argument}" if known else str(argument)


def _environment(*, html: bool) -> Environment:
    environment = _Environment(autoescape=html, undefined=ChainableUndefined, finalize=_noted)
    environment.globals.clear()
    environment.filters = {**FILTERS, "each_": _each}
    environment.tests = {name: test for name, test in environment.tests.items() if name in TESTS}
    return environment


_PLAIN, _HTML = _environment(html=False), _environment(html=True)
