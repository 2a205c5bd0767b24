"""A QR code for an otpauth address, drawn as the path of an SVG: one size is enough (ISO/IEC 18004, version 5, level L, mask 0)."""

from collections.abc import Iterator

SIZE = 37
CAPACITY = 106  # bytes: 108 data codewords less mode, length and terminator
CHECK = 26  # error-correction codewords, one block
FORMAT = 0b111011111000100  # level L, mask 0, with its own BCH code and mask (table C.1)
QUIET = 4


def picture(text: str) -> str | None:
    """Return the path of the code's dark squares in a box of 45 x 45 units, or None when the text is too long for it."""
    data = text.encode()
    if len(data) > CAPACITY:
        return None
    dark = matrix(data)
    return "".join(f"M{x + QUIET} {y + QUIET}h1v1h-1z" for y in range(SIZE) for x in range(SIZE) if dark[y][x])


def matrix(data: bytes) -> list[list[bool]]:
    """Return the code row by row, without its quiet zone."""
    modules: list[list[bool | None]] = [[None] * SIZE for _ in range(SIZE)]
    _draw_patterns(modules)
    bits = _bits(data)
    for x, y in _zigzag():
        if modules[y][x] is None:
            modules[y][x] = next(bits, False) ^ ((x + y) % 2 == 0)
    return [[bool(module) for module in row] for row in modules]


def _draw_patterns(modules: list[list[bool | None]]) -> None:
    for left, top in ((0, 0), (SIZE - 7, 0), (0, SIZE - 7)):
        for y in range(max(0, top - 1), min(SIZE, top + 8)):
            for x in range(max(0, left - 1), min(SIZE, left + 8)):
                ring = max(abs(x - left - 3), abs(y - top - 3))
                modules[y][x] = ring in (0, 1, 3)
    for y in range(28, 33):
        for x in range(28, 33):
            modules[y][x] = max(abs(x - 30), abs(y - 30)) != 1
    for i in range(8, SIZE - 8):
        modules[6][i] = modules[i][6] = i % 2 == 0
    for i in range(15):
        bit = bool(FORMAT >> i & 1)
        # around the upper left finder, and once more beside the two others
        x, y = (8, i + (i > 5)) if i < 8 else (14 - i + (i == 8), 8)
        modules[y][x] = bit
        x, y = (SIZE - 1 - i, 8) if i < 8 else (8, SIZE - 15 + i)
        modules[y][x] = bit
    modules[SIZE - 8][8] = True


def _bits(data: bytes) -> Iterator[bool]:
    number = (0b0100 << 8 | len(data)) << 8 * len(data) | int.from_bytes(data)
    codewords = (number << 4).to_bytes(len(data) + 2)  # mode, length, data, terminator: whole bytes
    padding = bytes(0xEC if i % 2 == 0 else 0x11 for i in range(CAPACITY + 2 - len(codewords)))
    codewords += padding
    for byte in codewords + _check(codewords):
        yield from (bool(byte >> i & 1) for i in range(7, -1, -1))


def _zigzag() -> Iterator[tuple[int, int]]:
    up = True
    for right in (*range(SIZE - 1, 6, -2), 5, 3, 1):
        for y in range(SIZE - 1, -1, -1) if up else range(SIZE):
            yield right, y
            yield right - 1, y
        up = not up


def _check(data: bytes) -> bytes:
    """Return the Reed-Solomon remainder over GF(256) with the polynomial 0x11D."""
    generator = [1]
    for i in range(CHECK):
        root = _power(i)
        shifted = [*generator, 0]
        generator = [a ^ _times(b, root) for a, b in zip(shifted, [0, *generator], strict=True)]
    rest = [*data, *([0] * CHECK)]
    for i in range(len(data)):
        factor = rest[i]
        for j, coefficient in enumerate(generator):
            rest[i + j] ^= _times(coefficient, factor)
    return bytes(rest[-CHECK:])


def _power(exponent: int) -> int:
    value = 1
    for _ in range(exponent):
        value = _times(value, 2)
    return value


def _times(a: int, b: int) -> int:
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product
