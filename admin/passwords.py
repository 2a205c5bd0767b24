"""Is this the agent's password? argon2id with OWASP's parameters, a few at a time so that a flood can not take the machine.

Source: OWASP Password Storage Cheat Sheet (argon2id, 19 MiB, t=2, p=1).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 4
WAITING = 32  # past this many the answer is "busy": each takes some 30 ms of a core
SHORTEST, LONGEST = 10, 128
COMMON = frozenset(
    {
        "1234567890", "12345678910", "0123456789", "password123", "password1234", "passw0rd123", "p@ssw0rd123",
        "motdepasse", "motdepasse1", "motdepasse123", "azertyuiop", "azerty12345", "qwertyuiop", "qwerty12345",
        "1q2w3e4r5t", "1qaz2wsx3edc", "abcdefghij", "iloveyou123", "letmein1234", "welcome123", "welcome1234",
        "bienvenue1", "bienvenue123", "administrator", "administrateur", "admin12345", "changeme123", "football123",
        "soleil12345", "doudou12345", "causerie123", "causerie1234",
    }
)  # fmt: skip


class Busy(Exception):
    """Too many passwords are being checked; come back in a moment."""


class Passwords:
    """Hashes and checks passwords in a pool of its own."""

    def __init__(self, *, time_cost: int = 2, memory_kib: int = 19 * 1024) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._under_way = 0
        self._nobody: str | None = None
        self.checked = 0
        """How many were really compared, so that a test can see what the throttle let through."""

    async def hash(self, password: str) -> str:
        """Return what to keep instead of the password. Raises Busy."""
        return str(await self._run(partial(self._hasher.hash, password)))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Return whether this is the password; for nobody (None) it takes as long and is never true. Raises Busy."""
        if self._nobody is None:
            self._nobody = await self.hash("nobody has this password")
        self.checked += 1
        return bool(await self._run(partial(self._compare, kept or self._nobody, password))) and kept is not None

    def _compare(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: "partial[bool] | partial[str]") -> bool | str:
        if self._under_way >= AT_ONCE + WAITING:
            raise Busy
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._under_way -= 1


def weakness(password: str, *, about: tuple[str, ...] = ()) -> str | None:
    """Return why this password is refused (short, long, common, personal), or None if it will do."""
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < 4:
        return "common"
    if any(len(word) > 3 and word.casefold() in plain for word in about):
        return "personal"
    return None
