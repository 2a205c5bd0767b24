"""A swift record is the record it was, made more cheaply: same parameters, same equality, as frozen as before."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest

from profiles.record import from_document, replace
from profiles.swift import swift, twin


@dataclass(frozen=True, slots=True)
class Plain:
    id: str
    places: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    urgent: bool = field(default=False, kw_only=True)
    note: str = ""


@swift
@dataclass(frozen=True, slots=True)
class Swift:
    id: str
    places: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)
    urgent: bool = field(default=False, kw_only=True)
    note: str = ""

    @property
    def loud(self) -> str:
        """Return the note, louder."""
        return self.note.upper()


@swift
@dataclass(frozen=True, slots=True)
class Child(Swift):
    age: int = 0


def test_it_holds_what_it_was_given_by_place_and_by_name() -> None:
    ours, theirs = Swift("a", ("b",), {"c": 1}, "n", urgent=True), Plain("a", ("b",), {"c": 1}, "n", urgent=True)

    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert type(ours) is Swift and ours.loud == "N"
    assert ours == Swift(id="a", places=("b",), known={"c": 1}, note="n", urgent=True) != Swift("a")


def test_it_takes_the_parameters_of_the_dataclass() -> None:
    def parameters(kind: type) -> list[tuple[str, Any]]:
        return [(one.name, one.kind) for one in inspect.signature(kind).parameters.values()]

    assert parameters(Swift) == parameters(Plain)


@pytest.mark.parametrize("given", [(), ("a", (), {}, "", True), ("a", (), {}, "", 1, 2)])
def test_what_it_does_not_take_is_refused(given: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        Swift(*given)
    with pytest.raises(TypeError):
        Swift("a", unknown=1)  # type: ignore[call-arg]


def test_a_default_that_can_change_belongs_to_one_record() -> None:
    assert Swift("a").known == {} and Swift("a").known is not Swift("b").known


@pytest.mark.parametrize(
    "made", [Swift("a"), Child("a"), replace(Swift("b"), id="a"), from_document(Swift, {"_id": "a"})]
)
def test_nobody_changes_it_once_it_is_made(made: Swift) -> None:
    with pytest.raises(FrozenInstanceError):
        made.id = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del made.id
    assert made.id == "a" and not hasattr(made, "__dict__")


def test_one_that_inherits_holds_its_own_and_its_parents_fields() -> None:
    made = Child("a", note="n", age=3)

    assert (made.id, made.note, made.age, made.loud) == ("a", "n", 3, "N")
    assert type(replace(made, age=4)) is Child and replace(made, age=4).age == 4


def test_a_class_made_of_it_keeps_its_own_class() -> None:
    class Louder(Swift):
        __slots__ = ()

    assert type(Louder("a")) is Louder and Louder("a").id == "a"


def test_it_is_copied_and_kept_like_any_other() -> None:
    made = Swift("a", ("b",), {"c": 1})

    assert dataclasses.replace(made, id="b") == replace(made, id="b") == Swift("b", ("b",), {"c": 1})
    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made
    assert hash(Swift("a", known=())) == hash(Swift("a", known=()))  # type: ignore[arg-type]


def test_a_change_of_no_field_is_refused() -> None:
    with pytest.raises(AttributeError):
        replace(Swift("a"), unknown=1)
    with pytest.raises(AttributeError):
        replace(Swift("a"), loud="x")


def test_a_document_without_what_every_record_has_is_refused() -> None:
    with pytest.raises(TypeError, match="Swift.*'id'"):
        from_document(Swift, {"note": "n"})


def test_only_what_keeps_its_meaning_is_taken() -> None:
    @dataclass(frozen=True)
    class Open:
        id: str

    @dataclass(frozen=True, slots=True)
    class Checked:
        id: str

        def __post_init__(self) -> None:
            raise ValueError

    for kind in (Open, Checked, int):
        with pytest.raises(TypeError, match="expected a dataclass with slots"):
            swift(kind)


def test_its_twin_is_made_once() -> None:
    assert twin(Swift) is twin(Swift) is not twin(Child)
