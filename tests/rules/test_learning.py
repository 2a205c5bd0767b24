"""From the sending to what is learned, on the real engine: receipts, clicks and replies move runs, and teach of the contact."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from admin.links import link_routes
from channels.channel import Channel, Inbound, Limits, Outbound, Receipt, Sending, Sent
from channels.inbound import FrontDoor
from channels.outbound import BackDoor
from profiles.answer import Answer
from profiles.conversation import Conversation
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.profile import Profile
from profiles.reactivity import Response, rate
from profiles.record import from_document, replace
from profiles.snapshot import Changes, Snapshot, Work
from profiles.store import Store
from profiles.timeline import Content, Event, Message
from profiles.writer import Writer
from rules.choice import most_reactive
from rules.gatekeeper import Letter
from rules.options import RulesOptions
from rules.person import Person
from rules.policy import Reach
from rules.run import Run
from rules.running import Running, open_rules
from rules.tracking import Tracker
from tests.cast import NOON, anna
from tests.rules.play import REACHES
from tests.waiting import until

SECRET, BASE = b"s" * 32, "https://hello.example.org"
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"}
RULE = """
rule: cart
state: live
class: transactional
when: {event: cart.updated, key: event.cart_id, again: parallel}
steps:
  - send: {channel: telegram, template: t1, fallback: {unless: %s, within: 4h, channel: [email]}}
    id: first
  - emit: {event: cart.over}
"""
PREFERRED = """
rule: preferred
state: live
class: transactional
when: {event: cart.left, key: event.cart_id, again: parallel}
steps:
  - send: {channel: preferred, template: t2}
"""


def renders(template: str, reach: Reach, person: Person, run: Run, variant: str) -> Letter:
    """Say the template's name and a link."""
    return Letter(
        Content(f"{template} https://shop.example/basket", html="<p>x</p>" if reach.channel == "email" else "")
    )


def silent(snapshot: Snapshot, profile: Profile, conversation: Conversation, message: Message) -> Answer:
    """Say nothing."""
    return Answer(profile, conversation, ())


@dataclass
class Pigeon:
    """Carries everything, under the message's own id."""

    name: str
    space: str
    limits: Limits = Limits()
    carried: list[Outbound] = field(default_factory=list)

    def routes(self) -> list[Any]:
        return []

    async def send(self, outbound: Outbound) -> Sending:
        self.carried.append(outbound)
        return Sent(outbound.id)

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        raise LookupError(remote)

    async def close(self) -> None:
        return None


class Town:
    """One server without its pages: both doors, the rules, the links, and a clock that only the test moves."""

    def __init__(
        self, store: Store, http: TestClient[Any, Any], rules: Running, writer: Writer, now: list[datetime]
    ) -> None:
        self.store, self.http, self.rules, self.writer, self.clock = store, http, rules, writer, now
        self.telegram, self.email = Pigeon("telegram", "telegram"), Pigeon("email", "email")
        channels: dict[str, Channel] = {"telegram": self.telegram, "email": self.email}
        self.permits = Permits(store, Ledgers(store), clock=lambda: now[0])
        self.back_door = BackDoor(channels, writer, clock=lambda: now[0], permits=self.permits)
        self.front_door = FrontDoor(writer, store, answer=silent, limits={})
        writer.listen(self.back_door.take)

    async def happens(self, name: str, **properties: Any) -> None:
        now = self.clock[0]
        event = Event(f"{name}-{now.timestamp()}", "anna", name, now, properties=properties)
        await self.writer.commit(Work(lambda snapshot: Changes(events=(event,))))
        await self.rules.engine.settled()

    async def passes(self, **length: float) -> None:
        self.clock[0] += timedelta(**length)
        while await self.rules.engine.look():
            await self.rules.engine.settled()

    async def last(self, pigeon: Pigeon, number: int = 1) -> Message:
        """Return the newest message of a channel once so many have left and that is recorded."""

        async def has_left() -> Message | None:
            if len(pigeon.carried) < number:
                return None
            row = await self.store.get("messages", pigeon.carried[-1].id)
            message = from_document(Message, row) if row else None
            return message if message and message.delivery and message.delivery.state == "sent" else None

        found: Message = await until(has_left)
        return found

    async def receipt(self, message: Message, state: Any) -> None:
        await self.front_door.receive(Receipt(message.channel, message.id, state, self.clock[0]))
        await self.rules.engine.settled()

    async def presses(self, text: str) -> int:
        token = text.split(f"{BASE}/l/")[1][:32]
        answer = await self.http.get(f"/l/{token}", allow_redirects=False, headers=PHONE)
        await self.rules.engine.settled()
        return answer.status

    async def replies(self, text: str) -> None:
        id = f"in{self.clock[0].timestamp()}"
        await self.front_door.receive(Inbound("telegram", "7001", id, Content(text)))
        await self.rules.engine.settled()

    async def letters(self) -> int:
        """Return how many e-mails were made, sent or not."""
        return await self.store.count("messages", {"channel": "email"})

    async def run(self) -> dict[str, Any]:
        (found,) = await self.store.find("runs", {"rule": "cart"})
        return found

    async def learned(self) -> Profile:
        await self.rules.learning.look()
        row = await self.store.get("profiles", "anna")
        assert row
        return from_document(Profile, row)


@pytest.fixture
def unless() -> str:
    return "opened"


