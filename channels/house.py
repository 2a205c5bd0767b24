"""Which channels there are, and opening those that the config switches on: a file in this folder is a channel when it says so."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import channels
from channels.channel import Channel, Door


def names() -> tuple[str, ...]:
    """Return the name of every channel that this server has, in alphabetical order.

    `telegram_request` is a piece of `telegram`, so it is not looked at: it may load what only a channel in use needs.
    """
    there = {module.name for module in pkgutil.iter_modules(channels.__path__)}
    whole = (name for name in there if name.partition("_")[0] not in there - {name})
    return tuple(sorted(name for name in whole if _is_channel(import_module(f"channels.{name}"))))


def _is_channel(module: ModuleType) -> bool:
    return hasattr(module, "Options") and hasattr(module, "connect")


def options_of(name: str) -> type[Any]:
    """Return the Options dataclass of a channel; its section in config.toml is [channels.<name>]."""
    options: type[Any] = import_module(f"channels.{name}").Options
    return options


def words() -> frozenset[str]:
    """Return every word that a channel may be called by: its name, and the space of its addresses (`sms`)."""
    return frozenset(names()) | frozenset(spaces().values())


def spaces() -> Mapping[str, str]:
    """Return the space of each channel's addresses: its name, or `sms` for every SMS provider."""
    found = {}
    for name in names():
        adapters = (one for one in vars(import_module(f"channels.{name}")).values() if isinstance(one, type))
        own = (getattr(one, "space", "") for one in adapters)
        found[name] = next((space for space in own if isinstance(space, str) and space), name)
    return found


async def connect(options: Mapping[str, Any], door: Door) -> dict[str, Channel]:
    """Return the channels that are enabled, connected. Raises what a channel raises, with its name in front."""
    connected: dict[str, Channel] = {}
    for name, values in options.items():
        if values.enabled:
            connected[name] = await import_module(f"channels.{name}").connect(values, door)
    return connected
