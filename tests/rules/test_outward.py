"""Only the public internet is reached by what a marketer writes, whatever way the address is spelt or looked up."""

import socket
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver

from profiles.public_address import NotPublic
from rules.outward import PublicResolver, why_not


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
