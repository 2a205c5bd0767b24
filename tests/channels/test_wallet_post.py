"""Wallets are told of what changed until they know: once for many changes, again after a crash or trouble, and dead devices go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from channels.channel import Sent
from channels.wallet import Options, connect
from channels.wallet_signature import Papers, named, read_papers, self_made
from profiles.secret import Secret
from tests.cast import NOON
from tests.channels.wallet_device import fields
from tests.channels.wallet_stage import Hall, hall, told
from tests.needed import node
from tests.peers.apns import Apns, running_apns
from tests.waiting import until

PASS_TYPE, TEAM = "pass.example.shop.loyalty", "ABCDE12345"

SECOND = timedelta(seconds=1)


def written(folder: Path, papers: Papers) -> dict[str, str]:
    """Write papers as Apple's come: the certificate as .cer, the key in PEM, the one above in PEM."""
    folder = folder / "papers"
    folder.mkdir()
    certificate = x509.load_pem_x509_certificate(papers.certificate.encode())
    (folder / "pass.cer").write_bytes(certificate.public_bytes(Encoding.DER))
    (folder / "pass.pem").write_text(papers.certificate)
    (folder / "key.pem").write_text(papers.key)
    (folder / "wwdr.pem").write_text(papers.above)
    return {name: str(folder / name) for name in ("pass.cer", "pass.pem", "key.pem", "wwdr.pem")}


@pytest.fixture(scope="module")
def papers() -> Papers:
    """Papers as of Apple: made once, for keys take a while."""
    return self_made(PASS_TYPE, TEAM, now=NOON - timedelta(days=1))


@asynccontextmanager
async def at_apple(
    mongo_url: str, database: str, port: int, folder: Path, papers: Papers
) -> AsyncIterator[tuple[Hall, Apns]]:
    """A shop with a certificate, and Apple, who wants to see it."""
    node()
    files = written(folder, papers)
    async with running_apns(folder, tokens=False, client_ca=files["wwdr.pem"]) as apple:
        options = Options(
            True, "Atelier Louise", PASS_TYPE, TEAM, files["pass.pem"], files["key.pem"], wwdr=files["wwdr.pem"],
            push_host=f"localhost:{apple.port}", push_ca=apple.ca,
        )  # fmt: skip
        async with hall(mongo_url, database, port, options) as shop:
            yield shop, apple


@pytest.fixture
async def apple(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path, papers: Papers
) -> AsyncIterator[tuple[Hall, Apns]]:
    async with at_apple(mongo_url, database_name, free_port, tmp_path, papers) as both:
        yield both


