"""One configuration value: TOML or text in, the type that the Options dataclass asks for out, or a sentence why not."""

import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from profiles.secret import Secret

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


class Wrong(Exception):
    """The value does not fit; the text says what was expected and what was got."""


def from_file(value: Any, kind: Any) -> Any:
    """Return a TOML value as this type. Raises Wrong; the text never repeats a secret."""
    kind = _without_none(kind)
    if kind is Secret:
        if not isinstance(value, str):
            raise Wrong(f"expected {described(kind)}, got something else.")
        return Secret(value)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            _refuse(kind, value)
        return tuple(from_file(item, get_args(kind)[0]) for item in value)
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else _refuse(kind, value)
    if _is_mapping(kind):
        if not isinstance(value, dict):
            _refuse(kind, value)
        return {key: from_file(item, get_args(kind)[1]) for key, item in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    return value if type(value) is kind else _refuse(kind, value)


def from_environment(text: str, kind: Any) -> Any:
    """Return the text of an environment variable as this type; a list is separated by commas. Raises Wrong."""
    kind = _without_none(kind)
    if kind is Secret:
        return Secret(text.strip())
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(from_environment(part.strip(), item) for part in text.split(",") if part.strip())
    if get_origin(kind) is Literal:
        return text if text in get_args(kind) else _refuse(kind, text)
    if _is_mapping(kind):
        return _pairs(text, kind)
    if kind is bool:
        return _truth(text)
    if kind is str:
        return text
    return _number(text, kind)


def described(kind: Any) -> str:
    """Return the name of a type in words for people."""
    kind = _without_none(kind)
    if get_origin(kind) is tuple:
        return f"a list of {described(get_args(kind)[0]).removeprefix('a ')}s"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if _is_mapping(kind):
        return "a table such as {name = value}"
    words = {
        str: "a text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        Secret: "a secret text",
    }
    return words.get(kind, str(kind))


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    return bool(_refuse(bool, text))


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text.strip())
    except ValueError:
        return _refuse(kind, text)


def _pairs(text: str, kind: Any) -> dict[str, Any]:
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(sign for _, sign, _ in parts):
        raise Wrong(f'expected name=value,name=value, got "{text}"')
    return {key.strip(): from_environment(value.strip(), get_args(kind)[1]) for key, _, value in parts}


def _refuse(kind: Any, value: Any) -> Any:
    got = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else value
    raise Wrong(f"expected {described(kind)}, got {got}.")


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)
