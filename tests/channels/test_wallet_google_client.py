"""Google's wallet, played strictly: objects and messages that it takes, its quota, and what each of its troubles means."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.channel import Sent
from channels.wallet import Options
from channels.wallet_google import SAVE
from channels.wallet_google_client import Trouble
from profiles.findings import Findings
from rules.card_file import read_card
from tests.cast import NOON
from tests.channels.wallet_device import fields, opened
from tests.channels.wallet_stage import Hall, hall, told
from tests.needed import openssl
from tests.peers.google import EMAIL, ISSUER, Google


@pytest.fixture
async def google(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path
) -> AsyncIterator[tuple[Hall, Google]]:
    openssl()
    peer = Google()
    await peer.start()
    options = Options(
        True, "Atelier Louise", issuer=ISSUER, service_account=str(peer.account(tmp_path)), google_url=peer.url,
        timeout_seconds=0.8,
    )  # fmt: skip
    async with hall(mongo_url, database_name, free_port, options) as shop:
        yield shop, peer
    await peer.stop()


async def test_a_save_link_is_signed_short_and_of_an_object_that_google_has(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    await shop.keep()
    link = await shop.wallet.save_link(await shop.held())
    assert isinstance(link, str)
    assert link.startswith(SAVE)
    assert len(link) < 1_800
    claims = peer.read(link.removeprefix(SAVE))
    serial = (await shop.held()).id
    assert claims == {
        "iss": EMAIL, "aud": "google", "typ": "savetowallet", "iat": int(NOON.timestamp()), "origins": [shop.url],
        "payload": {"loyaltyObjects": [{"id": f"{ISSUER}.{serial}", "classId": f"{ISSUER}.loyalty"}]},
    }  # fmt: skip
    stored = peer.things[f"loyaltyObject/{ISSUER}.{serial}"]
    assert stored["loyaltyPoints"]["balance"] == {"string": "120"}
    assert stored["loyaltyPoints"]["localizedLabel"]["translatedValues"] == [{"language": "en", "value": "Points"}]
    assert (stored["state"], stored["accountName"]) == ("ACTIVE", "Anna Martin")
    shared = peer.things[f"loyaltyClass/{ISSUER}.loyalty"]
    assert shared["programLogo"]["sourceUri"]["uri"] == f"{shop.url}/channels/wallet/images/shop_logo.png"
    assert shared["localizedProgramName"]["defaultValue"] == {"language": "fr", "value": "Carte de fidélité"}
    assert peer.refused == []


@pytest.mark.parametrize(("card", "kind"), [("welcome_offer", "offer"), ("appointment", "eventTicket")])
async def test_google_takes_every_shipped_card(google: tuple[Hall, Google], card: str, kind: str) -> None:
    shop, peer = google
    await shop.learn(next_appointment_on="2026-12-01", next_appointment_hour="10:30", next_appointment_place="Lyon")
    await shop.keep(card=card)
    assert isinstance(await shop.wallet.save_link(await shop.held(card)), str)
    assert f"{kind}Class/{ISSUER}.{card}" in peer.things
    assert peer.refused == []
    modules = {
        one["id"] for one in peer.things[f"{kind}Object/{ISSUER}.{(await shop.held(card)).id}"]["textModulesData"]
    }
    assert modules >= ({"place", "day", "hour"} if card == "appointment" else {"offer", "terms"})


async def test_one_change_tells_both_wallets_and_google_says_whether_it_is_saved(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    await shop.keep()
    await shop.wallet.save_link(await shop.held())
    assert not (await shop.held()).saved
    assert "wallet:" not in str((await shop.person()).identities)
    shop.later(minutes=2)
    assert await told(shop) == 1, "Google is asked whether it was saved"
    assert not (await shop.held()).saved
    peer.has_users = True
    await shop.learn(points=777)
    await shop.keep()
    shop.later(seconds=1)
    assert await told(shop) == 1
    held = await shop.held()
    assert (held.saved, held.due_at) == (True, None)
    card = peer.things[f"loyaltyObject/{ISSUER}.{held.id}"]
    assert card["loyaltyPoints"]["balance"] == {"string": "777"}
    assert card["notifyPreference"] == "NOTIFY_ON_UPDATE", "the card says what a change of points is to say"
    assert (await shop.person()).identity(f"wallet:{held.id}"), "now it can be written to"
    assert isinstance(await shop.send("Bonjour Anna"), Sent)
    shop.later(seconds=1)
    await told(shop)
    ((message,),) = peer.messages.values()
    assert (message["header"], message["body"]) == ("Carte de fidélité", "Bonjour Anna")
    await shop.keep(ends=True)
    shop.later(seconds=1)
    await told(shop)
    assert peer.things[f"loyaltyObject/{ISSUER}.{held.id}"]["state"] == "EXPIRED"
    assert len(peer.messages[f"{ISSUER}.{held.id}"]) == 1, "the same message is not told again"
    assert peer.refused == []


async def test_three_messages_a_day_notify_and_the_others_come_in_silence(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    peer.has_users = True
    await shop.keep()
    await shop.wallet.save_link(await shop.held())
    for number in range(5):
        assert isinstance(await shop.send(f"message {number}", id=f"m{number}"), Sent)
        shop.later(seconds=1)
        await told(shop)
    (messages,) = peer.messages.values()
    assert [one["messageType"] for one in messages] == ["TEXT_AND_NOTIFY"] * 3 + ["TEXT"] * 2
    peer.messages.clear()
    shop.later(hours=24)
    await shop.send("le lendemain", id="m9")
    shop.later(seconds=1)
    await told(shop)
    ((message,),) = peer.messages.values()
    assert message["messageType"] == "TEXT_AND_NOTIFY"


async def test_googles_own_quota_is_met_with_a_silent_message(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    peer.has_users = True
    await shop.keep()
    await shop.wallet.save_link(await shop.held())
    peer.messages[f"{ISSUER}.{(await shop.held()).id}"] = [{"messageType": "TEXT_AND_NOTIFY"}] * 3
    await shop.send("bonjour")
    shop.later(seconds=1)
    await told(shop)
    assert next(iter(peer.messages.values()))[-1]["messageType"] == "TEXT"
    assert (await shop.held()).due_at is None


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(500, "later"), (503, "later"), ((429, {"Retry-After": "7"}), "later"), ("reset", "later"), ("hang", "later"),
     (403, "config"), (400, "content")],
)  # fmt: skip
async def test_each_trouble_of_google_has_its_own_answer(google: tuple[Hall, Google], trouble: Any, kind: str) -> None:
    shop, peer = google
    await shop.keep()
    peer.troubles = [trouble]
    answer = await shop.wallet.save_link(await shop.held())
    assert isinstance(answer, Trouble)
    assert answer.kind == kind
    assert answer.seconds == (7.0 if isinstance(trouble, tuple) else 15.0)
    assert not (await shop.held()).is_google
    assert isinstance(await shop.wallet.save_link(await shop.held()), str)


@pytest.mark.parametrize("trouble", [500, 429, 403, "reset"])
async def test_what_google_did_not_take_is_told_again(google: tuple[Hall, Google], trouble: Any) -> None:
    shop, peer = google
    await shop.keep()
    await shop.wallet.save_link(await shop.held())
    await shop.learn(points=900)
    await shop.keep()
    shop.later(seconds=1)
    peer.troubles = [trouble]
    await told(shop)
    held = await shop.held()
    assert held.due_at
    assert held.trouble.startswith("google: ")
    shop.now = held.due_at
    await told(shop)
    held = await shop.held()
    assert (held.due_at, held.trouble) == (None, "")
    assert peer.things[f"loyaltyObject/{ISSUER}.{held.id}"]["loyaltyPoints"]["balance"] == {"string": "900"}


async def test_a_token_that_google_takes_for_expired_is_asked_for_anew(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    await shop.keep()
    await shop.wallet.save_link(await shop.held())
    peer.tokens.append("another")  # ours is no longer the latest
    await shop.learn(points=901)
    await shop.keep()
    shop.later(seconds=1)
    await told(shop)
    assert (await shop.held()).due_at is None
    assert len(peer.tokens) == 3


async def test_an_object_that_is_there_already_is_changed(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    await shop.keep()
    serial = (await shop.held()).id
    held = await shop.held()
    links = await asyncio.gather(*(shop.wallet.save_link(held) for _ in range(5)))
    assert all(isinstance(link, str) for link in links)
    assert peer.refused == []
    assert json.dumps(peer.things[f"loyaltyObject/{ISSUER}.{serial}"])
    assert (await shop.held()).is_google


async def test_a_generic_card_with_a_link_and_an_end_is_taken_by_both(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    card = read_card(GENERIC, "member", "passes/member.yml", Findings())
    assert card
    shop.door.cards.known = {"member": card}
    await shop.keep(card="member")
    assert isinstance(await shop.wallet.save_link(await shop.held("member")), str)
    assert peer.refused == []
    stored = peer.things[f"genericObject/{ISSUER}.{(await shop.held('member')).id}"]
    assert stored["header"]["defaultValue"] == {"language": "fr", "value": "Carte de membre"}
    assert stored["cardTitle"]["defaultValue"]["value"] == "Atelier Louise"
    assert stored["validTimeInterval"] == {"end": {"date": "2026-12-31T23:59:59+00:00"}}
    assert stored["linksModuleData"]["uris"][0]["uri"] == "https://shop.example/anna"
    told = json.loads(opened(await shop.package("member"))["pass.json"])
    assert told["expirationDate"] == "2026-12-31T23:59:59+00:00"
    assert fields(told)["_link"]["value"] == "https://shop.example/anna"
    assert told["generic"]["primaryFields"][0]["value"] == "Anna Martin"
    assert "barcodes" not in told


async def test_a_ticket_names_its_place_to_both_and_its_hour_to_apple(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    card = read_card(TICKET, "ticket", "passes/ticket.yml", Findings())
    assert card
    shop.door.cards.known = {"ticket": card}
    await shop.keep(card="ticket")
    assert isinstance(await shop.wallet.save_link(await shop.held("ticket")), str)
    assert peer.refused == []
    told = json.loads(opened(await shop.package("ticket"))["pass.json"])
    assert told["relevantDate"] == "2026-12-24T10:30:00+00:00"
    assert fields(told)["_place"]["value"] == "Lyon"
    stored = peer.things[f"eventTicketObject/{ISSUER}.{(await shop.held('ticket')).id}"]
    assert "Lyon" in json.dumps(stored)


TICKET = """
kind: event ticket
title: {fr: Votre rendez-vous, en: Your appointment}
images: {icon: shop.png}
fields:
  - {id: holder, where: primary, value: "{{ contact.name }}"}
occasion: {at: "2026-12-24 10:30", place: "Lyon"}
"""
GENERIC = """
kind: generic
title: {fr: Carte de membre, en: Membership}
images: {icon: shop.png}
fields:
  - {id: holder, where: primary, value: "{{ contact.name }}"}
link: "https://shop.example/{{ contact.first_name | lower }}"
expires: 2026-12-31
"""


async def test_google_is_not_asked_again_before_it_wants_to_be(google: tuple[Hall, Google]) -> None:
    shop, peer = google
    await shop.keep()
    await shop.wallet.save_link(await shop.held())
    await shop.learn(points=900)
    await shop.keep()
    shop.later(seconds=1)
    peer.troubles = [(429, {"Retry-After": "300"})]
    await told(shop)
    assert (await shop.held()).due_at == shop.now + timedelta(seconds=300)
