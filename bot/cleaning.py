"""Makes what strangers send safe to store and to think about: no lone surrogates, no NUL, bounded depth and size.

Limits come from BSON (bsonspec.org: UTF-8 strings, 64-bit integers) and from what one conversation may cost us.
"""

import math
from typing import Any

LONGEST_HEARD = 1_000
"""Characters of a message that the bot reads; the whole message stands on the timeline."""
_LONGEST_TEXT = 10_000
_LONGEST_LIST = 200
_DEEPEST = 6
_INT64 = 2**63


def clean_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return at most `longest` characters, without NUL, lone surrogates as U+FFFD."""
    text = text[:longest].replace("\x00", "")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_value(value: Any, depth: int = 0) -> Any:
    """Return the value as plain storable data; what cannot be stored becomes its text, what is too deep is dropped."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int):
        return value if -_INT64 <= value < _INT64 else str(value)[:100]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST:
        return None
    if isinstance(value, dict):
        items = list(value.items())[:_LONGEST_LIST]
        return {_clean_key(key): clean_value(item, depth + 1) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_value(item, depth + 1) for item in list(value)[:_LONGEST_LIST]]
    return clean_text(str(value))


def _clean_key(key: Any) -> str:
    return clean_text(str(key), 200).replace(".", "_").lstrip("$") or "_"