@pytest.fixture
async def town(mongo_url: str, database_name: str, tmp_path: Path, unless: str) -> AsyncIterator[Town]:
    (tmp_path / "cart.yml").write_text(RULE % unless)
    (tmp_path / "preferred.yml").write_text(PREFERRED)
    store, now = Store(mongo_url, database_name), [NOON]
    await store.prepare(INDEXES)
    writer = Writer(store, process="p1", clock=lambda: now[0])
    claims = {identity.key: "anna" for identity in anna().identities}
    await writer.commit(Work(lambda snapshot: Changes(profiles=(anna(),), claims=claims)))
    rules = await open_rules(
        store, writer, REACHES, most_reactive, RulesOptions(str(tmp_path)), language="fr", clock=lambda: now[0],
        renders=renders, tracker=Tracker(BASE, SECRET),
    )  # fmt: skip
    assert not rules.bookcase.book.mistakes
    rules.engine.begin()
    app = web.Application()
    app.add_routes(link_routes(store, writer, SECRET, lambda: now[0]))
    async with TestClient(TestServer(app)) as http:
        opened = Town(store, http, rules, writer, now)
        yield opened
        await opened.back_door.close()
        await opened.front_door.close()
    await rules.close()
    await opened.permits.close()
    await writer.close()
    await store.close()


async def test_a_message_that_nobody_opened_comes_again_on_the_other_channel(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    message = await town.last(town.telegram)
    await town.receipt(message, "delivered")
    await town.passes(hours=3, minutes=59)
    assert await town.letters() == 0
    await town.passes(minutes=2)
    letter = await town.last(town.email)
    assert letter.metadata["step"] == "first/fallback" and letter.content.links == ("https://shop.example/basket",)
    run = await town.run()
    assert set(run["sends"]) == {"first", "first/fallback"} and list(run["sends"]["first"]["reactions"]) == [
        "delivered"
    ]


async def test_a_message_that_was_read_needs_no_other_channel(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    await town.receipt(await town.last(town.telegram), "read")
    run = await town.run()
    assert run["ended"] == "done", "the next step was done at once"
    await town.passes(hours=5)
    assert await town.letters() == 0


@pytest.mark.parametrize("unless", ["clicked"])
async def test_a_click_on_a_tracked_link_needs_no_other_channel_and_being_read_does(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    message = await town.last(town.telegram)
    await town.receipt(message, "read")
    assert (await town.run())["due_at"] == NOON + timedelta(hours=4)
    town.clock[0] += timedelta(minutes=10)
    assert await town.presses(message.content.text) == 302
    run = await town.run()
    assert run["ended"] == "done" and {"opened", "clicked"} <= set(run["sends"]["first"]["reactions"])
    await town.passes(hours=5)
    assert await town.letters() == 0


async def test_a_reply_is_a_reaction_of_the_run(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    await town.last(town.telegram)
    town.clock[0] += timedelta(minutes=5)
    await town.replies("oui merci")
    run = await town.run()
    assert "replied" in run["sends"]["first"]["reactions"]
    await town.passes(hours=5)
    assert await town.letters() == 0, "who answers has read it"


async def test_where_a_contact_reacts_is_learned_and_preferred_from_then_on(town: Town) -> None:
    for number in range(1, 5):
        await town.happens("cart.updated", cart_id=f"c{number}")
        await town.last(town.telegram, number)
        await town.passes(hours=5)  # nobody opens it: the letter comes
        letter = await town.last(town.email, number)
        town.clock[0] += timedelta(minutes=3)
        await town.presses(letter.content.text)
        await town.passes(days=1)
    known = (await town.learned()).reactivity
    assert known and set(known.channels) == {"email", "telegram"}
    assert known.channels["telegram"].reacted == 0 and rate(known, "email", known.at) == 1.0
    assert sum(known.hours) == pytest.approx(4, abs=0.2)
    await town.replies("bonjour")  # the last channel is Telegram now
    await town.happens("cart.left", cart_id="c9")
    await until(lambda: len(town.email.carried) == 5)
    assert town.email.carried[-1].content.text.startswith("t2")


async def test_nobody_is_written_who_did_not_react(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    message = await town.last(town.telegram)
    await town.receipt(message, "delivered")
    before = await town.store.get("profiles", "anna")
    assert await town.rules.learning.look() == 0
    assert await town.store.get("profiles", "anna") == before


async def test_what_a_merged_contact_did_is_learned_of_who_they_are_now(town: Town) -> None:
    await town.happens("cart.updated", cart_id="c1")
    message = await town.last(town.telegram)

    def merges(snapshot: Snapshot) -> Changes:
        old = snapshot.profiles["anna"]
        new = Profile("anna2", NOON, old.identities, absorbed=("anna",))
        return Changes(profiles=(replace(old, merged_into="anna2", identities=()), new))

    await town.writer.commit(Work(merges, profiles=("anna",)))
    await town.receipt(message, "read")
    await town.rules.learning.look()
    row = await town.store.get("profiles", "anna2")
    assert row and from_document(Profile, row).reactivity == (await _known(town))
    assert (await _known(town)).channels == {"telegram": Response(1.0, 0.25)}


async def _known(town: Town) -> Any:
    row = await town.store.get("profiles", "anna2")
    assert row
    return from_document(Profile, row).reactivity
