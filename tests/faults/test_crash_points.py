"""Every point at which a crash was thought of: the server dies there, starts again, and nothing is lost or said twice.

The points are found in the source, so a new one is walked without being named here; one that is never reached fails.
The short form walks some of them, others each time; the long form (`make faults`) each of them thrice.
"""

import asyncio
import os
import random
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from profiles.append import begin, said
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.profile import Profile
from profiles.record import from_document, to_document
from profiles.store import Store
from profiles.timeline import BOT, Content, Event
from rules.reaction import nudge
from tests.faults.figures import Figures
from tests.faults.house import ENDED, House, balance
from tests.faults.load import SECRET_HEADER, stored_id, update
from tests.faults.patience import PATIENCE_SECONDS, until
from tests.faults.provider import Provider, provider
from tests.faults.servers import ROOT, SECRET, Nursery, Server, server

PACKAGES = ("causerie", "admin", "channels", "bot", "rules", "profiles")
POINT = re.compile(r"crash_point\(\s*\"([a-z_.]+)\"\s*\)")
AT_ONCE = 4
IN_SHORT = 6
PEOPLE = 12
NO, YES, ORDERS, LEFT_ORDER = 3, 4, (0, 1), 2
WEBHOOK_SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr"
AGAIN_SECONDS = 0.1
RULES = {
    "receipt.yml": (
        "rule: receipt\nstate: live\nclass: transactional\nwhen: {{event: shop.paid, key: event.number, again: ignore}}\n"
        "steps:\n  - send: {{channel: telegram, template: receipt}}\n  - webhook: {{url: \"{hook}\"}}\n"
    ),
    "thanks.yml": (
        "rule: thanks\nstate: live\nclass: marketing\ntopic: offers\nwhen: {{event: shop.paid}}\n"
        "steps:\n  - send: {{channel: telegram, template: thanks}}\n"
    ),
    "templates/receipt.yml": 'fr: {{text: "Reçu {{{{ event.number }}}}"}}\n',
    "templates/thanks.yml": 'fr: {{text: "Merci, une offre"}}\n',
    "vocabulary.yml": "events:\n  shop.paid: {{fr: a payé, en: paid, properties: {{number: text}}}}\n",
}  # fmt: skip


def points() -> list[str]:
    """Return the name of every point in the source."""
    found: set[str] = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            found.update(POINT.findall(file.read_text()))
    return sorted(found)


def test_every_point_is_found_and_named_by_a_literal() -> None:
    calls = sum(
        len(re.findall(r"\bcrash_point\(", file.read_text()))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if file.name != "crash.py"
    )
    named = sum(len(POINT.findall(file.read_text())) for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    assert calls == named and len(points()) >= 20


@pytest.mark.parametrize(("at", "status"), [("", 0), ("here:2", -9), ("here:3", 0), ("here", -9), ("elsewhere", 0)])
def test_a_process_dies_at_its_point_and_only_when_the_environment_says_so(at: str, status: int) -> None:
    program = "from profiles.crash import crash_point; crash_point('here'); crash_point('there'); crash_point('here')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CRASH_AT": at}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == status


async def test_nothing_is_lost_or_said_twice_wherever_the_server_dies(
    nursery: Nursery, folder: Path, mongo_url: str, seed: int, chance: random.Random, is_long: bool, figures: Figures
) -> None:
    passes = (1, 2, 3) if is_long else (1,)
    wanted = os.environ.get("FAULTS_POINT", "").split() or (points() if is_long else chance.sample(points(), IN_SHORT))
    left: Iterator[tuple[str, int]] = iter([(name, nth) for nth in passes for name in wanted])
    never: list[str] = []
    async with provider(folder / "provider.journal", seed=seed) as telegram, receiver() as hook:

        async def walk(worker: int) -> None:
            for name, nth in left:
                place = _Place(nursery, folder, mongo_url, telegram, hook, name, nth, f"crash_{worker}")
                if await place.walked():
                    figures.add(**{"crash_points": 1})
                elif nth == 1:
                    never.append(name)

        await asyncio.gather(*(walk(worker) for worker in range(AT_ONCE)))
    assert not never, f"points that no walk reached: {never}"


@dataclass(slots=True)
class Hook:
    """Another system, and the ids of what it was told."""

    url: str
    heard: list[str]


