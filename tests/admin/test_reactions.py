"""How a contact reacts, as numbers to draw and as the panel shows them."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from admin.own_export import written
from admin.reactions import Bar, reactions
from profiles.consents import Consents
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.profile import Profile
from profiles.reactivity import Reactivity, Response
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Content, Delivery, Message
from profiles.tracking import Tracked, with_links
from tests.admin.office import Office
from tests.cast import NOON

HOURS = tuple(4.0 if hour == 18 else 1.0 if hour in (8, 19) else 0.0 for hour in range(24))
KNOWN = Reactivity(NOON, {"email": Response(8, 2), "sms": Response(1, 1), "telegram": Response(6, 4.5)}, HOURS)


def test_the_best_channel_is_drawn_first_and_one_of_which_too_little_is_known_last() -> None:
    shown = reactions(replace(Profile("anna", NOON), reactivity=KNOWN), NOON)
    assert shown
    assert shown.bars == (Bar("telegram", 75), Bar("email", 25), Bar("sms", None))
    assert shown.best == 18 and shown.hours[18] == 100 and shown.hours[8] == 25 and shown.hours[0] == 0


def test_who_never_reacted_has_nothing_to_draw() -> None:
    assert reactions(Profile("anna", NOON), NOON) is None
    silent = replace(Profile("anna", NOON), reactivity=Reactivity(NOON, {"email": Response(4)}))
    shown = reactions(silent, NOON)
    assert shown and shown.hours == () and shown.best is None


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["How they react", "75%", "too few messages yet", "most around 18:00"]),
        ("fr", ["Réactions aux messages", "75\u202f%", "trop peu de messages", "surtout vers 18:00"]),
    ],
)
async def test_the_panel_shows_it_in_the_agents_language(shop: Office, language: str, words: list[str]) -> None:
    def learns(snapshot: Snapshot) -> Changes:
        known = replace(KNOWN, at=snapshot.now - timedelta(hours=1))
        return Changes(profiles=(replace(snapshot.profiles["chloe"], reactivity=known),))

    await shop.desk.writer.commit(Work(learns, profiles=("chloe",)))
    caller = await shop.signed_in(await shop.agent(language=language))
    page = await (await caller.get("/people/chloe")).text()
    for word in words:
        assert word in page


async def test_what_was_learned_is_in_what_the_person_may_take_away(shop: Office) -> None:
    ledgers, store = Ledgers(shop.desk.store), shop.desk.store
    consents = Consents(store, ledgers, Permits(store, ledgers, clock=shop.clock))
    known = replace(Profile("anna9", NOON), reactivity=KNOWN)
    pieces = [piece async for piece in written(store, consents, ledgers, known)]
    (learned,) = json.loads(b"".join(pieces))["reactivity"]
    assert learned["channels"]["email"] == {"sent": 8, "reacted": 2} and learned["reactions_by_hour"][18] == 4.0


async def test_an_agent_who_looks_at_a_message_sees_no_link_that_counts(shop: Office) -> None:
    content = with_links(
        Content("Voir https://shop.example/panier.", html='<p><a href="https://shop.example/panier">Voir</a></p>'),
        "rule:" + "ab" * 15, Tracked("https://hello.example.org", b"s" * 32, opens=True),
    )  # fmt: skip

    def says(snapshot: Snapshot) -> Changes:
        letter = Message(
            "rule:" + "ab" * 15, "rule:" + "ab" * 15, "chloe", "email", "outbound", "rule:cart", content, 1, snapshot.now,
            delivery=Delivery("email:chloe@example.org", "sent"), metadata={"rule": "cart", "step": "first"},
        )  # fmt: skip
        return Changes(messages=(letter,))

    assert "/l/" in content.text and "/o/" in content.html
    await shop.desk.writer.commit(Work(says))
    caller = await shop.signed_in(await shop.agent(role="supervisor"))
    timeline = await (await caller.get("/people/chloe")).text()
    assert 'href="https://shop.example/panier"' in timeline and "hello.example.org/l/" not in timeline
    body = await (await caller.get(f"/deliveries/rule:{'ab' * 15}/body")).text()
    assert 'href="https://shop.example/panier"' in body and "hello.example.org" not in body
