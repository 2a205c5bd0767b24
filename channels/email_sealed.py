"""The mail inside an S/MIME seal (RFC 8551 section 3.5.2, RFC 5652 section 5): Outlook's signature that is not "clear text". Pure.

Signed as a whole nothing of it is secret, only wrapped: without this its words would be a file that nobody can read. Whether the
signature is right is not looked at, for no sender is believed anyway. What is encrypted stays shut.
"""

from collections.abc import Iterator

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_DATA = bytes.fromhex("2a864886f70d010701")
_SEQUENCE, _OID, _OCTETS, _OCTETS_IN_PIECES, _EXPLICIT = 0x30, 0x06, 0x04, 0x24, 0xA0
_DEEPEST = 20  # elements within elements
_MOST = 100_000  # elements looked at; who writes while reading cuts 25 MB into some 6,000
_ENDLESS = -1
_NOTHING = (0, 0, 0)


def inside(octets: bytes) -> bytes:
    """Return what was signed, a mail's part with its own fields; empty when this is no seal, or holds nothing."""
    try:
        return _Seal(octets).content()
    except _Broken:
        return b""


class _Broken(ValueError):
    """This is no ASN.1 that we read."""


class _Seal:
    """Elements of ASN.1 in BER, each as its tag and where its content begins and ends."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._looked_at = octets, 0

    def content(self) -> bytes:
        """Return what the seal is about. Raises _Broken."""
        outer = self._first(0, len(self._octets))
        seal = self._first(*self._explicit(outer, _SIGNED_DATA))
        _, _, wraps = self._some(3, *seal)
        if wraps[0] != _SEQUENCE:
            raise _Broken
        return b"".join(self._pieces(*self._explicit(wraps[1:], _DATA), 0))

    def _first(self, begin: int, end: int) -> tuple[int, int]:
        """Return where the content of a sequence stands that begins here."""
        (found,) = self._some(1, begin, end)
        if found[0] != _SEQUENCE:
            raise _Broken
        return found[1:]

    def _explicit(self, place: tuple[int, int], kind: bytes) -> tuple[int, int]:
        """Return where the content of this kind stands; of another kind, or of none, it is broken."""
        named, held = self._some(2, *place)
        if named[0] != _OID or self._octets[named[1] : named[2]] != kind or held[0] != _EXPLICIT:
            raise _Broken
        return held[1:]

    def _some(self, count: int, begin: int, end: int) -> list[tuple[int, int, int]]:
        """Return the first elements that stand here."""
        found = self._elements(begin, end)
        return [next(found, _NOTHING) for _ in range(count)]

    def _pieces(self, begin: int, end: int, depth: int) -> Iterator[bytes]:
        """Yield the octets of a text that may be cut into pieces, as programs do that write while they read."""
        for tag, first, last in self._elements(begin, end):
            if tag == _OCTETS:
                yield self._octets[first:last]
            elif tag == _OCTETS_IN_PIECES and depth < _DEEPEST:
                yield from self._pieces(first, last, depth + 1)

    def _elements(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the elements that stand here, in turn."""
        while begin < end:
            element, begin = self._element(begin, end, 0)
            yield element

    def _element(self, at: int, end: int, depth: int) -> tuple[tuple[int, int, int], int]:
        """Return the element that begins here, and where the next does; one that names no end is walked through to find it."""
        tag, first, length = self._head(at, end)
        if length != _ENDLESS:
            return (tag, first, first + length), first + length
        if depth >= _DEEPEST:
            raise _Broken
        behind = first
        while True:
            (inner, _, last), after = self._element(behind, end, depth + 1)
            if not inner:
                return (tag, first, behind), last
            behind = after

    def _head(self, at: int, end: int) -> tuple[int, int, int]:
        """Return a tag, where its content begins, and how long that is. No tag on our way has several octets."""
        self._looked_at += 1
        if self._looked_at > _MOST or at + 2 > end or self._octets[at] & 0x1F == 0x1F:
            raise _Broken
        tag, length, first = self._octets[at], self._octets[at + 1], at + 2
        if length >= 0x80:
            count = length & 0x7F
            first, length = first + count, int.from_bytes(self._octets[first : first + count]) if count else _ENDLESS
            if count > 4 or first > end:
                raise _Broken
        if length != _ENDLESS and first + length > end:
            raise _Broken
        return tag, first, length
