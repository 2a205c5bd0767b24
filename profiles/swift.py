"""Frozen records made at a third of the cost: what a campaign spends on a contact was, a quarter of it, making records.

A frozen dataclass puts each of its fields through `object.__setattr__`, which looks the field up each time. Here a new object is
of a twin class while it is filled: the same slots, not frozen, so that each field is one plain store. Then it becomes what it is.
A record of 25 fields takes 1.0 us to make instead of 2.7, and 0.35 to copy instead of 1.3 (CPython 3.11).
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

Record = TypeVar("Record")

become: Callable[[Any, type], None] = object.__dict__["__class__"].__set__
"""Makes an object one of its twin's kind: past a frozen record's own `__setattr__`."""

_twins: dict[type, type] = {}
_ABSENT = object()


def swift(kind: type[Record]) -> type[Record]:
    """Return this frozen slotted dataclass with a quicker `__init__`, of the same parameters. Used as a decorator.

    Raises TypeError for a class that is not one, and for one with a `__post_init__`.
    """
    if not dataclasses.is_dataclass(kind) or "__slots__" not in kind.__dict__ or hasattr(kind, "__post_init__"):
        raise TypeError(f"expected a dataclass with slots and without __post_init__, got {kind.__name__}")
    known: dict[str, Any] = {"_become_": become, "_twin_": twin(kind), "_absent_": _ABSENT}
    takes, lines = ["self"], ["_kind_ = self.__class__", "_become_(self, _twin_)"]
    for field in sorted(dataclasses.fields(kind), key=lambda field: field.kw_only is True):
        name = field.name
        if field.kw_only and "*" not in takes:
            takes.append("*")
        if field.default_factory is not dataclasses.MISSING:
            known[f"_make_{name}"] = field.default_factory
            takes.append(f"{name}=_absent_")
            lines.append(f"self.{name} = _make_{name}() if {name} is _absent_ else {name}")
            continue
        if field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
        takes.append(name if field.default is dataclasses.MISSING else f"{name}=_default_{name}")
        lines.append(f"self.{name} = {name}")
    source = "\n    ".join([f"def __init__({', '.join(takes)}):", *lines, "_become_(self, _kind_)"])
    exec(source, known)  # our own field names
    made = known["__init__"]
    made.__qualname__, made.__annotations__ = f"{kind.__qualname__}.__init__", kind.__init__.__annotations__
    kind.__init__ = made  # type: ignore[method-assign]
    return kind


def twin(kind: type) -> type:
    """Return the class with the same slots whose objects can be filled."""
    if kind not in _twins:
        slots = kind.__dict__.get("__slots__", ())
        body = {"__slots__": slots, "__setattr__": object.__setattr__, "__module__": kind.__module__}
        _twins[kind] = type(kind.__name__, kind.__bases__, body)
    return _twins[kind]
