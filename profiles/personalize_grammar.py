"""What a marketer's template may say: an allow-list over Jinja's own syntax tree, asked before anything is compiled.

Jinja's sandbox alone is not enough: calls, assignments, imports and blocks are not in this language at all, names and attributes
are plain words, loops are two deep and bounded, arithmetic is done on numbers only (profiles/personalize.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

LARGEST_SOURCE = 50_000  # characters
DEEPEST_LOOP = 2
MOST_NODES = 4_000

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Filter,
    nodes.Test, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg,
    nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.Concat, nodes.List, nodes.Tuple,
)  # fmt: skip
TESTS = frozenset({"defined", "undefined", "none", "number", "string", "odd", "even", "divisibleby", "in", "eq", "ne"})


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing in a template that is not in the language."""

    line: int
    expected: str
    got: str

    def __str__(self) -> str:
        return f"line {self.line}: expected {self.expected}, got {self.got}"


def flaws(tree: nodes.Template, filters: frozenset[str]) -> Iterator[Flaw]:
    """Yield what is not allowed, in reading order."""
    for count, (node, loops) in enumerate(_walk(tree, 0)):
        if count >= MOST_NODES:
            yield Flaw(node.lineno, f"at most {MOST_NODES} parts", "more")
            return
        yield from _flaw(node, loops, filters)


def _flaw(node: nodes.Node, loops: int, filters: frozenset[str]) -> Iterator[Flaw]:
    match node:
        case nodes.Call():
            yield Flaw(node.lineno, "fields and filters such as {{ contact.first_name | title }}", "a call with ( )")
        case _ if not isinstance(node, ALLOWED):
            yield Flaw(node.lineno, "text, {{ fields }}, {% if %} and {% for %}", f"{type(node).__name__.lower()}")
        case nodes.Name(name=name) if name.startswith("_") or name in ("self", "super", "missing_", "steps_"):
            yield Flaw(node.lineno, "a field such as contact.first_name", name)
        case nodes.Getattr(attr=name) if name.startswith("_"):
            yield Flaw(node.lineno, "a field that begins with a letter", name)
        case nodes.Getitem(arg=arg) if not _is_plain_key(arg):
            yield Flaw(node.lineno, 'a field such as event["total"], or a number', "something worked out")
        case nodes.Filter(name=name) if name not in filters:
            yield Flaw(node.lineno, f"one of the filters {', '.join(sorted(filters))}", name)
        case nodes.Filter() if node.dyn_args or node.dyn_kwargs or node.kwargs or node.node is None:
            yield Flaw(node.lineno, "a filter after a field, its values in order", "another form")
        case nodes.Test(name=name) if name not in TESTS:
            yield Flaw(node.lineno, f"one of the tests {', '.join(sorted(TESTS))}", name)
        case nodes.For() if node.recursive or node.test is not None or loops > DEEPEST_LOOP:
            yield Flaw(node.lineno, f"a plain loop, at most {DEEPEST_LOOP} inside each other", "another")
        case nodes.Const(value=str(text)) if len(text) > 1_000:
            yield Flaw(node.lineno, "texts of at most 1000 characters between quotes", f"{len(text)} characters")


def _is_plain_key(arg: nodes.Node) -> bool:
    return isinstance(arg, nodes.Const) and (
        (isinstance(arg.value, str) and not arg.value.startswith("_")) or type(arg.value) is int
    )


def _walk(node: nodes.Node, loops: int) -> Iterator[tuple[nodes.Node, int]]:
    loops += isinstance(node, nodes.For)
    yield node, loops
    for child in node.iter_child_nodes():
        yield from _walk(child, loops)
