"""Subscribing, changing one's mind, signing in and out, telling what became of a message: asked by pages that we trust little."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from channels.webchat_tokens import new_address, visitor_token
from channels.webpush_receipts import receipt_token
from channels.webpush_subscriptions import id_of
from profiles import people
from profiles.consents import Said
from profiles.profile import Suppression
from profiles.record import replace
from profiles.snapshot import Changes, Work
from profiles.store import Unavailable
from profiles.timeline import Button, Content
from tests.channels.push_shop import SECRET, PushShop, push_shop
from tests.peers.push_service import Browser
from tests.waiting import until

YES = [{"topic": "offers", "version": "3"}]
CHAT = hmac.digest(SECRET, b"webchat", "sha256")


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[PushShop]:
    async with push_shop(mongo_url, database_name, free_port, origins=("https://shop.example",)) as running:
        yield running


def keys(profile: dict[str, Any]) -> set[str]:
    return {f"{one['channel']}:{one['address']}" for one in profile["identities"]}


# -- subscribing


async def test_an_anonymous_browser_subscribes_and_its_yes_is_proved(shop: PushShop) -> None:
    id, token = await shop.subscribed("anna", yes=YES, language="fr", page="https://shop.example/cart")
    owner = await shop.owner(id)
    assert keys(owner) == {f"webpush:{id}"} and owner["language"] == "fr"
    (proof,) = await shop.proofs()
    assert (proof["profile"], proof["change"], proof["source"]) == (owner["_id"], "given", "webpush")
    assert proof["wording"] == "J'accepte les offres." and proof["version"] == "3" and proof["ip"] == "127.0.0.1"
    assert proof["evidence"] == {"subscription": id, "site": shop.url, "page": "https://shop.example/cart"}
    row = await shop.store.get("push_subscriptions", id)
    assert row and row["endpoint"] == shop.browser("anna").endpoint and row["origin"] == shop.url
    assert await shop.names() == ["identity.subscribed"]


async def test_the_same_subscription_twice_is_one(shop: PushShop) -> None:
    shop.peer.browser("anna")
    both = await asyncio.gather(*(shop.subscribed("anna", yes=YES) for _ in range(4)))
    assert len(set(both)) == 1
    assert await shop.store.count("profiles", {}) == 1
    assert await shop.names() == ["identity.subscribed"]


async def test_an_allowed_site_may_and_another_may_not(shop: PushShop) -> None:
    body = {"subscription": shop.peer.browser("anna").subscription()}
    assert (await shop.ask("subscriptions", origin="https://shop.example", **body))[0] == 200
    for origin in ("https://evil.example", "null", "", "https://shop.example.evil"):
        for path in ("settings", "subscriptions", "identify", "forget", "unsubscribe"):
            assert await shop.ask(path, origin=origin, **body) == (403, {"error": "origin"})


async def test_who_asks_too_often_is_told_to_wait(shop: PushShop) -> None:
    answers = await asyncio.gather(*(shop.ask("settings") for _ in range(60)))
    statuses = [status for status, _ in answers]
    assert statuses.count(200) >= 30 and 429 in statuses


@pytest.mark.parametrize("endpoint", [
    "http://169.254.169.254/latest/meta-data", "https://127.0.0.1/push", "https://localhost:27017/", "file:///etc/passwd",
    "https://evil.example/push", "https://fcm.googleapis.com@evil.example/", "",
    "https://fcm.googleapis.com/x\r\nX: y",
])  # fmt: skip
async def test_an_endpoint_that_is_no_push_service_s_is_refused_and_leaves_nothing(
    shop: PushShop, endpoint: str
) -> None:
    status, told = await shop.ask("subscriptions", subscription=Browser(endpoint).subscription(), yes=YES)
    assert status == 422 and told["error"] in ("service", "body")
    for collection in ("push_subscriptions", "profiles", "consents"):
        assert await shop.store.count(collection, {}) == 0


async def test_a_subscription_whose_identity_was_not_stored_leaves_nothing(
    shop: PushShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("told to")

    monkeypatch.setattr(shop.writer, "commit", away)
    browser = Browser(f"{shop.peer.origin}/push/x").subscription()
    assert (await shop.ask("subscriptions", subscription=browser, yes=YES))[0] == 503
    assert await shop.store.count("push_subscriptions", {}) == 0


@pytest.mark.parametrize(("p256dh", "auth"), [("AAAA", "AAAA"), ("", ""), ("B" * 87, "A" * 22)])
async def test_keys_that_are_none_are_refused(shop: PushShop, p256dh: str, auth: str) -> None:
    subscription = {"endpoint": f"{shop.peer.origin}/push/x", "keys": {"p256dh": p256dh, "auth": auth}}
    assert await shop.ask("subscriptions", subscription=subscription) == (422, {"error": "keys"})


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"[]", b'{"yes": 1}', b"{" * 10_000, b'{"token": "' + b"x" * 30_000 + b'"}']
)
async def test_what_our_script_does_not_write_is_refused(shop: PushShop, raw: bytes) -> None:
    for path in ("settings", "subscriptions", "identify", "forget", "unsubscribe"):
        assert await shop.ask(path, raw=raw) == (422, {"error": "body"})


@pytest.mark.parametrize("yes", [
    {"topic": "offers", "version": "2"}, {"topic": "unknown", "version": "1"}, {"topic": "paper", "version": "1"},
])  # fmt: skip
async def test_a_yes_to_other_words_than_ours_is_no_yes(shop: PushShop, yes: dict[str, str]) -> None:
    body = {"subscription": shop.peer.browser("anna").subscription(), "yes": [yes]}
    assert await shop.ask("subscriptions", **body) == (409, {"error": "changed"})
    assert await shop.proofs() == []


async def test_a_topic_that_asks_for_a_confirmation_has_it_from_the_browser_itself(shop: PushShop) -> None:
    _, token = await shop.subscribed("anna", yes=[{"topic": "loyalty", "version": "1"}])
    assert {one["change"] for one in await shop.proofs()} == {"asked", "confirmed"}
    assert (await shop.ask("settings", token=token))[1]["on"] == ["loyalty"]


async def test_a_no_is_kept_and_what_was_not_asked_stays(shop: PushShop) -> None:
    id, token = await shop.subscribed("anna", yes=YES)
    await shop.subscribed("anna", token=token)
    assert (await shop.ask("settings", token=token))[1]["on"] == ["offers"]
    await shop.subscribed("anna", token=token, yes=[], no=["offers", "unknown"])
    assert (await shop.ask("settings", token=token))[1]["on"] == []
    assert [one["change"] for one in await shop.proofs()][-1] == "withdrawn"


async def test_settings_say_the_topics_in_the_visitor_s_language_and_nothing_of_others(shop: PushShop) -> None:
    status, told = await shop.ask("settings", language="fr-CA")
    assert status == 200
    assert [(one["id"], one["title"], one["wording"], one["version"]) for one in told["topics"]] == [
        ("offers", "Offres", "J'accepte les offres.", "3"), ("loyalty", "Fidélité", "Mes points.", "1"),
    ]  # fmt: skip
    assert (told["known"], told["on"]) == (False, [])
    await shop.subscribed("anna", yes=YES)
    for token in ("", "x", "a.b", receipt_token(SECRET, "rule:1")):
        assert (await shop.ask("settings", token=token))[1]["on"] == []


# -- who it is


async def test_who_chats_on_the_same_page_is_the_same_visitor(shop: PushShop) -> None:
    address = new_address()
    id, _ = await shop.subscribed("anna", visitor=visitor_token(address, CHAT))
    assert keys(await shop.owner(id)) == {f"webchat:{address}", f"webpush:{id}"}


@pytest.mark.parametrize("visitor", ["v1.x.y", "garbage", visitor_token("0" * 32, b"another secret")])
async def test_a_forged_visitor_is_nobody(shop: PushShop, visitor: str) -> None:
    id, _ = await shop.subscribed("anna", visitor=visitor)
    assert keys(await shop.owner(id)) == {f"webpush:{id}"}


async def test_a_visitor_who_is_a_known_person_is_not_taken_for_them_without_proof(shop: PushShop) -> None:
    address = new_address()
    await shop.store.insert("visitors", {"_id": address, "subject": "anna"})
    id, _ = await shop.subscribed("shared", visitor=visitor_token(address, CHAT))
    assert keys(await shop.owner(id)) == {f"webpush:{id}"}


async def test_signing_in_later_joins_the_browser_with_what_it_agreed_to(shop: PushShop) -> None:
    id, token = await shop.subscribed("anna", yes=YES)
    identity = shop.identity("anna", email="anna@shop.example", name="Anna")
    assert await shop.ask("identify", token=token, identity=identity) == (204, None)
    assert keys(await shop.owner(id)) == {f"webpush:{id}", "user:anna", "email:anna@shop.example"}
    assert (await shop.ask("settings", token=token))[1]["on"] == ["offers"]


async def test_two_browsers_of_one_person_are_one_profile(shop: PushShop) -> None:
    ids = [(await shop.subscribed(name, identity=shop.identity("anna")))[0] for name in ("laptop", "phone")]
    owners = [await shop.owner(id) for id in ids]
    assert owners[0]["_id"] == owners[1]["_id"]


async def test_a_shared_browser_is_whose_who_signed_in_last(shop: PushShop) -> None:
    id, token = await shop.subscribed("shared", identity=shop.identity("anna"), yes=YES)
    anna = await shop.owner(id)
    await shop.ask("identify", token=token, identity=shop.identity("boris"))
    boris = await shop.owner(id)
    assert keys(boris) == {"user:boris", f"webpush:{id}"} and boris["_id"] != anna["_id"]
    assert (await shop.ask("settings", token=token))[1]["on"] == [], "what Anna agreed to is Anna's"
    left = await shop.store.get("profiles", anna["_id"])
    assert left and keys(left) == {"user:anna"}


async def test_signing_out_leaves_a_browser_that_agreed_to_nothing(shop: PushShop) -> None:
    id, token = await shop.subscribed("shared", identity=shop.identity("anna"), yes=YES)
    anna = (await shop.owner(id))["_id"]
    assert await shop.ask("forget", token=token) == (204, None)
    nobody = await shop.owner(id)
    assert nobody["_id"] != anna and keys(nobody) == {f"webpush:{id}"}
    assert (await shop.ask("settings", token=token))[1]["on"] == []
    await shop.ask("forget", token=token)
    assert (await shop.owner(id))["_id"] == nobody["_id"], "who is nobody stays the same nobody"
    await shop.ask("identify", token=token, identity=shop.identity("anna"))
    assert (await shop.owner(id))["_id"] == anna
    assert (await shop.ask("settings", token=token))[1]["on"] == ["offers"]


@pytest.mark.parametrize("how", ["forged", "expired", "none"])
async def test_a_word_that_the_shop_did_not_give_joins_nobody(shop: PushShop, how: str) -> None:
    id, token = await shop.subscribed("anna")
    given = {"forged": shop.identity("anna")[:-4] + "AAAA", "none": ""}.get(how)
    if how == "expired":
        given = shop.identity("anna")
        shop.now = shop.clock() + timedelta(hours=2)
    assert await shop.ask("identify", token=token, identity=given) == (401, {"error": "identity"})
    assert keys(await shop.owner(id)) == {f"webpush:{id}"}


@pytest.mark.parametrize("path", ["identify", "forget", "unsubscribe"])
@pytest.mark.parametrize("token", ["", "x", "a.b.c", receipt_token(SECRET, "0" * 32)])
async def test_a_token_of_another_kind_opens_nothing(shop: PushShop, path: str, token: str) -> None:
    status, told = await shop.ask(path, token=token, identity=shop.identity("anna"))
    assert (status, told) == (401, {"error": "token"})


# -- changing, ending


async def test_a_renewed_subscription_takes_the_old_one_s_place(shop: PushShop) -> None:
    old, token = await shop.subscribed("old", yes=YES, identity=shop.identity("anna"))
    anna = await shop.owner(old)
    new, fresh = await shop.subscribed("new", token=token)
    assert (await shop.owner(new))["_id"] == anna["_id"]
    assert keys(await shop.owner(new)) == {"user:anna", f"webpush:{new}"}
    assert await shop.store.get("identities", f"webpush:{old}") is None
    assert await shop.store.get("push_subscriptions", old) is None
    assert (await shop.ask("settings", token=fresh))[1]["on"] == ["offers"]


async def test_unsubscribing_bans_the_browser_and_forgets_its_keys(shop: PushShop) -> None:
    id, token = await shop.subscribed("anna", yes=YES)
    assert await shop.ask("unsubscribe", token=token) == (204, None)
    assert await shop.ask("unsubscribe", token=token) == (204, None)
    assert (await shop.owner(id))["identities"][0]["suppression"]["reason"] == "blocked"
    assert await shop.store.get("push_subscriptions", id) is None
    message = await shop.send(id, Content("too late"))

    async def is_suppressed() -> bool:
        return await shop.state_of(message.id) == "suppressed"

    await until(is_suppressed)
    assert shop.peer.asked == 0


async def test_who_subscribes_again_is_reachable_again_but_not_against_their_own_word(shop: PushShop) -> None:
    id, token = await shop.subscribed("anna")
    await shop.ask("unsubscribe", token=token)
    await shop.subscribed("anna")
    assert "suppression" not in (await shop.owner(id))["identities"][0]

    def banned(snapshot: Any) -> Changes:
        profile = snapshot.holder(f"webpush:{id}")
        identity = profile.identity(f"webpush:{id}")
        ban = Suppression("opted_out", snapshot.now)
        return Changes(profiles=(profile.with_identity(replace(identity, suppression=ban)),))

    await shop.writer.commit(Work(banned, identities=(f"webpush:{id}",)))
    await shop.subscribed("anna")
    assert (await shop.owner(id))["identities"][0]["suppression"]["reason"] == "opted_out"
    new, _ = await shop.subscribed("renewed", token=token)
    assert (await shop.owner(new))["identities"][0]["suppression"]["reason"] == "opted_out"


async def test_a_withdrawal_elsewhere_holds_here(shop: PushShop) -> None:
    id, token = await shop.subscribed("anna", yes=YES)
    await shop.consents.withdraw(
        (await shop.owner(id))["_id"], "webpush", "offers", Said("agent:lea"), now=shop.clock()
    )
    assert (await shop.ask("settings", token=token))[1]["on"] == []


# -- what became of it


async def told(shop: PushShop, content: Content) -> tuple[str, str]:
    """Send a message and return its id and the token that came inside."""
    id, _ = await shop.subscribed("anna")
    message = await shop.send(id, content)

    async def is_sent() -> bool:
        return await shop.state_of(message.id) == "sent"

    await until(is_sent)
    return message.id, str(shop.peer.taken[-1].said["r"])


async def test_shown_clicked_and_closed_are_told_once_each(shop: PushShop) -> None:
    message, token = await told(shop, Content("Hello", (Button("Go", url="https://a/go"),), link="https://a/"))
    for _ in range(3):
        assert (await shop.ask("receipts", r=token, what="shown"))[0] == 204
    assert await shop.state_of(message) == "delivered"
    for _ in range(3):
        await shop.ask("receipts", r=token, what="clicked", action=0)
        await shop.ask("receipts", r=token, what="clicked")
        await shop.ask("receipts", r=token, what="closed")
    assert await shop.state_of(message) == "read"
    delivery = (await shop.message(message)).delivery
    assert delivery and set(delivery.times) == {"sent", "delivered", "read", "dismissed"}
    events = await shop.store.find("events", {"properties.message": message}, sort=[("_id", 1)])
    assert sorted(one["name"] for one in events) == [
        "message.clicked", "message.clicked", "message.delivered", "message.dismissed", "message.read",
    ]  # fmt: skip
    clicks = {one["properties"]["url"]: one["properties"].get("button") for one in events if "url" in one["properties"]}
    assert clicks == {"https://a/go": "Go", "https://a/": None}


async def test_a_link_that_counts_by_itself_is_not_counted_twice(shop: PushShop) -> None:
    message, token = await told(shop, Content("Hello", link=f"{shop.url}/l/abc", links=("https://a/",)))
    await shop.ask("receipts", r=token, what="clicked")
    assert await shop.state_of(message) == "read"
    assert "message.clicked" not in await shop.names()


async def test_who_wants_nothing_counted_is_not_counted(shop: PushShop) -> None:
    message, token = await told(shop, Content("Hello", link="https://a/"))

    def untracked(snapshot: Any) -> Changes:
        profile = snapshot.profile(owner)
        changed = people.edit(profile, "no_tracking", True, source="declared", by="x", now=snapshot.now)
        return Changes(profiles=(changed,))

    owner = (await shop.message(message)).profile
    await shop.writer.commit(Work(untracked, profiles=(owner,)))
    for what in ("clicked", "closed"):
        assert (await shop.ask("receipts", r=token, what=what))[0] == 204
    assert await shop.state_of(message) == "sent"
    assert not {"message.clicked", "message.read", "message.dismissed"} & set(await shop.names())


@pytest.mark.parametrize("body", [
    {}, {"r": "x", "what": "shown"}, {"r": "a.b", "what": "shown"}, {"r": 1, "what": "shown"}, {"r": "OK"},
    {"r": "OK", "what": "read"}, {"r": "OK", "what": []}, {"r": "OK", "what": "clicked", "action": "0"},
    {"r": "OK", "what": "clicked", "action": True}, {"r": "OK", "what": "clicked", "action": 1.5},
])  # fmt: skip
async def test_a_receipt_that_no_worker_of_ours_writes_is_refused(shop: PushShop, body: dict[str, Any]) -> None:
    if body.get("r") == "OK":
        body = {**body, "r": receipt_token(SECRET, "rule:1")}
    status, _ = await shop.ask("receipts", **body)
    assert status == 422
    assert await shop.names() == []


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"1", b"x" * 5_000, b"\xff"])
async def test_a_receipt_that_is_no_table_is_refused(shop: PushShop, raw: bytes) -> None:
    assert (await shop.ask("receipts", raw=raw))[0] == 422


async def test_a_receipt_of_a_message_that_is_gone_changes_nothing(shop: PushShop) -> None:
    for what in ("clicked", "closed"):
        assert (await shop.ask("receipts", r=receipt_token(SECRET, "rule:gone"), what=what))[0] == 204
    assert await shop.names() == []


async def test_a_button_that_does_not_exist_is_the_message_itself(shop: PushShop) -> None:
    message, token = await told(shop, Content("Hello", link="https://a/"))
    await shop.ask("receipts", r=token, what="clicked", action=7)
    (event,) = await shop.store.find("events", {"name": "message.clicked"})
    assert event["properties"]["url"] == "https://a/"


async def test_the_id_of_a_subscription_says_nothing_of_its_endpoint() -> None:
    assert id_of("https://a/1") != id_of("https://a/2")
    assert len(id_of("https://a/" + "x" * 1_000)) == 32
