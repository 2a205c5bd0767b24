"""Limits: so many at once, so many in the long run, and nobody's left-hand lie is believed."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as some

from channels.webchat_limits import Bucket, Buckets, Places, caller, line_of


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    bucket = Bucket(per_second=10, burst=40)
    assert [bucket.take(100.0) for _ in range(40)] == [0.0] * 40
    assert bucket.take(100.0) == pytest.approx(0.1)
    assert bucket.take(100.1) == 0.0
    assert bucket.take(100.1) > 0


@given(some.lists(some.floats(0, 0.2), max_size=200))
def test_no_pattern_gets_more_than_burst_and_rate(gaps: list[float]) -> None:
    bucket, now, taken = Bucket(per_second=10, burst=5), 50.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now) == 0.0
    assert taken <= 5 + 10 * (now - 50.0) + 1e-6


def test_what_is_refused_costs_nothing() -> None:
    bucket = Bucket(per_second=1, burst=1)
    bucket.take(0.0)
    for _ in range(100):
        bucket.take(0.5)
    assert bucket.take(1.0) == 0.0


def test_each_key_has_its_own_bucket_and_idle_ones_are_forgotten() -> None:
    buckets = Buckets(per_second=1, burst=1, remembered=10)
    for number in range(100):
        assert buckets.take(str(number), 0.0) == 0.0
    assert len(buckets._buckets) <= 10
    assert buckets.take("99", 0.0) > 0
    assert buckets.take("new", 1000.0) == 0.0
    assert len(buckets._buckets) == 1


def test_places_are_given_back_even_after_an_error() -> None:
    places = Places(1)
    with pytest.raises(RuntimeError), places.place("a") as first:
        assert first
        with places.place("a") as second, places.place("b") as other:
            assert (second, other) == (False, True)
        raise RuntimeError
    with places.place("a") as again:
        assert again
    assert places._taken == {}


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ([], 0, "peer"),
        (["6.6.6.6"], 0, "peer"),
        (["6.6.6.6, 203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6", "203.0.113.7"], 1, "203.0.113.7"),
        (["6.6.6.6, 203.0.113.7, 10.0.0.1"], 2, "203.0.113.7"),
        ([], 1, "peer"),
        (["10.0.0.1"], 2, "peer"),
        (["6.6.6.6, 203.0.113.7:51234"], 1, "203.0.113.7"),
        (["[2001:db8::7]:443"], 1, "2001:db8::7"),
        (["2001:db8::7"], 1, "2001:db8::7"),
    ],
)
def test_the_caller_is_whom_our_own_proxy_saw(forwarded: list[str], proxies: int, expected: str) -> None:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    from multidict import CIMultiDict

    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers)).clone(remote="peer")
    assert caller(request, proxies) == expected


def test_all_that_one_line_may_come_from_is_counted_as_one() -> None:
    assert line_of("2a01:e0a:1:2::7") == line_of("2a01:e0a:1:2:ffff:eeee:dddd:cccc") != line_of("2a01:e0a:1:3::7")
    assert line_of("::ffff:9.9.9.9") == line_of("9.9.9.9") == "9.9.9.9"
    assert line_of("nonsense:") == "nonsense:"
