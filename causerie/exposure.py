"""What in the configuration would hurt once the world reaches this server; on one's own machine none of it does.

The world reaches it when `server.public_url` is https, or when it listens on an address that is not this machine's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from causerie.mongod import StoreOptions
from causerie.options import Options


@dataclass(frozen=True, slots=True)
class Danger:
    """One sentence: the key, what was expected and got, and a hint. `is_grave`: `causerie check` fails on it."""

    sentence: str
    is_grave: bool = False


def dangers(options: Options, store: StoreOptions) -> tuple[Danger, ...]:
    """Return what should be changed before the world comes in."""
    if not is_reachable(options):
        return ()
    return (*_of_the_server(options), *_of_old_secrets(options), *_of_the_store(store))


def is_reachable(options: Options) -> bool:
    """Return whether others than this machine's own people can reach the server."""
    return options.public_url.startswith("https://") or not _is_own(options.server.host)


def _of_the_server(options: Options) -> Iterator[Danger]:
    if not options.public_url.startswith("https://"):
        yield Danger(
            f'server.public_url: expected https://..., got "{options.server.public_url}" while the server listens on '
            f"{options.server.host}: passwords and cookies would travel in clear. Hint: put a TLS proxy in front.",
            is_grave=True,
        )
    elif options.proxies == 0:
        yield Danger(
            "channels.webchat.proxies: expected the number of your proxies, got 0 behind https: everybody seems to come "
            "from the proxy's address, so that one who guesses passwords locks all agents out. Hint: proxies = 1"
        )
    if getattr(options.channels.get("webchat"), "demo", False):
        yield Danger(
            "channels.webchat.demo: expected false, got true: anybody may sign in as the demo's Anna.", is_grave=True
        )
    if options.rules.webhooks_inside:
        yield Danger(
            "rules.webhooks_inside: expected false, got true: whoever writes rules reaches your own network by webhooks."
        )
    if options.server.log_level == "DEBUG":
        yield Danger(
            "server.log_level: expected INFO, got DEBUG: the words of errors are logged, and may quote a customer."
        )
    if "admin" not in options.console.second_factor_roles:
        yield Danger('console.second_factor_roles: expected "admin" among them. Hint: second_factor_roles = ["admin"]')


def _of_old_secrets(options: Options) -> Iterator[Danger]:
    """Tell of secrets that were replaced and are still taken: what leaked opens the door for as long."""
    sections: dict[str, Any] = {"bot": options.bot, "rules": options.rules}
    sections |= {f"channels.{name}": channel for name, channel in options.channels.items()}
    for name, section in sections.items():
        for key in (one.name for one in fields(section)):
            if key.startswith("previous_") and getattr(section, key):
                yield Danger(
                    f"{name}.{key}: expected nothing, got a secret that is still accepted. Hint: take it out as soon as "
                    "the new one is in use everywhere."
                )


def _of_the_store(store: StoreOptions) -> Iterator[Danger]:
    address = store.url.reveal()
    if address == "embedded":
        return
    try:
        parts = urlsplit(address)
    except ValueError:
        return  # the driver says what is wrong with it
    asked = parse_qs(parts.query.lower())
    if "@" not in parts.netloc:
        yield Danger("store.url: expected a user and a password in it, got none.", is_grave=True)
    if "zlib" in ",".join(asked.get("compressors", [])):
        yield Danger("store.url: expected compressors=snappy,zstd, got zlib, by which CVE-2025-14847 reads memory.")
    if asked.get("tlsallowinvalidcertificates") == ["true"] or asked.get("tlsinsecure") == ["true"]:
        yield Danger("store.url: expected certificates to be checked, got an address that takes any.", is_grave=True)


def _is_own(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
