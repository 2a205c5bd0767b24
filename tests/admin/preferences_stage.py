"""A person's own pages as tests see them: a real database, the real application on a real port, people with links."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from admin.centre import Centre
from admin.one_click import unsubscribing
from admin.preferences import preferences
from profiles.consent import Proof, verdict
from profiles.consents import Consents, Said
from profiles.expression_tree import Kind
from profiles.indexes import INDEXES
from profiles.ledger import Ledger
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.personal_links import PersonalLinks
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Work
from profiles.store import Store
from profiles.topics import Topic
from profiles.writer import Writer
from rules.policy import Policy
from rules.vocabulary_file import Called, Words

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")

OFFERS = Topic(
    "offers",
    {"fr": "Offres et nouveautés", "en": "Offers and news"},
    {
        "fr": "J'accepte de recevoir les offres et nouveautés de la boutique. Je peux changer d'avis à tout moment.",
        "en": "I agree to receive offers and news from the shop. I can change my mind at any time.",
    },
    "3",
)
NEWS = Topic(
    "news",
    {"fr": "Lettre du mois", "en": "Monthly letter"},
    {"fr": "J'accepte de recevoir la lettre du mois.", "en": "I agree to receive the monthly letter."},
    channels=("email",),
    double_opt_in=True,
)
SERVICE = Topic(
    "service",
    {"fr": "Rendez-vous et suivi", "en": "Appointments and follow-up"},
    {"fr": "Je veux recevoir les rappels de mes rendez-vous.", "en": "I want to receive reminders of my appointments."},
    consent="opt_out",
)
TOPICS = {topic.id: topic for topic in (OFFERS, NEWS, SERVICE)}
WORDS = Words({
    "first_name": Called(Kind.TEXT, {"fr": "le prénom", "en": "first name"}, is_own=True),
    "city": Called(Kind.TEXT, {"fr": "la ville", "en": "city"}, is_own=True),
    "timezone": Called(Kind.TEXT, {"fr": "le fuseau horaire", "en": "time zone"}, is_own=True),
    "born_on": Called(Kind.DATE, {"fr": "la date de naissance", "en": "date of birth"}, is_own=True),
    "points": Called(Kind.NUMBER, {"fr": "les points de fidélité", "en": "loyalty points"}),
})  # fmt: skip


@dataclass
class Clock:
    """The instant that the server believes it is."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **length: float) -> None:
        self.now += timedelta(**length)


@dataclass
class Stage:
    """The pages, and eyes on what they leave behind."""

    centre: Centre
    clock: Clock
    server: TestServer
    http: ClientSession
    topics: dict[str, Topic] = field(default_factory=lambda: dict(TOPICS))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def link(self, profile: str = "anna") -> str:
        """Return the address of this person's page here."""
        return self._here(self.centre.links.preferences(profile, self.clock.now))

    def here(self, link: str) -> str:
        """Return a link as this server has it."""
        return self._here(link)

    async def get(self, link: str, **more: Any) -> tuple[int, str, ClientResponse]:
        async with self.http.get(link, allow_redirects=False, **more) as answer:
            return answer.status, await answer.text(), answer

    async def post(self, link: str, fields: dict[str, str] | None = None, **more: Any) -> tuple[int, str]:
        """Post a form and follow it back to the page; return the page's status and text."""
        more.setdefault("data", fields or {})
        async with self.http.post(link, **more) as answer:
            return answer.status, await answer.text()

    async def form_of(self, link: str, act: str) -> dict[str, str]:
        """Return the fields of one form as a browser would send them untouched."""
        _, page, _ = await self.get(link)
        found = re.search(rf'action="[^"]*/{act}(?:\?[^"]*)?".*?</form>', page, re.DOTALL)
        assert found, page[:500]
        return _fields(found[0])

    async def ledger(self, profile: str = "anna") -> Ledger:
        return (await self.centre.ledgers.read([profile]))[profile]

    async def verdict(self, channel: str = "email", topic: str = "offers", profile: str = "anna") -> str | None:
        basis = "not_withdrawn" if topic == "service" else "given"
        return verdict(await self.ledger(profile), channel, topic, basis)  # type: ignore[arg-type]

    async def proofs(self, profile: str = "anna") -> list[Proof]:
        return await self.centre.consents.proofs([profile])

    async def profile(self, id: str = "anna") -> Profile:
        document = await self.centre.store.get("profiles", id)
        assert document
        return from_document(Profile, document)

    async def add(self, *profiles: Profile) -> None:
        claims = {one.key: profile.id for profile in profiles for one in profile.identities}
        await self.centre.writer.commit(Work(lambda snapshot: Changes(profiles=profiles, claims=claims)))

    async def gives(self, topic: Topic = OFFERS, channel: str = "email", profile: str = "anna") -> Proof:
        proof = await self.centre.consents.give(profile, topic, channel, Said("form", "fr"), now=self.clock.now)
        assert isinstance(proof, Proof)
        return proof

    def _here(self, link: str) -> str:
        return link.replace("https://shop.example", self.base)


def anna() -> Profile:
    profile = Profile(
        "anna", NOW - timedelta(days=90), language="fr",
        identities=(
            Identity("email", "anna.martin@example.org", NOW, verified_at=NOW),
            Identity("sms", "+33612345678", NOW, verified_at=NOW),
            Identity("telegram", "7003", NOW, verified_at=NOW),
            Identity("user", "c-1042", NOW, verified_at=NOW),
        ),
    )  # fmt: skip
    for name, value in (("first_name", "Anna"), ("city", "Lyon"), ("points", 420)):
        profile = profile.learn(name, value, source="declared", at=NOW, by="webchat")
    return profile


@asynccontextmanager
async def stage(url: str, database: str) -> AsyncIterator[Stage]:
    """Open the pages, with Anna known."""
    store = Store(url, database)
    await store.prepare(INDEXES)
    clock = Clock()
    writer, ledgers = Writer(store, process="test", clock=clock), Ledgers(store)
    permits = Permits(store, ledgers, clock=clock)
    topics = dict(TOPICS)
    centre = Centre(
        store, writer, clock, PersonalLinks(SECRET, "https://shop.example"), Consents(store, ledgers, permits), ledgers,
        policy=lambda: Policy(topics=topics, zone=PARIS), words=lambda: WORDS, is_https=True,
    )  # fmt: skip
    app = web.Application()
    app.add_subapp("/p", preferences(centre))
    app.add_subapp("/u", unsubscribing(centre))
    server = TestServer(app)
    await server.start_server()
    made = Stage(centre, clock, server, ClientSession(), topics)
    await made.add(anna())
    yield made
    await made.http.close()
    await server.close()
    await permits.close()
    await writer.close()
    await store.close()


def _fields(html: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") == "checkbox":
            if re.search(r"\schecked\b", tag):
                found[attributes["name"]] = "on"
        else:
            found[attributes["name"]] = attributes.get("value", "")
    for name, inside in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)"[^>]*\sselected', inside) or re.search(
            r'<option value="([^"]*)"', inside
        )
        found[name] = chosen[1] if chosen else ""
    return found
