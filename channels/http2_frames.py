"""Octets of an HTTP/2 connection cut into frames, so that GOAWAY can be told from the rest (RFC 9113, sections 4.1 and 6.8). Pure.

h2 takes nothing more on a connection once it has read a GOAWAY (its issue 1181), while the server still answers the streams that
it says it has taken. So it never sees one: whoever holds the connection acts on it.
"""

from collections.abc import Iterator

GOAWAY, HEAD = 0x7, 9
LARGEST = 16_384  # what we announce, RFC 9113 section 4.2: a longer one is a broken peer


class TooLong(Exception):
    """The peer sends a frame longer than we allow."""


class Frames:
    """What has come of one connection and was not yet a whole frame."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """Yield in order (True, the payload of a GOAWAY) and (False, whole frames of other kinds). Raises TooLong."""
        self._unread += data
        begin = at = 0
        while len(self._unread) - at >= HEAD:
            length, kind = int.from_bytes(self._unread[at : at + 3]), self._unread[at + 3]
            if length > LARGEST:
                raise TooLong
            end = at + HEAD + length
            if len(self._unread) < end:
                break
            if kind == GOAWAY:
                if begin < at:
                    yield False, bytes(self._unread[begin:at])
                yield True, bytes(self._unread[at + HEAD : end])
                begin = end
            at = end
        if begin < at:
            yield False, bytes(self._unread[begin:at])
        del self._unread[:at]
