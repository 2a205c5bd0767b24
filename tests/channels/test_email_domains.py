"""A domain that takes mail is given more of it, one that complains half and a rest; nobody else waits for it."""

import asyncio

from channels.email_domains import FIRST_REST_SECONDS, FIRST_WINDOW, LONGEST_REST_SECONDS, SLOWEST, Domain, Domains


def test_the_window_grows_by_one_for_each_window_that_went_well() -> None:
    domain = Domain()
    for _ in range(4):
        domain.went_well(20)
    assert FIRST_WINDOW + 0.8 < domain.window < FIRST_WINDOW + 1
    for _ in range(1000):
        domain.went_well(20)
    assert domain.window == 20


def test_a_complaint_halves_the_window_and_the_rate_that_was_measured_and_asks_for_a_rest() -> None:
    domain = Domain(window=16)
    for tenth in range(11):
        domain.begin(tenth / 10)  # ten a second
    domain.complained(1.0)
    assert domain.window == 8
    assert 5 <= domain.rate <= 6
    assert domain.wait(1.0) == FIRST_REST_SECONDS


def test_what_was_under_way_complains_once() -> None:
    domain = Domain(window=16)
    domain.complained(1.0)
    domain.complained(1.1)
    assert domain.window == 8
    domain.complained(1.0 + FIRST_REST_SECONDS)
    assert domain.window == 4
    assert domain.rest == 2 * FIRST_REST_SECONDS


def test_complaints_without_end_have_a_floor() -> None:
    domain, now = Domain(), 0.0
    for _ in range(50):
        domain.complained(now)
        now = domain.rests_until
    assert (domain.window, domain.rate, domain.rest) == (1.0, SLOWEST, LONGEST_REST_SECONDS)


def test_the_rate_grows_again_by_the_second_and_not_by_the_mail() -> None:
    domain = Domain(rate=2.0)
    for _ in range(2):
        domain.went_well(20)
    assert 2.4 < domain.rate < 2.6  # two mails at two a second: one second


async def test_more_than_the_window_wait_for_one_that_ends() -> None:
    domains = Domains(2)
    assert await domains.enter("a.example") == 0
    assert await domains.enter("a.example") == 0
    third = asyncio.create_task(domains.enter("a.example"))
    assert await domains.enter("b.example") == 0  # somebody else's mail goes on
    await asyncio.sleep(0)
    assert not third.done()
    domains.leave("a.example", slows=False, took=True)
    assert await asyncio.wait_for(third, 1) == 0


async def test_who_would_wait_long_comes_back_later() -> None:
    domains = Domains(2)
    assert await domains.enter("a.example") == 0
    domains.leave("a.example", slows=True, took=False)
    assert await domains.enter("a.example") > FIRST_REST_SECONDS
    assert await domains.enter("b.example") == 0


async def test_a_cancelled_wait_does_not_take_a_place_with_it() -> None:
    domains = Domains(1)
    assert await domains.enter("a.example") == 0
    waiting = [asyncio.create_task(domains.enter("a.example")) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    domains.leave("a.example", slows=False, took=True)
    assert await asyncio.wait_for(waiting[1], 1) == 0
