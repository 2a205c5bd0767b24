"""Who may read what in the web chat: an anonymous visitor, one who proved who they are, one who lies, one on two devices."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from channels.webchat_tokens import sign_identity, visitor_token
from profiles.calendar import utc_now
from profiles.secret import Secret
from tests.channels.webchat_shop import IDENTITY_SECRET, Shop, browse, open_shop, welcomed
from tests.waiting import until


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[Shop]:
    async with open_shop(mongo_url, database_name, free_port, origins=("https://shop.example",)) as running:
        yield running


async def test_an_anonymous_visitor_reads_their_own_history_and_nobody_elses(shop: Shop) -> None:
    async with browse(shop) as anna, browse(shop) as boris:
        await welcomed(anna)
        await welcomed(boris)
        assert anna.address != boris.address
        await anna.says("quiet secret", id="m0000001")
    async with browse(shop, token=anna.token) as again:
        await welcomed(again)
        assert [m["text"] for m in (await again.next("history"))["messages"]] == ["quiet secret"]
    async with browse(shop, token=boris.token) as other:
        await welcomed(other)
        assert (await other.next("history"))["messages"] == []


@pytest.mark.parametrize(
    "forge", ["", "v1.{address}.", "v1.{address}.AAAA", "{other}", "v2.{address}.x", "v1..", "é.\ud800"]
)
async def test_a_forged_visitor_token_opens_nothing(shop: Shop, forge: str) -> None:
    async with browse(shop) as anna:
        await welcomed(anna)
        await anna.says("quiet secret", id="m0000001")
    other = visitor_token(anna.address, b"another installation's secret!!!")
    token = forge.format(address=anna.address, other=other)
    async with browse(shop) as thief:
        await welcomed(thief)
    if "\ud800" in token:
        return  # refused as no JSON before anybody looks at it; see test_webchat_frames
    async with browse(shop, token=token) as thief:
        frame = await welcomed(thief)
        assert frame["address"] != anna.address
        assert (await thief.next("history"))["messages"] == []


async def test_a_person_who_proved_who_they_are_reads_on_only_with_a_valid_identity_token(shop: Shop) -> None:
    async with browse(shop) as visitor:
        await welcomed(visitor)
        await visitor.says("quiet secret", id="m0000001")
    async with browse(shop, token=visitor.token, identity=_identity("anna")) as anna:
        assert (await welcomed(anna))["address"] == visitor.address
        assert (await anna.next("history"))["messages"][0]["text"] == "quiet secret"
    for identity, reason in [
        ("", None),
        (_identity("anna", valid_for=timedelta(seconds=-1)), "expired"),
        (_identity("anna", key="a key that the shop never had, 32 long"), "forged"),
        (_identity("anna", valid_for=timedelta(hours=25)), "too_long"),
        ("not.a.token", "malformed"),
    ]:
        async with browse(shop, token=visitor.token, identity=identity) as thief:
            assert (await thief.next("locked"))["reason"] == reason
            assert await thief.closed() == 4401


async def test_while_the_shops_secret_is_replaced_the_one_before_still_vouches(
    mongo_url: str, database_name: str, free_port: int
) -> None:
    before = "the secret that the shop had before this one"
    async with open_shop(mongo_url, database_name, free_port, previous_identity_secret=Secret(before)) as shop:
        for key, problem in ((before, None), (IDENTITY_SECRET, None), ("x" * 32, "forged")):
            async with browse(shop, identity=_identity("anna", key=key)) as anna:
                assert (await welcomed(anna))["problem"] == problem


async def test_another_person_on_the_same_browser_gets_their_own_conversation(shop: Shop) -> None:
    async with browse(shop, identity=_identity("anna")) as anna:
        await welcomed(anna)
        await anna.says("quiet, from Anna", id="m0000001")
    async with browse(shop, token=anna.token, identity=_identity("boris"), last_seq=1) as boris:
        frame = await welcomed(boris)
        assert (frame["moved"], frame["brings"]) == (True, False), "Anna's unsent words do not leave as Boris's"
        assert (await boris.next("history"))["messages"] == []
        assert boris.address != anna.address


async def test_a_person_finds_their_conversation_on_their_other_device(shop: Shop) -> None:
    async with browse(shop, identity=_identity("anna")) as laptop:
        await welcomed(laptop)
        await laptop.says("quiet, from the laptop", id="m0000001")
    async with browse(shop, identity=_identity("anna")) as phone:
        await welcomed(phone)
        assert (await phone.next("history"))["messages"][0]["text"] == "quiet, from the laptop"


async def test_a_visitor_who_signs_in_becomes_that_person_without_a_double(shop: Shop) -> None:
    async with browse(shop) as visitor:
        await welcomed(visitor)
        await visitor.says("quiet", id="m0000001")
    claims = {"email": "anna@example.com", "phone": "+33639980012", "name": "Anna Lindqvist", "language": "fr"}
    for _ in range(2):
        async with browse(shop, token=visitor.token, identity=_identity("anna", **claims)) as anna:
            assert (await welcomed(anna))["identity"] == {"name": "Anna Lindqvist"}
    people = await shop.store.find("profiles", {"merged_into": {"$exists": False}})
    assert len(people) == 1
    assert {identity["address"] for identity in people[0]["identities"]} >= {visitor.address, "anna@example.com"}


async def test_a_bad_identity_leaves_an_anonymous_visitor_anonymous_and_says_so(shop: Shop) -> None:
    async with browse(shop, identity=_identity("anna", key="a key that the shop never had, 32 long")) as visitor:
        frame = await welcomed(visitor)
    assert (frame["problem"], frame["identity"]) == ("forged", None)
    assert await shop.store.find("visitors", {}) == []


async def test_a_socket_ends_with_its_identity_token_and_the_page_is_asked_in_time(shop: Shop) -> None:
    async with browse(shop, identity=_identity("anna", valid_for=timedelta(hours=1))) as anna:
        await welcomed(anna)
        shop.channel._beat.stop()  # time is ours
        await until(lambda: all(one._listens for one in shop.channel._all()))
        for minutes in (58.9, 59.1, 59.2):
            shop.offset = timedelta(minutes=minutes)
            shop.channel._beat.tick()
        await anna.says("quiet, still here", id="m0000001")
        assert [frame["type"] for frame in anna.frames].count("expiring") == 1
        shop.offset = timedelta(hours=1)
        shop.channel._beat.tick()
        assert await anna.closed() == 4401


def _identity(
    subject: str, *, key: str = IDENTITY_SECRET, valid_for: timedelta = timedelta(hours=1), **claims: str
) -> str:
    return sign_identity({"sub": subject, **claims}, key, now=utc_now(), valid_for=valid_for)