async def test_a_change_is_pushed_with_the_pass_certificate_and_says_nothing(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    device = await shop.phone()
    await device.wake()
    await shop.learn(points=500)
    await shop.keep()
    assert await told(shop) == 0, "it waits a second for others"
    shop.later(seconds=1)
    assert await told(shop) == 1
    (push,) = await peer.pushed(1, device.push_token)
    assert push["headers"]["apns-topic"] == PASS_TYPE
    assert push["said"] == {}
    assert "authorization" not in push["headers"]
    assert peer.of("session")[0]["authorized"], "the pass certificate is the proof"
    assert await device.wake()
    assert device.told == ["Vous avez maintenant 500 points"]
    assert await told(shop) == 0
    assert (await shop.held()).due_at is None


async def test_ten_changes_in_a_second_are_one_push(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    device = await shop.phone()
    for points in range(201, 211):
        shop.later(milliseconds=90)
        await shop.learn(points=points)
        assert await shop.keep() == "changed"
        assert await told(shop) == 0
    shop.later(seconds=1)
    assert await told(shop) == 1
    assert len(await peer.pushed(1, device.push_token)) == 1
    await device.wake()
    assert fields(next(iter(device.passes.values())))["points"]["value"] == "210"


async def test_every_device_of_a_pass_is_told_and_a_dead_one_is_dropped(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    first, second = await shop.phone(1), await shop.phone(2)
    await peer.behave(first.push_token, {"status": 410, "reason": "Unregistered", "timestamp": 1_700_000_000_000})
    assert isinstance(await shop.send("bonjour"), Sent)
    shop.later(seconds=1)
    await told(shop)
    assert await peer.pushed(1, first.push_token)
    assert await peer.pushed(1, second.push_token)
    (row,) = await shop.wallet.passes.devices((await shop.held()).id)
    assert row["push_token"] == second.push_token
    await peer.behave(second.push_token, {"status": 400, "reason": "DeviceTokenNotForTopic"})
    await shop.send("encore", id="m2")
    shop.later(seconds=1)
    await told(shop)
    held = await shop.held()
    assert (held.devices, held.due_at) == (0, None)
    identity = (await shop.person()).identity(f"wallet:{held.id}")
    assert identity
    assert identity.suppression
    assert identity.suppression.reason == "unreachable"


TROUBLES: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "reason": "InternalServerError"},
    "503": {"status": 503, "reason": "ServiceUnavailable"},
    "429": {"status": 429, "reason": "TooManyRequests", "retry": 4},
    "403": {"status": 403, "reason": "BadCertificate"},
    "reset": {"reset": True},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_a_push_that_was_not_taken_is_tried_again_later_and_later(
    apple: tuple[Hall, Apns], trouble: dict[str, Any]
) -> None:
    shop, peer = apple
    device = await shop.phone()
    await peer.behave(device.push_token, trouble, trouble, {"status": 200})
    await shop.send("bonjour")
    pauses = []
    for _ in range(2):
        due = (await shop.held()).due_at
        assert due
        shop.now = due
        assert await told(shop) == 1
        held = await shop.held()
        assert held.due_at
        assert held.trouble.startswith("apple: ")
        pauses.append(held.due_at - shop.now)
    assert timedelta(seconds=10) <= pauses[0] < pauses[1]
    due = (await shop.held()).due_at
    assert due

    async def is_told() -> bool:
        shop.now += timedelta(minutes=1)  # after a lost connection the client itself waits a moment
        await told(shop)
        return (await shop.held()).due_at is None

    await until(is_told)
    assert (await shop.held()).trouble == ""


async def test_apple_is_not_asked_again_before_it_wants_to_be(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    device = await shop.phone()
    await peer.behave(device.push_token, {"status": 429, "reason": "TooManyRequests", "retry": 300}, {"status": 200})
    await shop.send("bonjour")
    shop.later(seconds=1)
    await told(shop)
    assert (await shop.held()).due_at == shop.now + timedelta(seconds=300)


async def test_an_apple_that_is_gone_for_three_days_is_given_up(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    await shop.phone()
    await shop.send("bonjour")
    await peer.stop()
    shop.later(seconds=1)
    await told(shop)
    assert (await shop.held()).due_at
    shop.later(days=3, minutes=1)
    await told(shop)
    held = await shop.held()
    assert held.due_at is None
    assert held.trouble, "why stays to be seen"


async def test_who_died_between_the_commit_and_the_push_is_stood_in_for(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    device = await shop.phone()
    await shop.send("bonjour")
    shop.later(seconds=1)
    assert len(await shop.wallet._post._claim()) == 1  # and here the process is killed
    assert await told(shop) == 0, "it is held by the dead one"
    shop.later(seconds=60)
    assert await told(shop) == 1
    assert await peer.pushed(1, device.push_token)


async def test_a_change_while_a_push_is_under_way_is_pushed_too(apple: tuple[Hall, Apns]) -> None:
    shop, peer = apple
    device = await shop.phone()
    await shop.send("un")
    shop.later(seconds=1)
    (row,) = await shop.wallet._post._claim()
    await shop.send("deux", id="m2")
    await shop.wallet._post._tell(row)
    assert (await shop.held()).due_at == shop.now + SECOND
    shop.later(seconds=1)
    assert await told(shop) == 1
    assert len(await peer.pushed(2, device.push_token)) == 2


def test_the_papers_are_read_from_files_as_apple_gives_them(tmp_path: Path, papers: Papers) -> None:
    files = written(tmp_path, papers)
    for certificate in ("pass.cer", "pass.pem"):
        read = read_papers(
            Path(files[certificate]), Path(files["key.pem"]), Path(files["wwdr.pem"]), Secret()
        )  # fmt: skip
        assert (named(read).pass_type, named(read).team) == (PASS_TYPE, TEAM)


def test_papers_that_do_not_fit_are_named(tmp_path: Path, papers: Papers) -> None:
    files = {name: Path(path) for name, path in written(tmp_path, papers).items()}
    other = self_made("pass.other", TEAM, now=NOON)
    (tmp_path / "other.pem").write_text(other.key)
    (tmp_path / "root.pem").write_text(papers.certificate)
    with pytest.raises(ValueError, match=r"other.pem: expected the key of pass.cer"):
        read_papers(files["pass.cer"], tmp_path / "other.pem", files["wwdr.pem"], Secret())
    with pytest.raises(ValueError, match=r"root.pem: expected the certificate that pass.cer was issued by"):
        read_papers(files["pass.cer"], files["key.pem"], tmp_path / "root.pem", Secret())
    with pytest.raises(ValueError, match=r"key.pem: expected a private key in PEM that key_password opens"):
        read_papers(files["pass.cer"], files["key.pem"], files["wwdr.pem"], Secret("wrong"))
    with pytest.raises(ValueError, match=r"key.pem: expected a certificate"):
        read_papers(files["key.pem"], files["key.pem"], files["wwdr.pem"], Secret())


async def test_a_certificate_that_ended_or_is_another_types_is_refused(
    mongo_url: str, database_name: str, free_port: int, tmp_path: Path, papers: Papers
) -> None:
    files = written(tmp_path, papers)
    async with hall(mongo_url, database_name, free_port) as shop:
        options = Options(
            True, "Atelier Louise", "pass.another", TEAM, files["pass.cer"], files["key.pem"], wwdr=files["wwdr.pem"]
        )  # fmt: skip
        shop.later(days=4_000)
        with pytest.raises(ValueError, match="channels") as wrong:
            await connect(options, shop.door)
    assert f'channels.wallet.pass_type: expected "{PASS_TYPE}", as the certificate says' in str(wrong.value)
    assert "channels.wallet.certificate: expected PEM, got DER. Hint: openssl x509" in str(wrong.value)
    assert "channels.wallet.certificate: expected one that holds, got one that ended 2036-11-" in str(wrong.value)
