"""The resolver's answers as plain text, asked of a DNS server that runs here."""

import asyncio
from collections.abc import AsyncIterator

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rrset
import pytest

from channels.email_dns import Unanswered, ask_of

RECORDS = {
    ("shop.example.", "TXT"): '"v=spf1 " "-all"',
    ("shop.example.", "MX"): "10 mx.shop.example.",
    ("shop.example.", "A"): "192.0.2.1",
    ("1.2.0.192.in-addr.arpa.", "PTR"): "shop.example.",
}


class Played(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        kind = question.rdtype.name
        answer = dns.message.make_response(query)
        if question.name.to_text() == "broken.example.":
            answer.set_rcode(dns.rcode.REFUSED)
        elif row := RECORDS.get((question.name.to_text(), kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, row))
        elif question.name.to_text() != "shop.example.":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)  # type: ignore[attr-defined]


@pytest.fixture
async def resolver() -> AsyncIterator[dns.asyncresolver.Resolver]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Played, local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    yield resolver
    transport.close()


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("shop.example", "TXT", ["v=spf1 -all"]),
        ("shop.example", "MX", ["mx.shop.example"]),
        ("shop.example", "A", ["192.0.2.1"]),
        ("192.0.2.1", "PTR", ["shop.example"]),
        ("shop.example", "AAAA", []),
        ("nobody.example", "TXT", []),
    ],
)
async def test_an_answer_is_plain_text(
    resolver: dns.asyncresolver.Resolver, name: str, kind: str, found: list[str]
) -> None:
    assert await ask_of(resolver, name, kind) == found


@pytest.mark.parametrize(("name", "kind"), [("broken.example", "TXT"), ("x" * 300, "A"), ("no address", "PTR")])
async def test_no_answer_is_said_to_be_none(resolver: dns.asyncresolver.Resolver, name: str, kind: str) -> None:
    with pytest.raises(Unanswered):
        await ask_of(resolver, name, kind)