@asynccontextmanager
async def receiver() -> AsyncIterator[Hook]:
    """Within the block another system listens."""
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request.headers["webhook-id"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/in", hear)
    server = TestServer(app)
    await server.start_server()
    try:
        yield Hook(str(server.make_url("/in")), heard)
    finally:
        await server.close()


_numbers = count(1)


class _Place:
    """One crash: a database of its own, people of its own, everything that a server does, and the questions afterwards."""

    def __init__(
        self, nursery: Nursery, folder: Path, mongo_url: str, telegram: Provider, hook: Hook, name: str, nth: int,
        database: str,
    ) -> None:  # fmt: skip
        number = next(_numbers)
        self.at, self.telegram, self.hook = f"{name}:{nth}", telegram, hook
        self.store = Store(mongo_url, database)
        self.house = House(self.store, PEOPLE, first=900_000_000 + 1_000 * number)
        self.stranger = self.house.first + 500
        inside = {
            "CAUSERIE_RULES__WEBHOOK_SECRET": WEBHOOK_SECRET, "CAUSERIE_RULES__WEBHOOKS_INSIDE": "true",
            "CAUSERIE_CHANNELS__TELEGRAM__TIMEOUT_SECONDS": "5",
        }  # fmt: skip
        self.server: Server = server(
            nursery, folder / f"{name}.{nth}", database_url=mongo_url, database=self.store.name, provider=telegram.url,
            **inside,
        )  # fmt: skip
        self.said: list[tuple[int, str]] = []

    async def walked(self) -> bool:
        """Die there, start again, and ask. False: the point was never reached."""
        key = await self.house.open()
        rules = {name: text.format(hook=self.hook.url) for name, text in RULES.items()}
        await self.house.fire(Path(self.server.settings["CAUSERIE_RULES__FOLDER"]), rules=rules)
        await self._leave_an_orphan()
        await self.server.start(self.at)
        acting = asyncio.create_task(self._act(key))
        try:
            died = await self._dies(acting)
            if died:
                await self.server.start()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await acting
            await self._ends()
            await self._check()
        finally:
            acting.cancel()
            await self.server.stop()
            for collection in INDEXES:  # emptied, indexes and all: making them anew would take most of the time
                await self.store.remove(collection, {})
            await self.store.close()
        return died

    async def _dies(self, acting: "asyncio.Task[None]") -> bool:
        """Return whether it dies; it does not when everything was done and it still lives."""

        async def is_told() -> bool:
            return self.server.status is not None or (acting.done() and await self._is_over())

        await until(is_told)
        assert self.server.status in (None, -9), self.server.log.read_text()[-2000:]
        return self.server.status is not None

    async def _leave_an_orphan(self) -> None:
        """A message that a dead process had committed and not sent, and an order that it had not thought of."""
        paid = Event("left", self.house.profile(LEFT_ORDER), "shop.paid", utc_now(), properties={"number": "A-2"})
        await self.store.insert("events", to_document(paid))
        await self.store.insert("nudges", nudge(paid, "long-dead", utc_now() - timedelta(minutes=1)))
        found = await self.store.get("profiles", self.house.profile(PEOPLE - 1))
        assert found
        person, address = from_document(Profile, found), str(self.house.address(PEOPLE - 1))
        thread = begin(
            f"telegram:{address}",
            person,
            channel="telegram",
            address=address,
            identity=f"telegram:{address}",
            now=utc_now(),
        )
        thread, message = said(
            thread, Content("Un mot resté là"), id="orphan", author=BOT, now=utc_now(), to=thread.identity
        )
        await self.store.insert("conversations", to_document(thread) | {"version": 1})
        row = to_document(message)
        row["delivery"] |= {"leased_by": "long-dead", "lease_until": utc_now()}
        await self.store.insert("messages", row)

    async def _act(self, key: str) -> None:
        """Do what people, shops and browsers do, each thing until it is acknowledged."""
        api = {"Authorization": f"Bearer {key}"}
        consent = {"channel": "telegram", "topic": "offers", "source": "form", "evidence": "a form"}
        profiles = f"{self.server.url}/api/v1/profiles"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            post = _Posts(session)
            webhooks = f"{self.server.url}/channels/telegram/webhook"
            telegram = {SECRET_HEADER: SECRET, "Content-Type": "application/json"}
            events = f"{self.server.url}/api/v1/events"

            async def writes(person: int) -> None:
                for number in (1, 2):
                    text = ("Bonjour", "merci beaucoup")[number - 1]
                    await post(webhooks, telegram, data=update(number, person, text))
                    self.said.append((person, stored_id(number, person)))

            async def orders(number: int) -> None:
                event = {"id": f"o{number}", "name": "shop.paid", "profile": self.house.profile(number),
                         "properties": {"number": f"A-{number}"}}  # fmt: skip
                await post(events, {**api, "Idempotency-Key": f"key-{number}"}, json=event)

            await asyncio.gather(
                *(writes(self.stranger + person) for person in range(3)),
                *(orders(number) for number in ORDERS),
                post(f"{profiles}/{self.house.profile(NO)}/consents", api, json={**consent, "state": "withdrawn"}),
                post(f"{profiles}/{self.house.profile(YES)}/consents", api, json={**consent, "state": "given"}),
            )

    async def _ends(self) -> None:
        try:
            await until(self._is_over)
        except AssertionError:
            raise AssertionError(f"{self.at}: still open: {await self._open()}; {self.server.log}") from None

    async def _is_over(self) -> bool:
        return not await self._open()

    async def _open(self) -> dict[str, Any]:
        """Return what has still to come, by its name."""
        waiting = {"delivery": {"$exists": True}, "delivery.state": {"$nin": ENDED}}
        counts = {
            "campaign": not await self.house.is_over(),
            "messages": await self.store.find("messages", waiting, only=["delivery"]),
            "nudges": await self.store.find("nudges", {}),
            "runs": await self.store.find("runs", {"due_at": {"$exists": True}}),
            "errands": await self.store.find("errands", {"state": {"$ne": "done"}}),
            "errands to come": len(ORDERS) + 1 - await self.store.count("errands", {}),
        }
        return {name: count for name, count in counts.items() if count}

    async def _check(self) -> None:
        at, heard = self.at, self.telegram.by_person()
        stored = {row["_id"] for row in await self.store.find("messages", {"direction": "inbound"}, only=["_id"])}
        assert {id for _, id in self.said} == stored, f"{at}: what was acknowledged is what is stored"
        for person in range(3):
            answers = heard[self.stranger + person]
            assert len(set(answers)) == 2 and len(answers) <= 4, (
                f"{at}: each is answered, rather twice than never: {answers}"
            )
        assert set(heard[self.house.address(PEOPLE - 1)]) >= {"Un mot resté là"}, at
        await self._check_rules(heard)
        errands = {str(row["_id"]) for row in await self.store.find("errands", {}, only=["_id"])}
        assert errands <= set(self.hook.heard), f"{at}: every webhook was made"

    async def _check_rules(self, heard: Any) -> None:
        at = self.at
        sales = [one for number in range(PEOPLE) for one in self._of(heard, number, "soldes")]
        found = await balance(self.house, sales)
        assert found.is_right, f"{at}: {found}"
        for number in (*ORDERS, LEFT_ORDER):
            receipts = self._of(heard, number, "Reçu")
            assert 1 <= len(receipts) <= 2, f"{at}: a receipt is rather said twice than never"
            assert len(self._of(heard, number, "une offre")) <= 1, f"{at}: an offer is never said twice"
        thanks = await self.store.find("messages", {"metadata.rule": "thanks"})
        assert len(thanks) == len(ORDERS) + 1, f"{at}: every event was decided"
        ledger = await self.store.get("ledgers", self.house.profile(NO))
        assert ledger and ledger["on"]["telegram:offers"] is False, f"{at}: an acknowledged no holds"
        proofs = await self.store.find("consents", {})
        assert {proof["change"] for proof in proofs} == {"withdrawn", "given"}, f"{at}: both were proved"

    def _of(self, heard: Any, number: int, word: str) -> list[int]:
        """Return this person's address, once for each message of theirs with this word."""
        address = self.house.address(number)
        return [address for text in heard.get(address, ()) if word in text]


class _Posts:
    """Posts until it is acknowledged, as a client does that was told to."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, url: str, headers: dict[str, str], **body: Any) -> None:
        while True:
            try:
                async with self._session.post(url, headers=headers, **body) as answer:
                    if answer.status in (200, 201):
                        return
                    assert answer.status in (409, 429, 503), await answer.text()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(AGAIN_SECONDS)
