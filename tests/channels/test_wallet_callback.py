"""Google tells of saving and deleting: believed when it signed it for this issuer, once for each nonce."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels.wallet import Options
from channels.wallet_google import Seller, class_of
from channels.wallet_google_signature import KEYS_URL, read
from tests.cast import NOON
from tests.channels.wallet_stage import Hall, hall, shop_cards
from tests.peers.google import ISSUER, Google

PROTOCOL = "ECv2SigningOnly"


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> str:
    der = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, der)).decode()


def millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def proof(key: ec.EllipticCurvePrivateKey, *texts: str) -> str:
    signed = b"".join(len(text.encode()).to_bytes(4, "little") + text.encode() for text in texts)
    return base64.b64encode(key.sign(signed, ec.ECDSA(hashes.SHA256()))).decode()


@dataclass
class Caller:
    """Google, who signs callbacks and lists its keys."""

    shop: Hall
    root: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    between: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    asked: int = 0
    is_away: bool = False

    async def lists(self, address: str) -> bytes:
        self.asked += 1
        if self.is_away or address != KEYS_URL:
            raise OSError("away")
        old = {"keyValue": public(new_key()), "protocolVersion": PROTOCOL, "keyExpiration": "1"}
        mine = {"keyValue": public(self.root), "protocolVersion": PROTOCOL, "keyExpiration": str(millis(NOON) * 2)}
        return json.dumps({"keys": [old, mine]}).encode()

    async def signed(
        self, event: str, nonce: str = "n1", *, recipient: str = ISSUER, key_for: timedelta = timedelta(days=7),
        counts_for: timedelta = timedelta(hours=1), protocol: str = PROTOCOL, sender: str = "GooglePayPasses",
        **changed: Any,
    ) -> dict[str, Any]:  # fmt: skip
        now = self.shop.now
        between = json.dumps({"keyValue": public(self.between), "keyExpiration": str(millis(now + key_for))})
        message = json.dumps({
            "classId": f"{ISSUER}.loyalty", "objectId": f"{ISSUER}.{(await self.shop.held()).id}", "eventType": event,
            "expTimeMillis": millis(now + counts_for), "count": 1, "nonce": nonce, **changed,
        })  # fmt: skip
        return {
            "signature": proof(self.between, sender, recipient, protocol, message),
            "intermediateSigningKey": {
                "signedKey": between, "signatures": ["", proof(self.root, sender, protocol, between)],
            },
            "protocolVersion": protocol, "signedMessage": message,
        }  # fmt: skip

    async def posts(self, body: Any) -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.shop.http.post(f"{self.shop.url}/channels/wallet/google", data=data) as answer:
            return answer.status

    async def says(self, event: str, nonce: str = "n1", **changed: Any) -> int:
        return await self.posts(await self.signed(event, nonce, **changed))


@pytest.fixture
async def both(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path
) -> AsyncIterator[tuple[Caller, Google]]:
    api = Google()
    await api.start()
    options = Options(
        True, "Atelier Louise", issuer=ISSUER, service_account=str(api.account(tmp_path)), google_url=api.url
    )
    async with hall(mongo_url, database_name, free_port, options) as shop:
        caller = Caller(shop)
        shop.wallet._callback._fetch = caller.lists
        await shop.keep()
        await shop.wallet.save_link(await shop.held())
        yield caller, api
    await api.stop()


async def test_what_is_saved_can_be_written_to_at_once_and_what_is_deleted_can_not(both: tuple[Caller, Google]) -> None:
    google, _ = both
    assert await google.says("save") == 200
    held = await google.shop.held()
    assert held.saved
    identity = (await google.shop.person()).identity(f"wallet:{held.id}")
    assert identity and identity.suppression is None
    assert await google.says("del", "n2") == 200
    identity = (await google.shop.person()).identity(f"wallet:{held.id}")
    assert identity and identity.suppression and identity.suppression.reason == "unreachable"
    assert sorted(await google.shop.events()) == ["pass.added", "pass.issued", "pass.removed"]
    assert google.asked == 1, "its keys are read once"


async def test_the_same_callback_again_changes_nothing(both: tuple[Caller, Google]) -> None:
    google, _ = both
    saved = await google.signed("save")
    assert await google.posts(saved) == 200
    assert await google.says("del", "n2") == 200
    assert await google.posts(saved) == 200
    assert not (await google.shop.held()).saved


async def test_google_is_asked_two_minutes_later_what_is_true(both: tuple[Caller, Google]) -> None:
    google, api = both
    google.shop.later(minutes=2)
    await google.shop.wallet._post.look()
    assert await google.says("del") == 200
    assert await google.says("save", "n2") == 200, "they came in the wrong order"
    google.shop.later(minutes=2)
    assert await google.shop.wallet._post.look() == 1
    assert not (await google.shop.held()).saved
    assert api.refused == []


FORGED: dict[str, dict[str, Any]] = {
    "said to another issuer": {"recipient": "3388000000099999999"},
    "said by another service of Google": {"sender": "Google"},
    "another protocol": {"protocol": "ECv2"},
    "a key that ended": {"key_for": -timedelta(seconds=1)},
    "a message that ended": {"counts_for": -timedelta(seconds=1)},
    "no nonce": {"nonce": ""},
    "an event that is none": {"event": "steal"},
}


@pytest.mark.parametrize("changed", FORGED.values(), ids=FORGED)
async def test_what_google_did_not_say_to_us_now_is_refused(
    both: tuple[Caller, Google], changed: dict[str, Any]
) -> None:
    google, _ = both
    assert await google.posts(await google.signed(**{"event": "save", **changed})) == 403
    assert not (await google.shop.held()).saved


async def test_what_was_altered_or_signed_by_a_stranger_is_refused(both: tuple[Caller, Google]) -> None:
    google, _ = both
    right = await google.signed("save")
    stranger = Caller(google.shop)
    theirs = await stranger.signed("save")
    key = right["intermediateSigningKey"]
    wrong: list[Any] = [
        {**right, "signedMessage": right["signedMessage"].replace("n1", "n2")},
        {**right, "signature": theirs["signature"]},
        {**right, "intermediateSigningKey": {**key, "signedKey": theirs["intermediateSigningKey"]["signedKey"]}},
        {**theirs, "intermediateSigningKey": key},
        theirs,
        {**right, "intermediateSigningKey": {**key, "signatures": []}},
        {**right, "intermediateSigningKey": {**key, "signatures": "x"}},
        {**right, "signature": "no base64"}, {**right, "signature": None},
        {"protocolVersion": PROTOCOL}, [], b"", b"\xff", b"{",
    ]  # fmt: skip
    for body in wrong:
        assert await google.posts(body) == 403, body
    assert not (await google.shop.held()).saved
    assert await google.posts(b" " * 30_000) == 413
    assert await google.posts(right) == 200, "the control"


async def test_a_pass_that_is_none_of_ours_is_passed_over(both: tuple[Caller, Google]) -> None:
    google, _ = both
    for object in (f"{ISSUER}.other", f"3388000000099999999.{(await google.shop.held()).id}", ""):
        assert await google.says("save", f"n {object}", objectId=object) == 200
    assert not (await google.shop.held()).saved


async def test_new_keys_of_google_are_read_and_an_absent_google_is_asked_seldom(both: tuple[Caller, Google]) -> None:
    google, _ = both
    google.is_away = True
    for _ in range(3):
        assert await google.says("save") == 503, "Google tells it again"
    assert google.asked == 1
    google.is_away = False
    google.shop.later(seconds=5)
    assert await google.says("save") == 200
    google.root = new_key()
    assert await google.says("del", "n2") == 403
    google.shop.later(minutes=1)
    assert await google.says("del", "n2") == 200
    assert google.asked == 3


async def test_without_an_issuer_nothing_is_believed(mongo_url: str, database_name: str, free_port: int) -> None:
    async with hall(mongo_url, database_name, free_port) as shop:
        google = Caller(shop)
        shop.wallet._callback._fetch = google.lists
        await shop.keep()
        assert await google.says("save", recipient="") == 403
        assert google.asked == 0


@pytest.mark.parametrize("kind", ["06032a0304" + "0500", "06072a8648ce3d0201" + "06032a0304"], ids=["key", "curve"])
def test_a_key_of_a_kind_that_nobody_knows_is_a_wrong_one(kind: str) -> None:
    words = bytes.fromhex(kind)
    der = bytes([0x30, len(words) + 6, 0x30, len(words)]) + words + b"\x03\x02\x00\x00"
    said = {"protocolVersion": PROTOCOL, "signedMessage": "{}", "signature": "AA==", "intermediateSigningKey": {
        "signedKey": json.dumps({"keyValue": base64.b64encode(der).decode()}), "signatures": ["AA=="]}}  # fmt: skip
    assert read(json.dumps(said).encode(), issuer=ISSUER, roots=[], now=NOON) is None


def test_google_is_told_where_to_call() -> None:
    card, where = shop_cards().known["loyalty"], "https://shop.example/channels/wallet/google"
    assert class_of(card, Seller(ISSUER, "Louise", "https://x", where), "fr")["callbackOptions"] == {"url": where}
    assert "callbackOptions" not in class_of(card, Seller(ISSUER, "Louise", "http://x"), "fr")
