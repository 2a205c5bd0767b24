"""Databases in network namespaces of their own, that can be cut off from each other and from us. Needs root."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.faults.mongods import Node

SUBNET = "10.213.77"
US = f"{SUBNET}.254"
BRIDGE = "faultsbr"


@contextmanager
def apart(folder: Path, count: int = 3) -> Iterator[list[Node]]:
    """Within the block there are nodes, not started, each in a network namespace on one bridge, and we are on it too."""
    names = [f"faults{place}" for place in range(count)]
    _clean(names)
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{US}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for place, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"fv{place}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"fv{place}", "master", BRIDGE, "up")
            _ip("-n", name, "addr", "add", f"{_host(place)}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield [
            Node(folder / f"node{place}", _host(place), 27_017, before=("ip", "netns", "exec", name))
            for place, name in enumerate(names)
        ]
    finally:
        _clean(names)


def cut(node: Node, others: Sequence[str]) -> None:
    """Let no packet of this node reach these hosts. Nobody is told: what they send arrives, and is never answered."""
    for other in others:
        _ip("-n", _name(node), "route", "add", "blackhole", f"{other}/32")


def mend(node: Node, others: Sequence[str]) -> None:
    """Let its packets through again."""
    for other in others:
        _ip("-n", _name(node), "route", "del", "blackhole", f"{other}/32")


def _host(place: int) -> str:
    return f"{SUBNET}.{place + 1}"


def _name(node: Node) -> str:
    return node.before[-1]


def _clean(names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        _ip("link", "del", f"fv{place}", check=False)  # the namespace goes when its last process is gone, this at once
        _ip("netns", "del", name, check=False)
    _ip("link", "del", BRIDGE, check=False)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, stderr=None if check else subprocess.DEVNULL)
