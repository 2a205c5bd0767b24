"""Only the public internet is reached by what a marketer writes, whatever way the address is spelt or looked up."""

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver

from rules.outward import NotPublic, PublicResolver, is_public, why_not


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:db8::1",
        "2001::1", "3fff::1", "not an address", "",
    ],
)  # fmt: skip
def test_everything_else_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://hooks.example/in?a=1", ""), ("https://hooks.example:443/", ""), ("https://1.1.1.1/", ""),
        ("http://hooks.example/", "not_https"), ("https://hooks.example:8443/", "not_https"), ("ftp://a/", "not_https"),
        ("https://me:secret@hooks.example/", "bad_address"), ("https://user@hooks.example/", "bad_address"),
        ("https:///path", "bad_address"), ("", "bad_address"), ("https://[::1/", "bad_address"),
        ("https://127.0.0.1/", "not_public"), ("https://[::ffff:10.0.0.1]/", "not_public"),
        ("https://169.254.169.254/latest/meta-data", "not_public"), ("https://a/" + "x" * 3000, "bad_address"),
    ],
)  # fmt: skip
def test_an_address_is_judged_before_it_is_tried(url: str, reason: str) -> None:
    assert why_not(url) == reason


class Book(AbstractResolver):
    """Looks names up in a table."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> Any:
        return [{"hostname": host, "host": one, "port": port, "family": family, "proto": 0, "flags": 0}
                for one in self.addresses]  # fmt: skip

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::ffff:192.168.0.1"]])
async def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(addresses: list[str]) -> None:
    with pytest.raises(NotPublic):
        await PublicResolver(Book(*addresses)).resolve("rebound.example", 443)


async def test_a_name_that_leads_outside_is_looked_up() -> None:
    found = await PublicResolver(Book("1.1.1.1")).resolve("good.example", 443)
    assert [one["host"] for one in found] == ["1.1.1.1"]


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f.1", "localhost"])
async def test_odd_spellings_of_this_machine_are_refused_by_the_system_s_own_look_up(name: str) -> None:
    assert why_not(f"https://{name}/") in ("", "not_public", "bad_address")
    with pytest.raises(OSError):
        await PublicResolver().resolve(name, 443)
