"""The `wallet` step carried out: what rules want of somebody's pass is kept, all that waits for one pass at once.

The texts of the step are written for the contact here; what becomes of the pass is whoever's `keep` it is. A rule that changes
a pass ten times in a second comes to one change of it.
"""

import asyncio
from collections.abc import Sequence

from profiles.calendar import Clock
from profiles.every import Every
from profiles.passes import MESSAGE, Keep, Wish
from profiles.profile import Profile
from profiles.record import Document
from profiles.store import Store, Unavailable
from rules.errand_rows import claim, end, profile_of, put_off
from rules.letters import fields_for
from rules.webhooks import written_for

KIND = "wallet"
LOOK_SECONDS, OFF_SECONDS = 0.5, 10.0
AT_ONCE = 200
OFF = "off"
"""Why a pass is not kept where no wallet is switched on."""


class WalletErrands:
    """Carries out wallet steps, from `start` to `close`. Every process has one; each errand is claimed by one of them."""

    def __init__(self, store: Store, keep: Keep | None, *, clock: Clock) -> None:
        self._store, self._keep, self._clock = store, keep, clock
        self._looking = Every(LOOK_SECONDS if keep else OFF_SECONDS, self.look, name="wallet errands")

    async def start(self) -> None:
        """Begin to look for errands that are due."""
        await self._looking.start()

    async def close(self) -> None:
        """Stop; what is under way is done again by the next process."""
        await self._looking.close()

    async def look(self) -> int:
        """Carry out all that is due, and return how many errands that were."""
        done = 0
        while claimed := await claim(self._store, KIND, self._clock(), most=AT_ONCE):
            together: dict[tuple[str, str], list[Document]] = {}
            for errand in sorted(claimed, key=lambda one: (one["at"], one["_id"])):
                together.setdefault((errand["profile"], errand["target"]), []).append(errand)
            await asyncio.gather(*(self._carry(errands) for errands in together.values()))
            done += len(claimed)
        return done

    async def _carry(self, errands: Sequence[Document]) -> None:
        reason = await self._kept(errands)
        now = self._clock()
        for errand in errands:
            if reason in ("changed", "same"):
                await end(self._store, errand, "done", reason, now)
            elif reason == "unavailable":
                await put_off(self._store, errand, reason, now)
            else:
                await end(self._store, errand, "dead", reason, now)

    async def _kept(self, errands: Sequence[Document]) -> str:
        if self._keep is None:
            return OFF
        try:
            profile = await profile_of(self._store, errands[0]["profile"])
            return await self._keep(wish_of(profile, errands)) if profile else "nobody"
        except Unavailable:
            return "unavailable"


def wish_of(profile: Profile, errands: Sequence[Document]) -> Wish:
    """Return what these errands of one person and one card come to, the latest word on each field holding."""
    put: dict[str, str] = {}
    message = id = ""
    for errand in errands:
        fields = fields_for(profile, errand["start"], errand["at"])
        written = {name: written_for(profile, text, fields).strip() for name, text in errand["fields"].items()}
        if told := written.pop(MESSAGE, ""):
            message, id = told, str(errand["_id"])
        put |= written
    return Wish(profile.id, str(errands[-1]["target"]), put, message, id, bool(errands[-1].get("ends")))
