"""The circuit breaker, by the clock."""

from bot.breaker import Breaker


def _opened() -> Breaker:
    breaker = Breaker(failures_to_open=2, open_seconds=30)
    breaker.failed(0)
    breaker.failed(1)
    return breaker


def test_it_stays_closed_below_its_number_of_failures_in_a_row():
    breaker = Breaker(failures_to_open=2)
    assert breaker.failed(0) is False
    breaker.succeeded()
    assert breaker.failed(1) is False and breaker.allows(1) and not breaker.is_open


def test_it_says_once_that_it_opened_and_then_lets_nobody_through():
    breaker = Breaker(failures_to_open=2, open_seconds=30)
    assert [breaker.failed(0), breaker.failed(1), breaker.failed(2)] == [False, True, False]
    assert breaker.is_open and not breaker.allows(31)


def test_after_a_while_one_is_let_through_to_see_and_only_one():
    breaker = _opened()
    assert [breaker.allows(30), breaker.allows(31), breaker.allows(31.5)] == [False, True, False]


def test_a_probe_that_succeeds_closes_it():
    breaker = _opened()
    assert breaker.allows(31)
    breaker.succeeded()
    assert not breaker.is_open and breaker.allows(31)


def test_a_probe_that_fails_opens_it_for_as_long_again():
    breaker = _opened()
    assert breaker.allows(31)
    breaker.failed(40)
    assert not breaker.allows(69) and breaker.allows(70)


def test_a_probe_that_never_came_back_does_not_close_the_door_for_ever():
    breaker = _opened()
    assert breaker.allows(31) and not breaker.allows(60) and breaker.allows(61)
