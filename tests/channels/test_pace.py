"""What a provider allows a second is shared by the processes that send."""

import pytest

from channels.channel import Limits
from channels.pace import Pace


@pytest.mark.parametrize(
    ("limits", "processes", "seconds"),
    [
        (Limits(per_second=10), 1, 0.1),
        (Limits(per_second=10), 3, 0.3),
        (Limits(per_second=10, sole=True), 3, 0.1),
        (Limits(), 3, 0.0),
    ],
)
async def test_each_process_takes_its_share(limits: Limits, processes: int, seconds: float) -> None:
    pace = Pace(limits, lambda: processes)
    booked = [pace._delay("anna") for _ in range(5)]
    assert [round(later - earlier, 1) for earlier, later in zip(booked, booked[1:], strict=False)] == [seconds] * 4


async def test_the_share_changes_with_their_number() -> None:
    living = [4]
    pace = Pace(Limits(per_second=10), lambda: living[0])
    first, second = pace._delay("a"), pace._delay("b")
    living[0] = 1
    third, fourth = pace._delay("c"), pace._delay("d")
    assert round(second - first, 1) == round(third - second, 1) == 0.4, "what was booked stays"
    assert round(fourth - third, 1) == 0.1
