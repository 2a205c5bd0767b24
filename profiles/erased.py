"""Who was erased, known only by keyed hashes: an address is recognised when it comes again, and can not be read from them.

The key is made of this installation's secret, so whoever has a list of addresses and no secret can not try them. The hash of an
address stands among the identities (`!<hash>`): whoever looks for the holder of an unknown address finds it with the same command.
"""

import hashlib
from collections.abc import Iterable

ERASED = "erased"
"""What stands in place of a profile's id in rows that only count."""
PREFIX = "!"  # no space of addresses begins so, nor does a mention


class Hashes:
    """The hashes of one installation."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(secret, digest_size=32, person=b"erasure").digest()

    @property
    def fingerprint(self) -> str:
        """What tells the hashes of one installation from another's."""
        return hashlib.blake2b(self._key, digest_size=6, person=b"fingerprint").hexdigest()

    def address(self, identity: str) -> str:
        """Return the mark of an identity key."""
        return PREFIX + self._hash(b"address", identity)

    def profile(self, id: str) -> str:
        """Return what a profile is called in the log of erasures and in redacted rows."""
        return f"{ERASED}:{self._hash(b'profile', id)}"

    def addresses(self, identities: Iterable[str]) -> list[str]:
        """Return the marks of these identity keys, each once."""
        return sorted({self.address(identity) for identity in identities})

    def _hash(self, kind: bytes, text: str) -> str:
        return hashlib.blake2b(text.encode(), digest_size=16, key=self._key, person=kind).hexdigest()
