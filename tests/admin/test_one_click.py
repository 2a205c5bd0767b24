"""Unsubscribed by one POST and by no GET; a yes confirmed by its button alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData

from profiles.consent import CONFIRM_WITHIN
from profiles.consents import Said
from profiles.permits import Pass, Passage
from profiles.personal_links import UNSUBSCRIBE_FOR, Asked, Offer
from tests.admin.preferences_stage import NEWS, Stage, stage

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
async def shop(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name) as made:
        await made.gives()
        yield made


def link(shop: Stage, channel: str = "email", topic: str = "offers", profile: str = "anna") -> str:
    offer = Offer(profile, channel, topic, "rule:77")
    return shop.here(shop.centre.links.unsubscribe(offer, shop.clock.now))


async def test_a_scanner_that_opens_the_link_unsubscribes_nobody(shop: Stage) -> None:
    for _ in range(3):
        status, page, answer = await shop.get(link(shop))
        assert status == 200 and '<form method="post">' in page and "Offres et nouveautés" in page
        async with shop.http.head(link(shop)) as head:
            assert head.status == 200
    assert await shop.verdict() is None and len(await shop.proofs()) == 1


async def test_one_post_without_cookies_ends_it_and_is_proved(shop: Stage) -> None:
    shop.clock.later(seconds=1)
    status, _ = await shop.post(link(shop), ONE_CLICK, allow_redirects=False)
    assert status == 200  # RFC 8058: no redirect
    assert await shop.verdict() == "opted_out:topic:offers"
    proof = (await shop.proofs())[0]
    assert (proof.change, proof.channel, proof.topic, proof.source) == ("withdrawn", "email", "offers", "one_click")
    assert (proof.evidence["message"], proof.ip, proof.version) == ("rule:77", "127.0.0.1", "3")


async def test_a_multipart_post_is_understood_too(shop: Stage) -> None:
    form = FormData(default_to_multipart=True)
    form.add_field("List-Unsubscribe", "One-Click")
    status, _ = await shop.post(link(shop), data=form)
    assert status == 200 and await shop.verdict() == "opted_out:topic:offers"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"a" * 2_000_000])
async def test_the_link_says_it_all_whatever_the_body(shop: Stage, body: bytes) -> None:
    status, _ = await shop.post(link(shop), data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 200 and await shop.verdict() == "opted_out:topic:offers"


async def test_posted_every_day_it_is_proved_once(shop: Stage) -> None:
    for _ in range(4):
        assert (await shop.post(link(shop), ONE_CLICK))[0] == 200
    assert [proof.change for proof in await shop.proofs()].count("withdrawn") == 1


async def test_the_other_button_ends_the_whole_channel(shop: Stage) -> None:
    status, page = await shop.post(link(shop), {"scope": "channel"})
    assert status == 200 and "plus rien de notre part (e\N{NON-BREAKING HYPHEN}mail)" in page
    assert (await shop.ledger()).on["email:*"] is False
    assert await shop.verdict("sms", "service") is None


async def test_the_answer_waits_until_nothing_is_under_way(shop: Stage) -> None:
    permits = shop.centre.consents._permits
    held = await permits.ask(Passage("m1/0", "anna", "email:a@b.fr", "email", "offers", "marketing", "given"))
    assert isinstance(held, Pass)
    for _ in range(2):  # the second finds the no and waits as well
        answer = asyncio.create_task(shop.post(link(shop), ONE_CLICK))
        done, _ = await asyncio.wait([answer], timeout=0.3)
        assert not done
        answer.cancel()
        assert await shop.verdict() == "opted_out:topic:offers"  # and it holds meanwhile
    permits.settle([held])
    assert (await shop.post(link(shop), ONE_CLICK))[0] == 200


async def test_an_edited_or_ended_link_changes_nothing(shop: Stage) -> None:
    good = link(shop)
    assert (await shop.post(good[:-2] + "AA", ONE_CLICK))[0] == 404
    page = shop.centre.links.preferences("anna", shop.clock.now).rpartition("/")[2]
    assert (await shop.post(f"{shop.base}/u/{page}", ONE_CLICK))[0] == 404
    shop.clock.later(seconds=UNSUBSCRIBE_FOR.total_seconds())
    assert (await shop.post(good, ONE_CLICK))[0] == 410
    assert await shop.verdict() is None


async def test_a_topic_that_left_the_book_can_still_be_ended(shop: Stage) -> None:
    good = link(shop)
    del shop.topics["offers"]
    assert (await shop.get(good))[0] == 200
    assert (await shop.post(good, ONE_CLICK))[0] == 200
    assert await shop.verdict() == "opted_out:topic:offers"


async def asked(shop: Stage) -> str:
    proof = await shop.gives(NEWS)
    return shop.here(shop.centre.links.confirm(Asked("anna", "email", "news", proof.id), shop.clock.now))


async def test_a_yes_is_confirmed_by_the_button_and_not_by_opening_the_link(shop: Stage) -> None:
    confirm = await asked(shop)
    status, page, _ = await shop.get(confirm)
    assert status == 200 and "la lettre du mois" in page
    assert await shop.verdict(topic="news") == "unconfirmed:topic:news"
    status, page = await shop.post(confirm)
    assert status == 200 and "Merci, c’est confirmé" in page
    assert await shop.verdict(topic="news") is None


async def test_a_yes_is_confirmed_once_in_time_and_not_after_a_no(shop: Stage) -> None:
    confirm = await asked(shop)
    await shop.centre.consents.withdraw("anna", "email", "news", Said("keyword"), now=shop.clock.now)
    assert (await shop.post(confirm))[0] == 409
    confirm = await asked(shop)
    assert (await shop.post(confirm))[0] == 200
    assert (await shop.post(confirm))[0] == 409
    confirm = await asked(shop)
    shop.clock.later(seconds=CONFIRM_WITHIN.total_seconds())
    assert (await shop.post(confirm))[0] == 410
