"""What Apple is told of who we are, and what each of its answers means."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from channels.apns_client import Answer, ApnsClient, ProviderToken, client_context, is_token, outcome
from channels.channel import Failed, Later, Sent, Unknown
from profiles.calendar import utc_now
from tests.peers.apns import DEVICE, KEY_ID, TEAM, Apns, provider_key, running_apns

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEADERS = {"apns-topic": "com.example.shop", "apns-push-type": "alert"}


class Hours:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **lengths: float) -> None:
        self.now += timedelta(**lengths)


@asynccontextmanager
async def apple(folder: Path) -> AsyncIterator[tuple[Apns, ApnsClient, Hours]]:
    async with running_apns(folder) as peer:
        clock = Hours()
        token = ProviderToken(team=TEAM, key_id=KEY_ID, key=peer.key, clock=clock)
        client = ApnsClient("localhost", peer.port, context=client_context(ca=peer.ca), token=token)
        try:
            yield peer, client, clock
        finally:
            await client.close()


async def test_a_push_is_taken_with_a_token_that_apple_can_check(tmp_path: Path) -> None:
    async with apple(tmp_path) as (peer, client, _):
        answer = await client.push(DEVICE, HEADERS, b'{"aps": {"alert": "Bonjour"}}')
        assert (answer.status, answer.reason) == (200, "")
        assert answer.id
        assert (await peer.pushed(1))[0]["said"] == {"aps": {"alert": "Bonjour"}}


async def test_a_token_of_another_key_is_refused_as_a_matter_of_set_up(tmp_path: Path) -> None:
    async with running_apns(tmp_path) as peer:
        token = ProviderToken(team=TEAM, key_id=KEY_ID, key=provider_key()[0], clock=Hours())
        client = ApnsClient("localhost", peer.port, context=client_context(ca=peer.ca), token=token)
        assert await client.sending(DEVICE, HEADERS, b"{}") == Failed("config", "403 InvalidProviderToken")
        await client.close()


async def test_the_token_is_kept_for_forty_minutes_and_then_made_anew(tmp_path: Path) -> None:
    async with apple(tmp_path) as (peer, client, clock):
        for minutes in (0, 39, 2):
            clock.pass_by(minutes=minutes)
            await client.push(DEVICE, HEADERS, b"{}")
        first, kept, fresh = (push["headers"]["authorization"] for push in await peer.pushed(3))
        assert first == kept != fresh


async def test_an_expired_token_is_renewed_once_and_the_push_repeated(tmp_path: Path) -> None:
    async with apple(tmp_path) as (peer, client, clock):
        await client.push(DEVICE, HEADERS, b"{}")
        clock.pass_by(minutes=25)
        await peer.behave(DEVICE, {"status": 403, "reason": "ExpiredProviderToken"}, {})
        assert (await client.push(DEVICE, HEADERS, b"{}")).status == 200
        _, refused, taken = (push["headers"]["authorization"] for push in await peer.pushed(3))
        assert refused != taken


async def test_a_fresh_token_that_apple_calls_expired_is_not_made_anew_at_once(tmp_path: Path) -> None:
    async with apple(tmp_path) as (peer, client, _):  # a clock that goes wrong; Apple bars keys that sign too often
        await peer.behave(DEVICE, {"status": 403, "reason": "ExpiredProviderToken"})
        assert await client.sending(DEVICE, HEADERS, b"{}") == Failed("config", "403 ExpiredProviderToken")
        assert len(await peer.pushed(1)) == 1


async def test_a_client_certificate_proves_us_without_a_token(tmp_path: Path) -> None:
    certificate = client_certificate(tmp_path)
    async with running_apns(tmp_path, tokens=False, client_ca=certificate) as peer:
        client = ApnsClient("localhost", peer.port, context=client_context(ca=peer.ca, certificate=certificate))
        answer = await client.push(DEVICE, {"apns-topic": "pass.com.example.card"}, b"{}")
        assert answer.status == 200
        assert "authorization" not in (await peer.pushed(1))[0]["headers"]
        await client.close()


async def test_without_the_certificate_the_same_push_is_refused(tmp_path: Path) -> None:
    certificate = client_certificate(tmp_path)
    async with running_apns(tmp_path, tokens=False, client_ca=certificate) as peer:
        client = ApnsClient("localhost", peer.port, context=client_context(ca=peer.ca))
        assert (await client.push(DEVICE, {"apns-topic": "pass.com.example.card"}, b"{}")).reason == "BadCertificate"
        await client.close()


async def test_when_a_token_died_is_told(tmp_path: Path) -> None:
    async with apple(tmp_path) as (peer, client, _):
        await peer.behave(DEVICE, {"status": 410, "reason": "Unregistered", "timestamp": 1_795_000_000_123})
        answer = await client.push(DEVICE, HEADERS, b"{}")
        assert answer.dead_since == datetime.fromtimestamp(1_795_000_000, UTC) + timedelta(milliseconds=123)


@pytest.mark.parametrize("device", ["", "x" * 64, "ab" * 31, "AB" * 32, "a" * 10_000, "ab" * 32 + "\r\napns-topic: x"])
async def test_what_can_be_no_device_token_is_never_sent(tmp_path: Path, device: str) -> None:
    client = ApnsClient("localhost", 9, context=client_context())
    assert await client.sending(device, HEADERS, b"{}") == Failed("dead", "no such device token can exist")
    assert not is_token(device)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"raw": "", "status": 500}, Unknown("500")),
        ({"raw": "<html>gateway</html>", "status": 502}, Unknown("502")),
        ({"raw": '["reason"]', "status": 400}, Failed("config", "400")),
        ({"raw": '{"reason": 7, "timestamp": "x"}', "status": 400}, Failed("config", "400")),
        ({"raw": '{"reason": "Unregistered", "timestamp": 1e300}', "status": 410}, Failed("dead", "410 Unregistered")),
    ],
)
async def test_an_odd_answer_is_no_mistake_of_ours(tmp_path: Path, said: dict[str, object], expected: object) -> None:
    async with apple(tmp_path) as (peer, client, _):
        await peer.behave(DEVICE, said)
        assert await client.sending(DEVICE, HEADERS, b"{}") == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, id="i"), Sent("i")),
        (Answer(410, "Unregistered"), Failed("dead", "410 Unregistered")),
        (Answer(410, "ExpiredToken"), Failed("dead", "410 ExpiredToken")),
        (Answer(400, "BadDeviceToken"), Failed("dead", "400 BadDeviceToken")),
        (Answer(400, "DeviceTokenNotForTopic"), Failed("config", "400 DeviceTokenNotForTopic")),
        (Answer(400, "BadCollapseId"), Failed("content", "400 BadCollapseId")),
        (Answer(413, "PayloadTooLarge"), Failed("content", "413 PayloadTooLarge")),
        (Answer(429, "TooManyRequests"), Later(60.0, "429 TooManyRequests")),
        (Answer(429, "TooManyRequests", retry_seconds=7.0), Later(7.0, "429 TooManyRequests")),
        (Answer(429, "TooManyProviderTokenUpdates"), Failed("config", "429 TooManyProviderTokenUpdates")),
        (Answer(500, "InternalServerError"), Later(15.0, "500 InternalServerError")),
        (Answer(503, "ServiceUnavailable"), Later(15.0, "503 ServiceUnavailable")),
        (Answer(403, "BadCertificate"), Failed("config", "403 BadCertificate")),
        (Answer(400, "IdleTimeout"), Later(15.0, "400 IdleTimeout")),
    ],
)
def test_each_answer_means_one_thing(answer: Answer, expected: object) -> None:
    assert outcome(answer) == expected


def test_a_token_registered_after_its_death_lives_again() -> None:
    dead = Answer(410, "Unregistered", dead_since=NOON)
    assert isinstance(outcome(dead, registered_at=NOON + timedelta(seconds=1)), Later)
    assert isinstance(outcome(dead, registered_at=NOON - timedelta(days=1)), Failed)


def test_a_key_that_is_no_p8_is_refused_without_showing_it() -> None:
    rsa_key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip
    for text in ("", "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----", rsa_key):
        with pytest.raises(ValueError, match="expected a") as refused:
            ProviderToken(team=TEAM, key_id=KEY_ID, key=text, clock=Hours())
        assert "secret" not in str(refused.value)


def client_certificate(folder: Path) -> str:
    """Return the file of a certificate and its key, which is its own CA."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pass Type ID: pass.com.example.card")])
    now = utc_now()
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "client.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*pkcs8))
    return str(path)
