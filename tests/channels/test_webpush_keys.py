"""One key for ever, a token for each push service that an independent reader takes, and encryption that another undoes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature

from channels.webpush_encryption import (
    LARGEST_PLAIN,
    MOST_AT_ONCE,
    OVERHEAD,
    Together,
    are_keys,
    encrypted,
    new_private_key,
    public_key,
    unpacked,
)
from channels.webpush_keys import RENEWED_AFTER, Vapid, vapid_of
from profiles.base64url import base64url
from profiles.secret import Secret
from profiles.store import Store
from tests.peers.push_service import Browser, token

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUBJECT = "mailto:push@shop.example"


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    opened = Store(mongo_url, database_name)
    yield opened
    await opened.close()


async def test_the_key_is_made_once_whoever_starts_first_and_stays(store: Store) -> None:
    made = await asyncio.gather(*(vapid_of(store, Secret(), SUBJECT) for _ in range(8)))
    again = await vapid_of(store, Secret(), SUBJECT)
    assert len({one.public for one in [*made, again]}) == 1
    assert len(unpacked(again.public)) == 65


async def test_both_halves_that_are_kept_belong_together(store: Store) -> None:
    await vapid_of(store, Secret(), SUBJECT)
    again = await vapid_of(store, Secret(), SUBJECT)
    assert token(again.authorization("https://a.example", NOON))[1] == again.public


async def test_a_key_that_is_brought_along_holds_and_touches_nothing(store: Store) -> None:
    private = new_private_key()
    assert (await vapid_of(store, Secret(f" {private}\n"), SUBJECT)).public == public_key(private)
    assert await store.get("settings", "webpush") is None


@pytest.mark.parametrize(
    "wrong", ["AAAA", base64url(b"\0" * 32), base64url(b"\xff" * 32), base64url(b"a" * 31), "é" * 43]
)
async def test_a_key_that_is_none_stops_the_start_without_being_shown(store: Store, wrong: str) -> None:
    with pytest.raises(ValueError, match="private_key") as error:
        await vapid_of(store, Secret(wrong), SUBJECT)
    assert wrong not in str(error.value)


def test_a_token_says_for_whom_until_when_and_who_we_are() -> None:
    vapid = Vapid(new_private_key(), SUBJECT)
    claims, key = token(vapid.authorization("https://fcm.googleapis.com", NOON))
    until = int((NOON + timedelta(hours=12)).timestamp())
    assert claims == {"aud": "https://fcm.googleapis.com", "exp": until, "sub": SUBJECT}
    assert key == vapid.public


def test_a_token_is_kept_for_its_service_and_renewed_in_good_time() -> None:
    vapid = Vapid(new_private_key(), SUBJECT)
    first = vapid.authorization("https://a.example", NOON)
    assert vapid.authorization("https://a.example", NOON + RENEWED_AFTER - timedelta(seconds=1)) == first
    assert token(vapid.authorization("https://b.example", NOON))[0]["aud"] == "https://b.example"
    later = vapid.authorization("https://a.example", NOON + RENEWED_AFTER)
    assert token(later)[0]["exp"] - token(first)[0]["exp"] == RENEWED_AFTER.total_seconds()
    assert vapid.authorization("https://a.example", NOON - timedelta(days=1)) != later, "the clock was set back"


def test_a_token_of_another_key_is_refused_by_who_checks_it() -> None:
    head = Vapid(new_private_key(), SUBJECT).authorization("https://a.example", NOON)
    with pytest.raises(InvalidSignature):
        token(head.rpartition("k=")[0] + "k=" + public_key(new_private_key()))


@pytest.mark.parametrize("plain", [b"{}", b"x" * LARGEST_PLAIN, "Voilà 🎁".encode()])
def test_what_is_encrypted_is_read_by_the_browser_alone(plain: bytes) -> None:
    import http_ece

    browser, other = Browser("https://a/1"), Browser("https://a/2")
    body = encrypted(*map(unpacked, browser.keys.values()), plain)
    assert len(body) == len(plain) + OVERHEAD
    opened = http_ece.decrypt(body, private_key=browser.private, auth_secret=browser.secret, version="aes128gcm")
    assert opened == plain
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(body, private_key=other.private, auth_secret=other.secret, version="aes128gcm")


def test_each_message_has_a_key_of_its_own() -> None:
    browser = Browser("https://a/1")
    heads = {encrypted(*map(unpacked, browser.keys.values()), b"the same")[:86] for _ in range(5)}
    assert len(heads) == 5


async def test_what_is_encrypted_together_goes_to_who_asked_for_it() -> None:
    together, browsers = Together(), [Browser(f"https://push.example/{number}") for number in range(MOST_AT_ONCE + 4)]
    keys = [[unpacked(key) for key in browser.keys.values()] for browser in browsers]
    asked = [
        asyncio.create_task(together.encrypted(*pair, b'{"for": %d}' % number)) for number, pair in enumerate(keys)
    ]
    wrong = asyncio.create_task(together.encrypted(b"\4" + b"x" * 64, b"y" * 16, b"nobody"))
    gone = asyncio.create_task(together.encrypted(*keys[0], b"called off"))
    await asyncio.sleep(0)
    gone.cancel()
    for number, (browser, body) in enumerate(zip(browsers, await asyncio.gather(*asked), strict=True)):
        assert browser.decrypted(body) == {"for": number}
    with pytest.raises(ValueError, match="."):
        await wrong
    with pytest.raises(asyncio.CancelledError):
        await gone


def test_the_largest_message_is_as_large_as_a_push_service_takes() -> None:
    assert LARGEST_PLAIN + OVERHEAD == 4096


WRONG = {
    "none": ("", ""), "no base64": ("***", "***"), "short": (base64url(b"\x04" * 64), base64url(b"a" * 16)),
    "not on the curve": (base64url(b"\x04" + b"\x01" * 64), base64url(b"a" * 16)),
    "zero": (base64url(b"\0" * 65), base64url(b"a" * 16)),
    "secret of 15": (Browser("x").keys["p256dh"], base64url(b"a" * 15)),
    "letters": ("é" * 87, "é" * 22),
}  # fmt: skip


@pytest.mark.parametrize(("p256dh", "auth"), WRONG.values(), ids=WRONG)
def test_keys_that_are_none_are_seen_when_they_come(p256dh: str, auth: str) -> None:
    assert not are_keys(unpacked(p256dh), unpacked(auth))


@pytest.mark.parametrize(("p256dh", "auth"), [keys for name, keys in WRONG.items() if name != "secret of 15"])
def test_keys_that_came_otherwise_raise_what_the_channel_understands(p256dh: str, auth: str) -> None:
    with pytest.raises(ValueError):
        encrypted(unpacked(p256dh), unpacked(auth), b"x")


def test_a_browser_s_keys_are_taken_with_and_without_padding() -> None:
    keys = Browser("x").keys
    assert are_keys(unpacked(keys["p256dh"]), unpacked(keys["auth"]))
    assert are_keys(unpacked(keys["p256dh"] + "="), unpacked(keys["auth"] + "=="))
