"""The QR code: its fixed parts, and its data read back the way a reader does."""

from admin import qr

URI = b"otpauth://totp/Causerie:maya%40example.org?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=Causerie"


def test_what_is_read_back_is_what_was_written() -> None:
    dark = qr.matrix(URI)
    reserved: list[list[bool | None]] = [[None] * qr.SIZE for _ in range(qr.SIZE)]
    qr._draw_patterns(reserved)
    places = [(x, y) for x, y in qr._zigzag() if reserved[y][x] is None]
    bits = [dark[y][x] ^ ((x + y) % 2 == 0) for x, y in places]
    number = int("".join("1" if bit else "0" for bit in bits[: 134 * 8]), 2).to_bytes(134)
    mode, length = number[0] >> 4, (number[0] & 15) << 4 | number[1] >> 4
    payload = bytes((number[i + 1] & 15) << 4 | number[i + 2] >> 4 for i in range(length))
    assert (mode, payload) == (4, URI)


def test_the_check_is_a_multiple_of_every_root() -> None:
    """Reed-Solomon: data and check together, as a polynomial, vanish at all 26 roots of the generator."""
    data = bytes(range(108))
    word = data + qr._check(data)
    for i in range(qr.CHECK):
        value, root = 0, qr._power(i)
        for byte in word:
            value = qr._times(value, root) ^ byte
        assert value == 0


def test_three_corners_show_the_finder_and_a_text_too_long_gets_no_picture() -> None:
    dark = qr.matrix(URI)
    for x, y in ((0, 0), (30, 0), (0, 30)):
        assert [dark[y + i][x + i] for i in range(7)] == [True, False, True, True, True, False, True]
    assert qr.picture("x" * 107) is None and str(qr.picture("x" * 106)).startswith("M4 4h1v1h-1z")
