"""At the doors: what is refused while we shed, how its sender hears of it, and what the log says."""

import pytest

from channels.channel import Arrival, Inbound, Limits, Receipt
from channels.load import NEVER_FEWER, SLOW_SECONDS
from channels.shedding import BACK_IN_SECONDS, Busy, Shedding, shedding
from profiles.calendar import utc_now
from profiles.snapshot import Outcome, Refusal
from profiles.store import Unavailable
from profiles.timeline import Content


class Seconds:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def overloaded(seconds: Seconds) -> Shedding:
    """A door behind which as many wait as may, and have done so for long."""
    gate = Shedding(0.5, seconds=seconds)
    for _ in range(NEVER_FEWER):
        gate.load.admit(seconds.now)
    seconds.now += SLOW_SECONDS + 1
    return gate


async def test_messages_are_refused_but_not_what_is_said_only_once_nor_receipts() -> None:
    heard: list[Arrival] = []

    async def receive(arrival: Arrival) -> Outcome:
        heard.append(arrival)
        return Refusal("told to")

    gate = overloaded(Seconds())
    door = shedding(receive, gate, {"telegram": Limits(), "twilio": Limits(repeats=False)})
    taken = [Inbound("twilio", "+33", "1", Content("oui")), Receipt("telegram", "1", "read", utc_now())]
    for arrival in taken:
        await door(arrival)
    for channel in ("telegram", "unheard-of"):
        with pytest.raises(Busy):
            await door(Inbound(channel, "5", "1", Content("bonjour")))
    assert heard == taken
    assert (gate.load.refused, gate.load.under_way) == (2, NEVER_FEWER), "each who came in has left again"


def test_it_is_unavailable_to_every_door_and_says_when_to_come_back() -> None:
    waits = {Busy().after for _ in range(20)}
    assert isinstance(Busy(), Unavailable)
    assert len(waits) > 1 and BACK_IN_SECONDS[0] <= min(waits) and max(waits) <= BACK_IN_SECONDS[1]


def test_a_place_is_given_back_after_an_error_and_the_log_says_when_it_began_and_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    seconds = Seconds()
    gate = overloaded(seconds)
    assert gate.is_on()
    for ticket in range(1, NEVER_FEWER + 1):
        gate.load.done(ticket, seconds.now)
    with pytest.raises(RuntimeError), gate.place():
        raise RuntimeError
    assert gate.load.under_way == 0
    seconds.now += 30
    assert not gate.is_on()
    assert [record.message.partition(" ")[0] for record in caplog.records] == ["shedding.began", "shedding.ended"]
