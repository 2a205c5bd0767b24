"""The marks in a sentence that say what words mean: [Paris](city), [Paris]{"entity": "city", "role": "from"}.

Format: Rasa's training data. A sentence of a test is marked in the same way as an example.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from profiles.findings import Findings
from profiles.written import Text

# With bounds: without them the time to read a sentence grows with the square of its length.
_MARK = re.compile(r"\[([^\]]{1,500})\](?:\(([^)]{0,500})\)|(\{[^}]{0,1000}\}))")


def marks_in(sentence: Text, findings: Findings) -> Iterator[tuple[re.Match[str], Mapping[str, Any]]]:
    """Yield each mark and what it says: its entity, and value, role and group where they are written."""
    for mark in _MARK.finditer(sentence):
        yield mark, _said_by(mark, sentence, findings)


def unmarked(sentence: Text, findings: Findings) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the sentence as it is spoken, and the (entity, value) pairs that its marks state."""
    plain, position, stated = "", 0, []
    for mark, said in marks_in(sentence, findings):
        plain += sentence[position : mark.start()] + mark[1]
        position = mark.end()
        stated.append((str(said.get("entity", "")), str(said.get("value", mark[1]))))
    return plain + sentence[position:], tuple(stated)


def _said_by(mark: re.Match[str], sentence: Text, findings: Findings) -> Mapping[str, Any]:
    if mark[3] is None:
        return dict(zip(("entity", "value"), mark[2].split(":", 1), strict=False))
    try:
        return dict(json.loads(mark[3]))
    except ValueError:
        findings.error(sentence.at, f'nlu: expected JSON such as {{"entity": "city"}}, got {mark[3]}.')
        return {"entity": ""}
