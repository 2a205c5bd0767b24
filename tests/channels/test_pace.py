"""What a provider allows a second is shared by the processes that send, and answers go before pushes."""

import asyncio
from collections.abc import Callable, Iterable

import pytest
import uvloop

from channels.channel import Limits
from channels.pace import Pace, Turns, Waiter
from channels.telegram_form import LIMITS as TELEGRAM
from tests.waiting import until


def went(turns: Turns, until: float, step: float = 0.001) -> list[tuple[float, str]]:
    """Let the clock run, from 0 in small steps, each call answered at once; return when whose turn it was."""
    found, tick = [], 0
    while (now := tick * step) <= until:
        while waiter := turns.due(now):
            found.append((round(now, 3), waiter.address))
            turns.leave()
        tick += 1
    return found


def alone(limits: Limits) -> Turns:
    return Turns(limits, lambda: 1)


def pushes(turns: Turns, people: Iterable[str]) -> list[Waiter]:
    waiters = [Waiter(person, 0.0) for person in people]
    for waiter in waiters:
        turns.join(waiter)
    return waiters


@pytest.mark.parametrize(
    ("limits", "processes", "seconds"),
    [
        (Limits(per_second=10), 1, 0.1),
        (Limits(per_second=10), 3, 0.3),
        (Limits(), 3, 0.0),
    ],
)
def test_each_process_takes_its_share(limits: Limits, processes: int, seconds: float) -> None:
    turns = Turns(limits, lambda: processes)
    pushes(turns, "abcde")
    assert [at for at, _ in went(turns, 2)] == [pytest.approx(number * seconds, abs=0.002) for number in range(5)]


def test_who_had_something_last_is_remembered_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the ten thousand whose last instant is known, those go who had nothing for longest."""
    monkeypatch.setattr("channels.pace.PEOPLE_REMEMBERED", 2)
    turns = alone(Limits(at_once=9, per_person_second=1))
    for at, person in ((0.0, "anna"), (0.1, "boris"), (1.5, "anna"), (1.6, "clara")):
        pushes(turns, person.split())
        assert turns.due(at)
    pushes(turns, ["anna"])
    assert turns.due(2.0) is None, "hers was half a second ago"


def test_the_share_changes_with_their_number() -> None:
    living = [4]
    turns = Turns(Limits(per_second=10), lambda: living[0])
    pushes(turns, "abc")
    assert turns.due(0) and turns.soonest() == pytest.approx(0.4)
    living[0] = 1
    assert turns.due(0.4), "what was taken stays"
    assert turns.soonest() == pytest.approx(0.5)


async def test_a_channel_that_one_process_feeds_shares_its_speed_with_nobody() -> None:
    pace = Pace(Limits(per_second=10, sole=True), lambda: 3)
    async with pace.turn("anna"):
        began = asyncio.get_running_loop().time()
    assert pace._turns.soonest() is None
    pace._turns.join(Waiter("boris", began))
    assert pace._turns.soonest() == pytest.approx(began + 0.1, abs=0.05)


def test_telegram_is_fed_thirty_a_second_and_one_a_second_to_each_person() -> None:
    turns = alone(TELEGRAM)
    pushes(turns, [f"chat{number}" for number in range(100)] + ["chat0", "chat1"])
    told = went(turns, 5)
    assert len(told) == 102
    for second in (0, 0.5, 1, 1.7, 2):
        assert sum(second <= at < second + 1 for at, _ in told) in (30, 31)
    twice = alone(TELEGRAM)
    pushes(twice, ["anna", "anna", "boris", "anna"])
    assert [(round(at, 1), who) for at, who in went(twice, 3)] == [
        (0.0, "anna"), (0.0, "boris"), (1.0, "anna"), (2.0, "anna"),
    ]  # fmt: skip


def test_an_answer_goes_before_a_campaign_that_waits() -> None:
    turns = alone(TELEGRAM)
    pushes(turns, [f"chat{number}" for number in range(3_000)])
    assert went(turns, 0)[0][1] == "chat0"
    turns.join(Waiter("clara", 0.0, is_answer=True))
    assert went(turns, 0.04) == [(0.034, "clara")]


def test_a_push_that_an_answer_waits_behind_is_hurried_with_it() -> None:
    turns = alone(TELEGRAM)
    waiters = pushes(turns, [f"chat{number}" for number in range(3_000)])
    turns.hurry(waiters[2_000])
    assert went(turns, 0)[0][1] == "chat2000"
    turns.hurry(waiters[2_000])
    assert [who for _, who in went(turns, 0.08)] == ["chat0", "chat1"], "one that went does not go again"


def test_a_push_that_rests_for_its_person_is_hurried_too() -> None:
    turns = alone(Limits(per_person_second=1))
    first, second = pushes(turns, ["anna", "anna"])
    assert turns.due(0) is first
    turns.leave()
    assert turns.due(0) is None and turns.soonest() == pytest.approx(1)
    turns.hurry(second)
    pushes(turns, ["boris"])
    assert second.is_answer
    assert [who for _, who in went(turns, 2)] == ["boris", "anna"]


def test_a_loop_that_woke_late_does_not_make_up_for_it_in_a_burst() -> None:
    turns = alone(Limits(per_second=10, at_once=100))
    pushes(turns, [str(number) for number in range(50)])
    assert turns.due(0)
    late = sum(1 for _ in iter(lambda: turns.due(3.0), None))
    assert late <= 2


async def test_places_are_given_back_and_the_answer_has_the_next_one() -> None:
    pace = Pace(Limits(at_once=1))
    order: list[str] = []
    first, done = asyncio.Event(), asyncio.Event()

    async def take(name: str, *, answers: bool, entered: Callable[[], None] = lambda: None) -> None:
        async with pace.turn(name, answers=answers):
            order.append(name)
            entered()
            if name == "first":
                await done.wait()

    async with asyncio.TaskGroup() as group, asyncio.timeout(5):
        group.create_task(take("first", answers=False, entered=first.set))
        await first.wait()
        group.create_task(take("push", answers=False))
        group.create_task(take("pushed along", answers=False))
        given_up = group.create_task(take("given up", answers=True))
        group.create_task(take("answer", answers=True))
        await until(lambda: len(pace._waiting) == 4)
        pace.hurry("pushed along")
        given_up.cancel()
        done.set()
    assert order == ["first", "answer", "pushed along", "push"]
    assert not pace._waiting


async def test_who_gives_up_in_the_moment_of_their_turn_gives_the_place_back() -> None:
    pace = Pace(Limits(at_once=1))
    held = pace.turn("first")
    await held.__aenter__()
    waits = asyncio.create_task(pace.turn("second").__aenter__())
    await until(lambda: "second" in pace._waiting)
    await held.__aexit__(None, None, None)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    async with asyncio.timeout(5), pace.turn("third"):
        pass


def test_a_turn_that_comes_in_less_than_a_millisecond_breaks_nobody_s() -> None:
    """uvloop gives no timer for so little: whoever left then lost the outcome of what they had handed over."""

    async def all_go() -> None:
        pace = Pace(Limits(at_once=50, per_second=5_000))
        await asyncio.gather(*(_goes(pace, f"p{number}") for number in range(200)))

    uvloop.run(all_go())


async def _goes(pace: Pace, address: str) -> None:
    async with pace.turn(address):
        await asyncio.sleep(0)
