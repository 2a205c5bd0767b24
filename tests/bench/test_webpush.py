"""The benchmark of pushes sends what it says it sends, by both ways."""

from bench.webpush import AT_ONCE, webpush


async def test_every_push_of_every_way_is_taken() -> None:
    figures = await webpush(AT_ONCE + 40, 1)
    assert figures["nothing_lost"]
    assert min(figures["ours_per_second"], figures["obvious_per_second"]) > 0
