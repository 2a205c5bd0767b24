"""Frames are whole however the octets come, and GOAWAY never reaches the library that would stop at it."""

import pytest

from channels.http2_frames import Frames, TooLong


def frame(kind: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, 0]) + (1).to_bytes(4) + payload


SETTINGS, DATA, GOAWAY = frame(0x4, b""), frame(0x0, b"hello"), frame(0x7, b"last")


@pytest.mark.parametrize("size", [1, 2, 9, 10, 1000])
def test_frames_are_whole_however_the_octets_come(size: int) -> None:
    octets, frames = SETTINGS + DATA + GOAWAY + DATA + SETTINGS, Frames()
    found = [one for at in range(0, len(octets), size) for one in frames.take(octets[at : at + size])]
    leaving = next(place for place, (is_goaway, _) in enumerate(found) if is_goaway)
    assert found[leaving] == (True, b"last")
    assert b"".join(rest for _, rest in found[:leaving]) == SETTINGS + DATA
    assert b"".join(rest for _, rest in found[leaving + 1 :]) == DATA + SETTINGS


def test_a_frame_longer_than_we_allow_is_not_waited_for() -> None:
    with pytest.raises(TooLong):
        list(Frames().take((16_385).to_bytes(3) + b"\x00\x00\x00\x00\x00\x01"))
    assert list(Frames().take((16_384).to_bytes(3) + b"\x00\x00\x00\x00\x00\x01")) == []
