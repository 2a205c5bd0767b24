"""A card in somebody's phone: built and signed as Apple wants it, fetched by a device through five endpoints, kept up to date."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.channel import Failed, Sent
from channels.wallet import Options, Wallet, connect
from channels.wallet_face import Unshown
from channels.wallet_passes import Passes
from channels.wallet_setup import PAPERS
from profiles.merging import merge
from profiles.passes import Wish
from profiles.personalize import Text, compile_text
from profiles.record import to_document
from profiles.snapshot import Work
from profiles.writer import Writer
from tests.cast import NOON, boris
from tests.channels.wallet_device import Device, NotGood, fields, opened, verified, words
from tests.channels.wallet_stage import SECRET, Hall, hall, put_person
from tests.needed import openssl


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Hall]:
    async with hall(mongo_url, database_name, free_port) as stage:
        yield stage


# -- what is built


async def test_a_pass_verifies_with_openssl_and_a_changed_one_does_not(shop: Hall, tmp_path: Path) -> None:
    program = openssl()
    await shop.keep()
    files = opened(await shop.package())
    papers = await shop.store.get("settings", PAPERS)
    assert papers
    root = papers["above"].encode()
    shown = verified(program, files, root, tmp_path)
    assert "signingTime" in shown
    assert "Causerie try-out root" in shown
    with pytest.raises(NotGood):
        verified(program, files | {"manifest.json": files["manifest.json"].replace(b'"icon', b'"ikon')}, root, tmp_path)


async def test_it_shows_what_is_known_of_the_person_in_both_languages(shop: Hall) -> None:
    await shop.learn(points=1234)
    await shop.keep()
    files = opened(await shop.package())
    told = json.loads(files["pass.json"])
    assert told["organizationName"] == "Atelier Louise"
    assert (told["passTypeIdentifier"], told["teamIdentifier"]) == ("pass.example.causerie", "TRYOUT0000")
    assert told["description"] == "Carte de fidélité"
    assert told["backgroundColor"] == "rgb(31, 111, 92)"
    assert len(told["authenticationToken"]) >= 16
    assert told["barcodes"][0]["format"] == "PKBarcodeFormatQR"
    assert told["barcodes"][0]["message"] == fields(told)["number"]["value"]
    points = fields(told)["points"]
    assert points["value"] == "1\u202f234"
    english = words(files, "en")
    assert english["1\u202f234"] == "1,234"
    assert english["Carte de fidélité"] == "Loyalty card"
    assert english[points["changeMessage"]] == "You now have %@ points"
    assert words(files, "fr") == {}, "it is written in French already"
    assert {"icon.png", "icon@2x.png", "icon@3x.png", "logo.png"} <= set(files)
    assert "offer" not in fields(told), "a field without anything to say is not there"


async def test_the_same_pass_has_the_same_bytes_but_for_its_signature(shop: Hall) -> None:
    await shop.keep()
    first, second = opened(await shop.package()), opened(await shop.package())
    assert first.pop("signature")
    assert second.pop("signature")
    assert first == second


async def test_the_papers_are_made_once_for_all_processes(shop: Hall, tmp_path: Path) -> None:
    other = await connect(Options(enabled=True), replace(shop.door, writer=Writer(shop.store, process="p9")))
    assert isinstance(other, Wallet)
    await shop.keep()
    assert await shop.store.get("settings", PAPERS) is None, "nobody wanted a pass yet"
    held = await shop.held()
    built = await asyncio.gather(shop.wallet.build(held), other.build(held), shop.wallet.build(held))
    await other.close()
    papers = await shop.store.get("settings", PAPERS)
    assert papers
    for package in built:
        assert isinstance(package, bytes)
        verified(openssl(), opened(package), papers["above"].encode(), tmp_path)


@pytest.mark.parametrize("card", ["loyalty", "welcome_offer", "appointment"])
async def test_every_shipped_card_can_be_built(shop: Hall, card: str) -> None:
    await shop.learn(next_appointment_on="2026-12-01", next_appointment_hour="10:30", next_appointment_place="Lyon")
    assert await shop.keep(card=card) == "changed"
    told = json.loads(opened(await shop.package(card))["pass.json"])
    assert fields(told)
    assert all(field["value"] for field in fields(told).values())


# -- who is reached


async def test_a_pass_on_a_device_is_an_address_and_one_taken_off_is_none(shop: Hall) -> None:
    first, second = await shop.phone(1), await shop.phone(2)
    (told,) = first.passes.values()
    key = f"wallet:{told['serialNumber']}"
    identity = (await shop.person()).identity(key)
    assert identity
    assert identity.verified_at
    assert (await shop.store.get("identities", key) or {})["profile"] == "anna"
    await first.unregister(told)
    assert (await shop.person()).identity(key) == identity, "it is on the other phone"
    await second.unregister(told)
    gone = (await shop.person()).identity(key)
    assert gone
    assert gone.suppression
    assert gone.suppression.reason == "unreachable"
    shop.later(minutes=1)
    assert await second.register(told) == 201
    back = (await shop.person()).identity(key)
    assert back
    assert back.suppression is None
    assert sorted(await shop.events()) == ["pass.added", "pass.added", "pass.issued", "pass.removed"]


async def test_a_message_stands_on_the_pass_and_the_lock_screen_says_it_once(shop: Hall) -> None:
    device = await shop.phone()
    await device.wake()
    assert isinstance(await shop.send("Votre panier vous attend"), Sent)
    assert isinstance(await shop.send("Votre panier vous attend"), Sent), "the same message, handed over once more"
    await device.wake()
    assert device.told == ["Votre panier vous attend"]
    (told,) = device.passes.values()
    assert fields(told)["message"]["value"] == "Votre panier vous attend"


async def test_a_message_to_what_is_on_no_device_is_dead(shop: Hall) -> None:
    await shop.keep()
    assert await shop.send("bonjour") == Failed("dead", "on no device any more")
    assert await shop.send("bonjour", to="no such serial") == Failed("dead", "no such pass")
    device = await shop.phone()
    assert await shop.send("  ") == Failed("content", "nothing to say")
    await shop.keep(ends=True)
    assert await shop.send("bonjour") == Failed("dead", "the pass is over")
    await device.wake()
    assert next(iter(device.passes.values()))["voided"] is True
    assert await shop.keep() == "changed", "issued again"
    await device.wake()
    assert next(iter(device.passes.values()))["voided"] is False


async def test_what_a_rule_sets_stands_in_place_of_the_cards_own_text(shop: Hall) -> None:
    device = await shop.phone()
    assert await shop.keep(put={"offer": "−20 % ce samedi", "holder": "Anna M."}) == "changed"
    await device.wake()
    (told,) = device.passes.values()
    assert (fields(told)["offer"]["value"], fields(told)["holder"]["value"]) == ("−20 % ce samedi", "Anna M.")
    assert device.told == ["−20 % ce samedi"]
    assert await shop.keep(put={"offer": "", "holder": ""}) == "changed"
    await device.wake()
    (told,) = device.passes.values()
    assert "offer" not in fields(told)
    assert fields(told)["holder"]["value"] == "Anna Martin"


async def test_a_profile_that_another_process_changed_is_shown_as_it_is_now(shop: Hall) -> None:
    device = await shop.phone()
    for points in (200, 300):  # this process wrote the profile when the phone registered, and remembers it
        await shop.learn(points=points)
        assert await shop.keep() == "changed"
        await device.wake()
        assert fields(next(iter(device.passes.values())))["points"]["value"] == str(points)


async def test_who_was_merged_keeps_their_pass_up_to_date(shop: Hall) -> None:
    await put_person(shop.store, boris())
    device = await shop.phone()

    def think(snapshot: Any) -> Any:
        kept, absorbed = snapshot.profile("boris"), snapshot.profile("anna")
        return merge(snapshot, kept, absorbed, by="agent:maya", why="test", now=snapshot.now)

    await shop.writer.commit(Work(think, profiles=("boris", "anna")))
    await shop.learn("boris", points=999)
    assert await shop.keep("boris") == "changed"
    await device.wake()
    assert fields(next(iter(device.passes.values())))["points"]["value"] == "999"
    assert await shop.store.count("passes", {}) == 1, "no second card beside the one they have"
    assert isinstance(await shop.send("bonjour"), Sent)


# -- tags


async def test_tags_are_given_in_the_order_of_commits_whatever_process_commits(shop: Hall) -> None:
    writers = [Writer(shop.store, process=f"w{number}") for number in range(3)]
    shelves = [Passes(one, shop.store, shop.door.cards, secret=SECRET, clock=shop.clock) for one in writers]
    people = [f"p{number}" for number in range(12)]
    for id in people:
        await shop.store.insert("profiles", to_document(replace(boris(), id=id, identities=())))
    device = Device(shop.http)
    seen: dict[str, int] = {}
    over = asyncio.Event()

    async def work(number: int) -> None:
        for turn in range(5):
            wishes = [_wish(id, f"{number}-{turn}") for id in people[number::3]]
            await asyncio.gather(*(shelves[number].keep(wish) for wish in wishes))

    async def watch() -> None:
        """Ask as a device does: what it never hears of, it never fetches."""
        tag = 0
        while True:
            last_look = over.is_set()
            serials, tag = await shelves[0].changed_since(device.id, tag)
            for serial in serials:
                row = await shop.store.get("passes", serial)
                assert row
                seen[serial] = row["tag"]
            if last_look:
                return

    await asyncio.gather(*(shelves[0].keep(_wish(id, "first")) for id in people))
    for row in await shop.store.find("passes", {}):
        held = await shelves[0].get(row["_id"])
        assert held
        await shelves[0].register(held, device.id, "ab" * 32)
    watching = asyncio.create_task(watch())
    await asyncio.gather(*(work(number) for number in range(3)))
    over.set()
    await watching
    rows = await shop.store.find("passes", {})
    tags = [row["tag"] for row in rows]
    assert len(set(tags)) == len(tags)
    counted = await shop.store.get("wallet_tags", "all")
    assert counted
    assert counted["tag"] == 12 + 3 * 5 * 4
    assert {row["_id"]: row["tag"] for row in rows} == seen, "the device heard of the latest change of every pass"
    for writer in writers:
        await writer.close()


def _wish(profile: str, offer: str) -> Wish:
    return Wish(profile, "loyalty", {"offer": offer})


# -- what can not be


async def test_a_picture_that_is_gone_is_told_and_a_device_comes_back_later(shop: Hall, tmp_path: Path) -> None:
    device = await shop.phone()
    (told,) = device.passes.values()
    shop.door.cards.images = tmp_path
    built = await shop.wallet.build(await shop.held())
    assert isinstance(built, Unshown)
    assert "passes/images/shop.png" in built.problem
    assert (await device.fetch(told))[0] == 503
    (tmp_path / "shop.png").write_bytes(b"<svg/>")
    built = await shop.wallet.build(await shop.held())
    assert isinstance(built, Unshown)
    assert "expected a PNG" in built.problem


async def test_a_wish_that_can_not_be_kept_says_why(shop: Hall) -> None:
    assert await shop.keep("nobody") == "nobody"
    assert await shop.keep(card="no_such_card") == "no_card"
    card = shop.door.cards.known["loyalty"]
    broken = compile_text("{{ contact.points / 0 }}")
    assert isinstance(broken, Text)
    fields_ = (replace(card.fields[0], value={"": broken}), *card.fields[1:])
    shop.door.cards.known = {"loyalty": replace(card, fields=fields_)}
    assert await shop.keep() == "unshown"
    assert await shop.store.count("passes", {}) == 0


async def test_pictures_are_served_to_google_and_no_other_file_is(shop: Hall) -> None:
    base = f"{shop.url}/channels/wallet/images"
    async with shop.http.get(f"{base}/shop_logo.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    for name in ("shop_logo@2x.png", "..%2Floyalty.yml", "none.png"):
        async with shop.http.get(f"{base}/{name}") as answer:
            assert answer.status == 404


async def test_the_options_tell_all_that_is_wrong_together(shop: Hall, tmp_path: Path) -> None:
    options = Options(enabled=True, certificate="a.pem", pass_type="shop", team="abc", issuer="x1", push_host="a b")
    with pytest.raises(ValueError, match="channels") as wrong:
        await connect(options, shop.door)
    told = str(wrong.value)
    for key in ("push_host", "key", "wwdr", "organisation", "pass_type", "team", "issuer", "service_account"):
        assert f"channels.wallet.{key}:" in told
    with pytest.raises(ValueError, match=r"none.pem: can not be read"):
        good = Options(True, "Shop", "pass.shop", "ABCDE12345", str(tmp_path / "none.pem"), "k.pem", wwdr="w.pem")
        await connect(good, shop.door)


async def test_a_pass_has_one_row_however_many_ask_for_it_at_once(shop: Hall) -> None:
    kept = await asyncio.gather(*(shop.keep() for _ in range(20)))
    assert sorted(set(kept)) == ["changed", "same"]
    assert kept.count("changed") == 1
    assert (await shop.held()).tag == 1
    assert (await shop.held()).changed_at == NOON
