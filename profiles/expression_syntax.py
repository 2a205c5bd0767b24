"""From text to Python's own tree, bounded before any part is looked at: size, depth, the number of parts, the letters.

Nothing is compiled or run (RELIABILITY: attacks 49 and the evaluators that fell to them). Which parts the language has is for
profiles/expression_parser.py to say.
"""

import ast
import re
import warnings
from dataclasses import dataclass

LONGEST_SOURCE = 4_096  # bytes
MOST_NODES = 400  # over the whole expression, segments put in place included
DEEPEST = 24  # brackets, operators and calls inside each other

_WORD = re.compile(r"[^\W\d]+")
_QUOTED = re.compile(r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'""")
_UNQUOTED = re.compile(r"(?<![\w.])(?:(\d{4}-\d{2}-\d{2})|\d+(?:mo|[mhdwy]))(?![\w.-])", re.ASCII)
"""A date (2026-11-22 would be the number 1993) or a length without its quotes."""
_MEANT = {
    "=": "==", "=>": ">=", "=<": "<=", "<>": "!=", "&&": "and", "||": "or", "et": "and", "and": "and", "ou": "or", "or": "or",
    "non": "not", "not": "not", "est": "==", "like": 'contains(x, "y")', "contains": 'contains(x, "y")',
    "contient": 'contains(x, "y")', "between": "1 <= x <= 5", "entre": "1 <= x <= 5", "dans": "in",
    "«": "'...'", "»": "'...'", "“": "'...'", "”": "'...'", "„": "'...'", "‘": "'...'", "’": "'...'", "!": "not",
}  # fmt: skip
"""What people write who come from a spreadsheet, from SQL or from French -> how it is said here."""
_COUNTED = (ast.expr, ast.keyword, ast.comprehension, ast.arguments)


@dataclass(frozen=True, slots=True)
class Syntax:
    """The tree of a text. Its places count in `text`, which begins `lead` letters into what was given."""

    tree: ast.expr
    text: str
    lead: int
    depth: int
    """How many things stand inside each other, those around the text included."""
    nodes: int


@dataclass(frozen=True, slots=True)
class Unread:
    """Why there is no tree; `at` counts in the text as it was given."""

    at: int
    expected: str
    got: str
    nearest: str = ""
    """What was probably meant."""


def syntax_of(text: str, *, depth: int = 0, room: int = MOST_NODES) -> Syntax | Unread:
    """Return the tree of a text that stands `depth` things deep, of at most `room` parts; or why there is none."""
    if len(text.encode("utf-8", "replace")) > LONGEST_SOURCE:
        return Unread(0, f"at most {LONGEST_SOURCE} bytes", f"{len(text)} characters")
    flat = "".join(" " if letter in "\n\r\t" else letter for letter in text)
    if not flat.strip():
        return Unread(0, "an expression", "nothing")
    if odd := next((letter for letter in flat if not letter.isprintable()), None):
        return Unread(flat.index(odd), "printable text", f"U+{ord(odd):04X}")
    lead = len(flat) - len(flat.lstrip(" "))
    return _parsed(flat.strip(" "), lead, depth, room)


def _parsed(text: str, lead: int, depth: int, room: int) -> Syntax | Unread:
    if bare := _unquoted(text):
        what = "a date in quotes" if bare[1] else "a length in quotes such as 90d, 4h, 6mo"
        return Unread(lead + bare.start(), what, bare[0], f"'{bare[0]}'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of odd literals, which are refused later
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        at = min(max((error.offset or 1) - 1, 0), len(text))
        why = "the quote is not closed" if "unterminated" in error.msg else error.msg
        return Unread(lead + at, "an expression", f"{text[at : at + 20]!r}: {why}"[:120], _meant(text, at))
    except (ValueError, RecursionError, MemoryError):
        return Unread(lead, "an expression", "text that can not be read")
    depth, nodes = _measured(tree, depth, room)
    if depth > DEEPEST:
        return Unread(lead, f"at most {DEEPEST} things inside each other", "more")
    if nodes > room:
        return Unread(lead, f"at most {MOST_NODES} parts", "more")
    end = len(text.encode()[: tree.end_col_offset].decode())
    if rest := text[end:].lstrip(" )"):
        return Unread(lead + len(text) - len(rest), "the end", f"{rest[:20]!r}")
    odd = _odd_letter(text, tree)
    if odd is not None:
        return Unread(lead + odd, "plain letters outside quotes", f'"{text[odd]}"')
    return Syntax(tree, text, lead, depth, nodes)


def _unquoted(text: str) -> re.Match[str] | None:
    """Return the first date or length that stands outside quotes."""
    return _UNQUOTED.search(_QUOTED.sub(lambda quoted: "'" * len(quoted[0]), text))


def _meant(text: str, at: int) -> str:
    """Return what stands in this language for what is written here in another: `=`, `&&`, `et`, a word processor's quotes."""
    word = _WORD.match(text, at)
    if word:
        return _MEANT.get(word[0].lower(), "")
    return next(
        (
            _MEANT[sign]
            for sign in (text[at : at + 2], text[max(at - 1, 0) : at + 1], text[at : at + 1])
            if sign in _MEANT
        ),
        "",
    )


def _measured(tree: ast.expr, depth: int, room: int) -> tuple[int, int]:
    """Return how deep and how large the tree is, counted only until it is too much."""
    nodes = 0
    level: list[ast.AST] = [tree]
    while level and depth <= DEEPEST and nodes <= room:
        depth += 1
        nodes += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, _COUNTED)]
    return depth, nodes


def _odd_letter(text: str, tree: ast.expr) -> int | None:
    """Return where a letter beyond ASCII stands outside quotes: Python would take a wide or an italic one for its plain twin."""
    rest = bytearray(text.encode())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.end_col_offset:
            rest[node.col_offset : node.end_col_offset] = b" " * (node.end_col_offset - node.col_offset)
    odd = next((at for at, byte in enumerate(rest) if byte > 127), None)
    return None if odd is None else len(text.encode()[:odd].decode())
