"""The configuration as the commands use it, read from the file and the environment.

It is what a start waits for before the database can be begun, so it loads the channels' options and nothing of the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from admin.options import Options as ConsoleOptions
from admin.options import TrackerOptions
from bot.llm_options import LlmOptions
from bot.options import BotOptions
from causerie.config import default_path, load
from causerie.mongod import StoreOptions
from causerie.options import Options, ServerOptions
from causerie.sections import every_section
from profiles.secret import Secret
from rules.options import RulesOptions


@dataclass(frozen=True, slots=True)
class Configured:
    """The configuration as the commands use it."""

    options: Options
    store: StoreOptions
    secrets: tuple[Secret, ...]
    """To be blotted out of every log line."""


def read_config(path: Path | None, environment: Mapping[str, str]) -> Configured:
    """Return the configuration from the file and the environment. Raises ConfigErrors with all that is wrong."""
    config = load(path or default_path(environment, Path.cwd()), environment, every_section())
    store = config.of(StoreOptions)
    rules = config.of(RulesOptions)
    if not rules.folder and own_book(store).is_dir():
        rules = replace(rules, folder=str(own_book(store)))  # the demo laid one out, for people to change
    options = Options(
        server=config.of(ServerOptions),
        bot=config.of(BotOptions),
        llm=config.of(LlmOptions),
        rules=rules,
        console=config.of(ConsoleOptions),
        tracker=config.of(TrackerOptions),
        channels=config.under("channels"),
        database=store.database,
        models=Path(store.folder) / "models",
        edits=Path(store.folder) / "bot",
    )
    return Configured(options, store, tuple(config.secrets))


def with_demo(config: Configured) -> Options:
    """Return the options with web chat, inbox, web push, wallet cards, the demo shop, and a rule book of one's own."""
    options = config.options
    webchat = replace(options.channels["webchat"], enabled=True, demo=True)
    webpush = replace(options.channels["webpush"], enabled=True)
    wallet = options.channels["wallet"]
    wallet = replace(wallet, enabled=True, organisation=wallet.organisation or "Atelier Nord")  # the demo shop's name
    inapp = replace(options.channels["inapp"], enabled=True)
    switched = {"webchat": webchat, "webpush": webpush, "wallet": wallet, "inapp": inapp}
    rules = options.rules
    if not rules.folder:
        rules = replace(rules, folder=str(own_book(config.store)))  # laid out once the folder is ours
    return replace(options, channels={**options.channels, **switched}, rules=rules)


def own_book(store: StoreOptions) -> Path:
    """Return where the demo lays out a rule book for people to change."""
    return Path(store.folder) / "rules"
