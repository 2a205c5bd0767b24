"""The console as tests see it: a real database with a seeded shop, the real app on a real port, and people who sign in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, CookieJar, web
from aiohttp.test_utils import TestServer
from yarl import URL

from admin import agents, sessions
from admin.agents import Agent
from admin.desk import Desk, Drafts, Options
from admin.live import LIVE, Live
from admin.passwords import Passwords
from admin.roles import Role
from admin.routes import routes
from bot.live import load_live
from bot.workshop import Workshop
from channels.channel import Limits, Outbound, Sending, Sent
from profiles.append import begin, heard, noted, said
from profiles.calendar import utc_now
from profiles.consents import Consents
from profiles.conversation import Conversation, Handover, hand_over, take
from profiles.indexes import INDEXES
from profiles.ledgers import Ledgers
from profiles.live import Feed
from profiles.permits import Permits
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Done, Outcome, Snapshot, Work
from profiles.store import Plan, Store
from profiles.timeline import BOT, Button, Content, Message
from profiles.writer import Writer
from rules.choice import as_listed
from rules.options import RulesOptions
from rules.policy import Reach
from rules.running import open_rules

PASSWORD = "a long enough pass phrase"
SECRET = b"0123456789abcdef0123456789abcdef"


@dataclass
class Clock:
    """Real time, moved on by hand where a test needs a later moment."""

    ahead: timedelta = timedelta()

    def __call__(self) -> Any:
        return utc_now() + self.ahead


@dataclass
class QuietChannel:
    """A channel that sends nothing and says what it can carry."""

    name: str
    space: str
    limits: Limits = Limits()
    typed: list[str] = field(default_factory=list)

    def routes(self) -> list[web.RouteDef]:
        return []

    async def send(self, outbound: Outbound) -> Sending:
        return Sent()

    async def fetch(self, remote: str) -> tuple[bytes, str]:
        raise LookupError(remote)

    async def close(self) -> None:
        return None

    def typing(self, conversation: str) -> None:
        self.typed.append(conversation)


@dataclass
class Caller:
    """Somebody's browser, without a screen: a cookie jar, the token of its forms, and the console's address."""

    http: ClientSession
    base: str
    csrf: str = ""

    async def get(self, path: str, **more: Any) -> ClientResponse:
        return await self.http.get(f"{self.base}{path}", allow_redirects=False, **more)

    async def page(self, path: str) -> str:
        answer = await self.get(path)
        text = await answer.text()
        assert answer.status == 200, (answer.status, text[:300])
        return text

    async def post(
        self, path: str, json: Any = None, *, form: dict[str, str] | None = None, **more: Any
    ) -> ClientResponse:
        headers = {"Origin": self.base.removesuffix("/console"), **more.pop("headers", {})}
        if form is not None:
            return await self.http.post(
                f"{self.base}{path}", data={"csrf": self.csrf, **form}, headers=headers, allow_redirects=False, **more
            )
        headers = {"X-CSRF": self.csrf, **headers}
        return await self.http.post(
            f"{self.base}{path}", json=json or {}, headers=headers, allow_redirects=False, **more
        )

    async def learn_csrf(self, path: str) -> None:
        text = await (await self.get(path)).text()
        found = re.search(r'name="csrf" value="([^"]+)"|data-csrf="([^"]+)"', text)
        assert found, text[:300]
        self.csrf = found.group(1) or found.group(2)


@dataclass
class Office:
    """The desk, its running console, and shortcuts to fill and ask it."""

    desk: Desk
    base: str
    clock: Clock
    server: TestServer
    live: Live
    callers: list[ClientSession] = field(default_factory=list)

    async def agent(self, name: str = "Maya Lindqvist", role: Role = "agent", **more: Any) -> Agent:
        email = f"{name.split()[0].casefold()}@example.org"
        agent = Agent(
            f"{name.split()[0].casefold()}", email, name, role, self.clock(),
            password=await self.desk.passwords.hash(PASSWORD), **more,
        )  # fmt: skip
        plan = Plan()
        plan.update("agents", agents.born(agent))
        await self.desk.store.commit(plan)
        return replace(agent, version=1)

    def stranger(self) -> Caller:
        http = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self.callers.append(http)
        return Caller(http, self.base)

    async def signed_in(self, agent: Agent, **more: Any) -> Caller:
        caller = self.stranger()
        token = await sessions.begin(self.desk, agent.id, ip="127.0.0.1", browser=more.get("browser", "Test"))
        caller.http.cookie_jar.update_cookies({sessions.cookie_name(self.desk): token}, URL(self.base))
        await caller.learn_csrf("/settings")
        return caller

    async def commit(self, *changes: Changes) -> None:
        for change in changes:
            outcome = await self.do(Work(lambda snapshot, change=change: change))  # type: ignore[misc]
            assert isinstance(outcome, Done), outcome

    async def do(self, work: Work) -> Outcome:
        return await self.desk.writer.commit(work)

    async def conversation(self, id: str) -> Conversation:
        document = await self.desk.store.get("conversations", id)
        assert document is not None
        return from_document(Conversation, document)

    async def says(self, id: str, text: str) -> Message:
        """The customer of this conversation writes once more."""

        def think(snapshot: Snapshot) -> Changes:
            conversation, message = heard(
                snapshot.conversations[id],
                Content(text),
                id=f"in:{id}:{snapshot.conversations[id].seq}",
                now=snapshot.now,
            )
            return Changes(conversations=(conversation,), messages=(message,), answer=message)

        outcome = await self.do(Work(think, conversations=(id,)))
        assert isinstance(outcome, Done)
        message: Message = outcome.changes.answer
        return message


CHANNELS: dict[str, Any] = {
    "webchat": QuietChannel("webchat", "webchat", Limits(attachments=("image", "file"), attachment_bytes=10_000_000)),
    "telegram": QuietChannel("telegram", "telegram", Limits(buttons=8, attachments=("image", "file"))),
    "twilio": QuietChannel("twilio", "sms", Limits(text=1600)),
}


async def open_office(
    url: str,
    database: str,
    *,
    options: Options | None = None,
    port: int | None = None,
    folder: Path | None = None,
    drafts: Drafts | None = None,
    book: Path | None = None,
    listeners: Sequence[Any] = (),
) -> Office:
    """Open it; with a bot's folder it can be taught there, with a rule book's folder its rules react to what happens.

    `listeners` are the driver's: they see each command of its store.
    """
    store = Store(url, database, listeners=listeners)
    await store.prepare(INDEXES)
    clock, feed = Clock(), Feed()
    writer = Writer(store, process="test", clock=clock)
    writer.listen(feed.announce)
    app = web.Application()
    rules = None
    if book:
        reaches = [Reach(channel.name, channel.space) for channel in CHANNELS.values()]
        rules = await open_rules(
            store, writer, reaches, as_listed, RulesOptions(folder=str(book)), language="fr", clock=clock
        )
        rules.engine.begin()
    desk = Desk(
        store, writer, feed, clock, SECRET, "http://127.0.0.1", dict(CHANNELS), options or Options(),
        passwords=Passwords(time_cost=1, memory_kib=1024), drafts=drafts,
        workshop=Workshop(store, load_live(folder, None, clock=clock), clock=clock) if folder else None,
        rules=rules, consents=Consents(store, Ledgers(store), Permits(store, Ledgers(store), clock=clock)),
    )  # fmt: skip
    console = routes(desk)
    app.add_subapp("/console", console)
    server = TestServer(app, port=port)
    await server.start_server()
    return Office(desk, f"http://127.0.0.1:{server.port}/console", clock, server, console[LIVE])


async def close_office(office: Office) -> None:
    for http in office.callers:
        await http.close()
    await office.server.close()
    if office.desk.rules:
        await office.desk.rules.close()
    await office.desk.writer.close()
    await office.desk.store.close()


async def seed(office: Office) -> None:
    """Anna waits for a person, Boris talks with the bot, Chloé is answered by Maya on two channels."""
    now = office.clock() - timedelta(minutes=50)
    await office.commit(anna(now), boris(now), chloe(now))


def person(id: str, name: str, now: Any, *keys: tuple[str, str], language: str = "fr") -> Profile:
    identities = tuple(
        Identity(space, address, now, verified_at=now if space != "webchat" else None) for space, address in keys
    )
    first, _, last = name.partition(" ")
    profile = Profile(id, now, identities, language=language, last_channel=keys[0][0], last_inbound_at=now)
    for attribute, value in (("first_name", first), ("last_name", last)):
        if value:
            profile = profile.learn(attribute, value, source="declared", at=now, by="webchat")
    return profile


def talk(thread: Conversation, now: Any, *turns: tuple[str, str]) -> tuple[Conversation, list[Message]]:
    """Let a conversation go on, a minute for each turn: ("customer" | "bot" | agent id | "note", text)."""
    messages: list[Message] = []
    for number, (who, text) in enumerate(turns):
        at, id = now + timedelta(minutes=number), f"{thread.id}:{thread.seq + 1}"
        if who == "customer":
            thread, message = heard(thread, Content(text), id=id, now=at)
        elif who == "note":
            thread, message = noted(thread, text, id=id, author="agent:maya", now=at)
        else:
            buttons = (Button("Suivre ma commande"), Button("Parler à quelqu'un")) if "?" in text and who == BOT else ()
            author = BOT if who == BOT else f"agent:{who}"
            thread, message = said(
                thread, Content(text, buttons=buttons), id=id, author=author, now=at, to=thread.identity
            )
            assert message.delivery is not None
            message = replace(message, delivery=replace(message.delivery, state="delivered", times={"delivered": at}))
        messages.append(message)
    return thread, messages


def anna(now: Any) -> Changes:
    profile = person("anna", "Anna Martin", now, ("webchat", "a1b2c3d4e5f6a7b8"), ("email", "anna.martin@example.org"))
    thread = begin(
        "webchat:a1b2c3d4e5f6a7b8",
        profile,
        channel="webchat",
        address="a1b2c3d4e5f6a7b8",
        identity="webchat:a1b2c3d4e5f6a7b8",
        now=now,
    )
    thread, messages = talk(thread, now, ("customer", "Bonjour"), (BOT, "Bonjour ! Que puis-je faire pour vous ?"),
                            ("customer", "Ma commande A-1042 n'est pas arrivée, le suivi ne bouge plus depuis mardi."),
                            (BOT, "La commande A-1042 est partie lundi. Un conseiller vous répondra ici."))  # fmt: skip
    told = "Dernier message : le suivi ne bouge plus depuis mardi.\nCommande : A-1042, partie lundi."
    why = Handover("asked", now + timedelta(minutes=4), told)
    thread = hand_over(thread, why)
    thread, more = talk(thread, now + timedelta(minutes=5), ("customer", "Merci, j'attends."))
    return Changes(
        (profile,), (thread,), {identity.key: "anna" for identity in profile.identities}, messages=(*messages, *more)
    )


def boris(now: Any) -> Changes:
    profile = person("boris", "Boris Petit", now, ("sms", "+33600000002"))
    thread = begin(
        "twilio:+33600000002", profile, channel="twilio", address="+33600000002", identity="sms:+33600000002", now=now
    )
    thread, messages = talk(thread, now - timedelta(hours=20), ("customer", "Vous êtes ouverts dimanche ?"),
                            (BOT, "Oui, de 10 h à 18 h, 12 rue des Lilas."))  # fmt: skip
    return Changes(
        (profile,), (thread,), {identity.key: "boris" for identity in profile.identities}, messages=tuple(messages)
    )


def chloe(now: Any) -> Changes:
    profile = person("chloe", "Chloé Rossi", now, ("telegram", "7003"), ("sms", "+33600000003"))
    sms = begin(
        "twilio:+33600000003", profile, channel="twilio", address="+33600000003", identity="sms:+33600000003", now=now
    )
    sms, earlier = talk(sms, now - timedelta(days=1), ("customer", "Ma veste en 38, c'est possible de l'échanger ?"),
                        (BOT, "Les échanges sont gratuits pendant 30 jours."))  # fmt: skip
    chat = begin("telegram:7003", profile, channel="telegram", address="7003", identity="telegram:7003", now=now)
    chat, messages = talk(
        chat, now + timedelta(minutes=20), ("customer", "Bonjour, je reviens vers vous pour ma veste.")
    )
    chat = take(chat, "maya")
    chat, more = talk(chat, now + timedelta(minutes=25), ("maya", "Bonjour Chloé, bien sûr. Vous souhaitez quelle taille ?"),
                      ("customer", "Un 40, si vous l'avez en bleu : https://shop.example/veste-bleue?taille=40"),
                      ("note", "Il en reste deux à Lyon. @Samir Haddad tu peux en mettre une de côté ?"))  # fmt: skip
    claims = {identity.key: "chloe" for identity in profile.identities}
    return Changes((profile,), (sms, chat), claims, messages=(*earlier, *messages, *more))
