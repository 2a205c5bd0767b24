"""Telegram, both ways: https://core.telegram.org/bots/api by webhook or long polling; docs/channels/telegram.md for people.

The channel itself stands in telegram_channel, loaded when it is switched on: python-telegram-bot takes 12 MB of memory.
"""

from channels.channel import Channel, Door
from channels.telegram_options import Options, mistakes

__all__ = ["Options", "connect"]


async def connect(options: Options, door: Door) -> Channel:
    """Return the channel, listening. Raises ValueError when an option is wrong or Telegram refuses the token.

    When Telegram can not be reached it is tried again in the background: the server starts all the same.
    """
    if wrong := mistakes(options, door):
        raise ValueError("\n".join(wrong))
    from channels.telegram_channel import connected

    return await connected(options, door)
