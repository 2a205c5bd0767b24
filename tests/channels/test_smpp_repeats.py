"""The same message again, or the same words again: as dialogues of deliveries, answers, proofs and losses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from channels.smpp_repeats import Claim, Repeats

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def repeats() -> Repeats:
    numbers = count(1)
    name: Callable[[datetime], str] = lambda now: f"m{next(numbers)}"  # noqa: E731
    return Repeats(name)


def deliver(repeats: Repeats, session: int, at: float) -> Claim:
    return repeats.claim("oui", session, NOON + timedelta(seconds=at))


def answer(repeats: Repeats, claim: Claim, number: int, at: float, *, taken: bool = True) -> None:
    repeats.answered(claim, number, NOON + timedelta(seconds=at), taken=taken)


def test_the_same_words_after_a_proven_answer_are_another_message(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1)
    repeats.proven(1, 1)
    assert repeats.in_doubt == 0
    assert deliver(repeats, 2, 10).id != first.id


def test_the_same_words_on_the_same_session_are_another_message(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    second = deliver(repeats, 1, 0.1)  # before the first was even stored
    answer(repeats, first, 1, 0.2)
    answer(repeats, second, 2, 0.2)
    third = deliver(repeats, 1, 60)
    assert len({first.id, second.id, third.id}) == 3


def test_a_delivery_after_a_lost_answer_is_the_same_message(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1)  # written, and then the session was lost
    assert deliver(repeats, 2, 30).id == first.id


def test_only_answers_before_the_proof_are_proven(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    second = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1)
    answer(repeats, second, 2, 0.1)
    repeats.proven(1, 1)
    assert deliver(repeats, 2, 5).id == second.id
    assert deliver(repeats, 2, 5).id not in (first.id, second.id)


def test_a_proof_of_another_session_proves_nothing(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1)
    repeats.proven(2, 9)
    assert deliver(repeats, 2, 5).id == first.id


def test_a_delivery_that_was_refused_comes_again_as_the_same(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1, taken=False)
    repeats.proven(1, 1)
    assert deliver(repeats, 1, 60).id == first.id


def test_two_refused_deliveries_come_again_as_two(repeats: Repeats) -> None:
    claims = [deliver(repeats, 1, 0), deliver(repeats, 1, 0)]
    for number, claim in enumerate(claims, 1):
        answer(repeats, claim, number, 0.1, taken=False)
    assert {deliver(repeats, 1, 9).id, deliver(repeats, 1, 9).id} == {claim.id for claim in claims}


def test_an_smsc_that_lost_patience_repeats_on_the_same_session(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    assert deliver(repeats, 1, 10).id == first.id  # still being stored
    answer(repeats, first, 1, 16)
    repeats.proven(1, 1)
    assert deliver(repeats, 1, 20).id == first.id  # its answer came too late


def test_a_late_answer_is_doubted_for_a_minute_only(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 16)
    assert deliver(repeats, 1, 90).id != first.id


def test_a_lost_session_while_storing_repeats_the_same(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    assert deliver(repeats, 2, 1).id == first.id


def test_doubt_ends(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1)
    assert deliver(repeats, 2, 601).id != first.id


def test_other_words_are_another_message(repeats: Repeats) -> None:
    first = deliver(repeats, 1, 0)
    answer(repeats, first, 1, 0.1, taken=False)
    assert repeats.claim("non", 2, NOON).id != first.id
