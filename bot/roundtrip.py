"""Changes one thing in a YAML file and leaves the rest as people wrote it: comments, order, quotes, spacing.

ruamel's round trip keeps comments and order, but not every space (`{a: b}` inside a list, `null`). So what is taken from it
is only which lines the change touched: those are put into the file as it was, and the result is read again to prove that it
says the same.
"""

from collections.abc import Callable
from difflib import SequenceMatcher
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString
from ruamel.yaml.util import load_yaml_guess_indent

_WIDEST = 100_000  # lines are never folded: a folded line is a changed line


def rewritten(text: str, change: Callable[[CommentedMap], None]) -> str:
    """Return the file with the change made in it. `change` works on the loaded file in place; an empty file is a mapping.

    Raises YAMLError or ValueError for a file that is none, and what `change` raises.
    """
    yaml = _reader(text)
    loaded = yaml.load(text)
    if loaded is not None and not isinstance(loaded, CommentedMap):
        raise ValueError("expected keys at the top of the file, got a list or a text.")
    table = CommentedMap() if loaded is None else loaded
    before = "" if loaded is None else _dumped(yaml, table)
    change(table)
    after = _dumped(yaml, table)
    patched = _patched(text, before, after)
    return patched if patched is not None and _says(patched) == _says(after) else after


def literal(lines: list[str], like: Any = None) -> LiteralScalarString:
    """Return a block of text (`|`) of these lines; the comment that followed `like` follows it too."""
    block: LiteralScalarString = LiteralScalarString("".join(f"{line}\n" for line in lines))
    comment = getattr(like, "comment", None)
    if comment is not None:
        block.comment = comment  # type: ignore[attr-defined]  # ruamel's own emitter looks for it
    return block


def quoted(text: str) -> DoubleQuotedScalarString:
    """Return the text to be written in double quotes: a colon or a # in it then means nothing to YAML."""
    scalar: DoubleQuotedScalarString = DoubleQuotedScalarString(text)
    return scalar


def _reader(text: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.representer.add_representer(type(None), _null)
    sequence, offset = _indents(text)
    yaml.indent(mapping=2, sequence=sequence, offset=offset)
    return yaml


def _indents(text: str) -> tuple[int, int]:
    """Return how far the file's lists stand in, and the dash within that; (4, 2) where it has no list yet."""
    _, sequence, offset = load_yaml_guess_indent(text)
    return (sequence or 4, offset or 0) if sequence else (4, 2)


def _null(representer: Any, value: None) -> Any:
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _dumped(yaml: YAML, table: CommentedMap) -> str:
    out = StringIO()
    yaml.dump(table, out)
    return out.getvalue()


def _says(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _patched(text: str, before: str, after: str) -> str | None:
    """Return the original with the lines that differ between the two dumps; None where its lines are not those of the dump."""
    lines, old, new = text.splitlines(), before.splitlines(), after.splitlines()
    if len(lines) != len(old):
        return None
    same, same_at_end = _shared(old, new)
    old_end, new_end = len(old) - same_at_end, len(new) - same_at_end
    done, following = lines[:same], lines[old_end:]
    for kind, i, j, k, m in SequenceMatcher(None, old[same:old_end], new[same:new_end], autojunk=False).get_opcodes():
        if kind == "insert":
            apart = _apart(done)  # what stood between two sections stands between them still
            done[len(done) - apart :] = [*new[same + k : same + m], *done[len(done) - apart :]]
        else:
            done += lines[same + i : same + j] if kind == "equal" else new[same + k : same + m]
    return "\n".join([*done, *following]) + "\n"


def _apart(lines: list[str]) -> int:
    """Return how many of the last lines are blank or comments."""
    said = (number for number, line in enumerate(reversed(lines)) if line.strip() and not line.lstrip().startswith("#"))
    return next(said, 0)


def _shared(old: list[str], new: list[str]) -> tuple[int, int]:
    """Return how many lines both begin with and, of the rest, end with: comparing only what lies between is fast."""
    shortest = min(len(old), len(new))
    begin = next((n for n in range(shortest) if old[n] != new[n]), shortest)
    rest = shortest - begin
    end = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    return begin, end
