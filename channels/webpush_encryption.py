"""Encryption and keys of web push (RFC 8291, RFC 8292): the one file that knows pywebpush and py_vapid.

Both load cryptography and requests, 30 MB of memory, so they are imported by whoever really encrypts.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from functools import cache
from typing import cast

from profiles.base64url import base64url

CODING = "aes128gcm"
PUBLIC_BYTES, AUTH_BYTES = 65, 16
OVERHEAD = 103  # bytes: header with the sender's key 86, tag 16, delimiter 1 (RFC 8188, section 2)
MOST_AT_ONCE = 16  # messages encrypted without a pause: two milliseconds, in which nobody else is answered
LARGEST_PLAIN = 4096 - OVERHEAD  # every push service takes 4096 bytes (RFC 8030, section 7.2); most take no more


class Together:
    """Encrypts what is asked for in the same turn of the loop in one go, some at a time.

    Between other work a message costs a quarter more: the tables of the curve have left the processor's cache by then
    (`bench webpush`, in turn in one run: 286 us of CPU in all one by one, 225 together).
    """

    def __init__(self) -> None:
        self._asked: list[tuple[bytes, bytes, bytes, asyncio.Future[bytes]]] = []

    async def encrypted(self, point: bytes, secret: bytes, plain: bytes) -> bytes:
        """Return the body to post, as `encrypted` does. Raises ValueError for keys that are none."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._encrypt)
        answer: asyncio.Future[bytes] = loop.create_future()
        self._asked.append((point, secret, plain, answer))
        return await answer

    def _encrypt(self) -> None:
        now, self._asked = self._asked[:MOST_AT_ONCE], self._asked[MOST_AT_ONCE:]
        if self._asked:
            asyncio.get_running_loop().call_soon(self._encrypt)
        for point, secret, plain, answer in now:
            if answer.done():  # who asked was called off
                continue
            try:
                answer.set_result(encrypted(point, secret, plain))
            except Exception as error:  # noqa: BLE001 (who asked gets it, whatever it is, and the others theirs)
                answer.set_exception(error)


def encrypted(point: bytes, secret: bytes, plain: bytes) -> bytes:
    """Return the body to post for a browser with these keys, made for it alone. Raises ValueError for keys that are none."""
    if len(point) != PUBLIC_BYTES or not secret:
        raise ValueError("the keys of a browser are wrong")
    return _seal()(plain, point, secret)


@cache
def _seal() -> Callable[[bytes, bytes, bytes], bytes]:
    """Return how pywebpush encrypts: by http_ece, with a key pair that is put into bytes once a message and not thrice.

    In turn with pywebpush's own way, eight rounds of 1,500 in one run of `bench webpush`: 220 us of CPU in all before, 204 since.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from pywebpush import http_ece

    curve, as_point = ec.SECP256R1(), (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)

    class Sender:
        """A key pair for one message: all that http_ece asks of it."""

        __slots__ = ("_bytes", "exchange")

        def __init__(self) -> None:
            private = ec.generate_private_key(curve)
            self.exchange, self._bytes = private.exchange, private.public_key().public_bytes(*as_point)

        def public_key(self) -> "Sender":
            return self

        def public_bytes(self, *_: object) -> bytes:
            return self._bytes

    def seal(plain: bytes, point: bytes, secret: bytes) -> bytes:
        return cast(bytes, http_ece.encrypt(plain, private_key=Sender(), dh=point, auth_secret=secret, version=CODING))

    return seal


def are_keys(point: bytes, secret: bytes) -> bool:
    """Return whether these are a browser's keys (`p256dh`, `auth`): a point of P-256, and 16 bytes."""
    from cryptography.hazmat.primitives.asymmetric import ec

    if len(point) != PUBLIC_BYTES or len(secret) != AUTH_BYTES:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return True


def new_private_key() -> str:
    """Return a new VAPID private key: 32 bytes in base64url, as every web push tool writes it."""
    from cryptography.hazmat.primitives.asymmetric import ec

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64url(number.to_bytes(32, "big"))


def public_key(private: str) -> str:
    """Return the public half as browsers take it (applicationServerKey). Raises ValueError for a key that is none."""
    from cryptography.hazmat.primitives import serialization

    point = _vapid(private).public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64url(point)


def authorization(private: str, claims: Mapping[str, str | int]) -> str:
    """Return the Authorization header that says these claims (`aud`, `exp`, `sub`)."""
    return cast(str, _vapid(private).sign(dict(claims))["Authorization"])


def unpacked(text: str) -> bytes:
    """Return the bytes of a base64url text, padded or not; none when it is not one."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _vapid(private: str):  # type: ignore[no-untyped-def]  # py_vapid has no types
    from py_vapid import Vapid02

    raw = unpacked(private)
    if len(raw) != 32:
        raise ValueError("expected 32 bytes in base64url, as `vapid` and `web-push generate-vapid-keys` write them")
    return Vapid02.from_raw(base64url(raw).encode())
