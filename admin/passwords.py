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
_COMMONEST = """
    password passwort passe motdepasse mdp azerty azertyuiop azertyui qwerty qwertyuiop qwertyui qwertz qwertzuiop
    asdf asdfgh asdfghjkl qsdf qsdfgh qsdfghjklm zxcvbn zxcvbnm wxcvbn abc abcd abcde abcdef abcdefgh abcdefghij qaz
    wsx qazwsx qazwsxedc qwert azert admin administrator administrateur root user utilisateur guest test login
    access default welcome bienvenue bonjour coucou hello salut letmein changeme secret master superman batman
    pokemon starwars dragon monkey shadow princess princesse sunshine soleil iloveyou jetaime jtm doudou loulou
    chouchou chocolat nounours football baseball basketball hockey juventus liverpool chelsea marseille paris france
    internet computer ordinateur summer winter spring autumn hiver printemps automne freedom whatever trustno
    trustnoone causerie
"""
COMMON = frozenset(_COMMONEST.split())
"""What stands first on every published list of broken passwords, in English and French, without digits and signs."""
_ROWS = (
    "0123456789", "0987654321", "1234567891011121314", "1qaz2wsx3edc4rfv", "1q2w3e4r5t6y7u8i9o0p",
    "a1z2e3r4t5y6u7i8o9p0", "abcdefghijklmnopqrstuvwxyz",
)  # fmt: skip
_MEANT = str.maketrans("0134578@$!€", "oieastbasie")  # p@ssw0rd: every list has it, too


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
    if _is_common(plain):
        return "common"
    if any(len(word) > 3 and word.casefold() in plain for word in about):
        return "personal"
    return None


def _is_common(plain: str) -> bool:
    """Return whether it is one or two of the commonest words, one thing again and again, or a row of keys; digits hide none."""
    if len(set(plain)) < 4 or _is_repeated(plain) or any(plain in row * 3 for row in _ROWS):
        return True
    bare, meant = (_letters(text) for text in (plain, plain.translate(_MEANT)))
    return any(
        _is_two_words(text) for text in (bare, meant, _letters(plain.strip("0123456789!?.*#").translate(_MEANT)))
    )


def _is_repeated(text: str) -> bool:
    """Return whether the text is the same thing twice or more: found within its double, elsewhere than at its ends."""
    return text in (text + text)[1:-1]


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalpha())


def _is_two_words(text: str) -> bool:
    return text in COMMON or any(text[:at] in COMMON and text[at:] in COMMON for at in range(1, len(text)))
