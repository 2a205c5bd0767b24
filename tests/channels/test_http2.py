"""One kept HTTP/2 connection: shared, bounded as the server says, and what each end of it proves."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from channels.http2 import Http2, Lost, Refused, Reply, Unreachable, client_context
from tests.channels.email_certificate import certificate
from tests.peers.apns import DEVICE, Apns, running_apns

HEADERS = [("apns-topic", "com.example.app"), ("apns-push-type", "alert")]


@asynccontextmanager
async def connected(folder: Path, idle_seconds: float = 60.0, **settings: Any) -> AsyncIterator[tuple[Apns, Http2]]:
    async with running_apns(folder, tokens=False, **settings) as peer:
        client = Http2(
            "localhost", peer.port, context=client_context(ca=peer.ca), idle_seconds=idle_seconds, jitter=lambda: 0.0
        )
        try:
            yield peer, client
        finally:
            await client.close()


async def post(client: Http2, device: str = DEVICE, body: bytes = b"{}", within_seconds: float = 15.0) -> Reply:
    return await client.post(f"/3/device/{device}", HEADERS, body, within_seconds=within_seconds)


async def test_many_requests_share_one_connection_and_get_their_own_answers(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        devices = [f"{number:064x}" for number in range(300)]
        for device in devices[::50]:
            await peer.behave(device, {"status": 400, "reason": device})
        replies = await asyncio.gather(*(post(client, device) for device in devices))
        assert [reply.status for reply in replies] == [400 if number % 50 == 0 else 200 for number in range(300)]
        assert all(device.encode() in reply.body for device, reply in zip(devices, replies, strict=True)
                   if reply.status == 400)  # fmt: skip
        await peer.order("most")  # all that it said before is heard
        assert len(peer.of("session")) == 1


async def test_never_more_streams_are_open_than_the_server_allows(tmp_path: Path) -> None:
    async with connected(tmp_path, streams=3) as (peer, client):
        await peer.order("delay", milliseconds=5)
        await asyncio.gather(*(post(client) for _ in range(30)))
        await peer.order("most")
        assert (await peer.event("most"))["count"] == 3


async def test_a_server_that_allows_more_later_is_given_more(tmp_path: Path) -> None:
    async with connected(tmp_path, streams=1) as (peer, client):  # Apple's way until a token is proved
        await post(client)
        await peer.order("streams", count=20)
        await peer.order("delay", milliseconds=20)
        await asyncio.gather(*(post(client) for _ in range(60)))
        await peer.order("most")
        assert (await peer.event("most"))["count"] > 1


async def test_a_body_waits_for_a_small_window(tmp_path: Path) -> None:
    async with connected(tmp_path, window=100) as (peer, client):
        body = b'{"text": "' + b"x" * 3000 + b'"}'
        replies = await asyncio.gather(*(post(client, body=body) for _ in range(20)))
        assert {reply.status for reply in replies} == {200}
        assert {push["body"] for push in await peer.pushed(20)} == {body.decode()}


async def test_what_a_leaving_server_had_taken_is_answered_and_the_next_goes_to_a_new_connection(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path) as (peer, client):
        await peer.behave(DEVICE, {"leave": "after"}, {})
        assert (await post(client)).status == 200
        assert (await post(client)).status == 200
        assert [push["connection"] for push in await peer.pushed(2)] == [1, 2]


async def test_what_a_leaving_server_had_not_taken_goes_to_a_new_connection_at_once(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        assert (await post(client)).status == 200
        await peer.behave(DEVICE, {"leave": "before"}, {})
        assert (await post(client)).status == 200
        assert [push["connection"] for push in await peer.pushed(3)] == [1, 1, 2]


async def test_a_refused_stream_was_not_taken(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        await peer.behave(DEVICE, {"refuse": True})
        with pytest.raises(Refused):
            await post(client)


async def test_a_reset_connection_proves_nothing_and_the_next_request_has_a_new_one(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        await peer.behave(DEVICE, {"reset": True}, {})
        with pytest.raises(Lost):
            await post(client)
        assert (await post(client)).status == 200


async def test_a_hanging_request_ends_in_time_and_harms_no_other(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        await peer.behave(DEVICE, {"hang": True})
        with pytest.raises(Lost):
            await post(client, within_seconds=0.3)
        assert (await post(client, "cd" * 32)).status == 200
        await peer.order("most")  # all that it said before is heard
        assert len(peer.of("session")) == 1


async def test_a_connection_long_quiet_is_asked_for_a_sign_of_life(tmp_path: Path) -> None:
    async with connected(tmp_path, idle_seconds=0.0) as (peer, client):
        await post(client)
        await peer.order("most")
        assert peer.of("ping") == []
        await post(client)
        await peer.event("ping")
        await peer.order("most")  # all that it said before is heard
        assert len(peer.of("session")) == 1


async def test_a_connection_cut_while_idle_is_replaced_without_loss(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        await post(client)
        await peer.order("cut")
        await peer.event("closed", number=1)
        await post(client)
        assert [push["connection"] for push in await peer.pushed(2)] == [1, 2]


async def test_a_server_that_is_gone_is_not_dialled_again_at_once(tmp_path: Path) -> None:
    async with connected(tmp_path) as (peer, client):
        await peer.stop()
        with pytest.raises(Unreachable) as first:
            await post(client)
        with pytest.raises(Unreachable) as second:
            await post(client)
        assert 0 < second.value.seconds <= first.value.seconds == 1.0


async def test_a_certificate_nobody_vouches_for_is_a_matter_of_set_up(tmp_path: Path) -> None:
    async with running_apns(tmp_path, tokens=False) as peer:
        client = Http2("localhost", peer.port, context=client_context())
        with pytest.raises(Unreachable) as refused:
            await post(client)
        assert refused.value.is_config
        await client.close()


async def test_a_server_without_http2_is_not_spoken_to(tmp_path: Path) -> None:
    _, theirs = certificate(tmp_path)
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=theirs)
    port = server.sockets[0].getsockname()[1]
    client = Http2("localhost", port, context=client_context(ca=str(tmp_path / "cert.pem")))
    with pytest.raises(Unreachable):
        await post(client)
    await client.close()
    server.close()


async def test_octets_that_are_no_http2_end_the_connection(tmp_path: Path) -> None:
    _, theirs = certificate(tmp_path)
    theirs.set_alpn_protocols(["h2"])

    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\xff" * 600_000)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0, ssl=theirs)
    client = Http2(
        "localhost", server.sockets[0].getsockname()[1], context=client_context(ca=str(tmp_path / "cert.pem"))
    )
    with pytest.raises((Unreachable, Lost, Refused)):
        await post(client, within_seconds=5.0)
    await client.close()
    server.close()


async def test_a_header_can_not_smuggle_another(tmp_path: Path) -> None:
    async with connected(tmp_path) as (_, client):
        with pytest.raises(ValueError, match="line end"):
            await client.post("/3/device/ab", [("apns-topic", "a\r\napns-priority: 10")], b"{}")


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nowhere.pem"):
        client_context(certificate=str(tmp_path / "nowhere.pem"))
    with pytest.raises(ValueError, match="ca.pem"):
        client_context(ca=str(tmp_path / "ca.pem"))


def test_the_context_offers_nothing_older_than_tls_1_2() -> None:
    assert client_context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_server_that_pushes_nowhere_does_without_h2() -> None:
    asked = "import sys; from channels import house; house.names(); print('h2' in sys.modules, 'cryptography' in sys.modules)"
    python = [sys.executable, "-c", asked]
    found = subprocess.run(python, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert found.stdout == "False False\n"
