"""Which sections config.toml has: one per part that takes options, one per channel that exists."""

from typing import Any

from admin.options import Options as ConsoleOptions
from admin.options import TrackerOptions
from bot.llm_options import LlmOptions
from bot.options import BotOptions
from causerie.mongod import StoreOptions
from causerie.options import ServerOptions
from channels import house
from rules.options import RulesOptions


def every_section() -> dict[str, type[Any]]:
    """Return dotted section name -> its Options dataclass, in the order of config.toml."""
    channels = {f"channels.{name}": house.options_of(name) for name in house.names()}
    bot = {"bot": BotOptions, "llm": LlmOptions}
    parts = {"rules": RulesOptions, "console": ConsoleOptions, "tracker": TrackerOptions}
    return {"server": ServerOptions, "store": StoreOptions, **bot, **parts, **channels}
