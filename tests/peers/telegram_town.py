"""Telegram on this machine, to try the bot by hand: `python -m tests.peers.telegram_town` prints what to start the server with.

Each line you type is said to the bot by one person; each answer is shown with its keys. A line that begins with # presses the key
of that title: `#Opening hours`. Ctrl-D ends it.
"""

import asyncio
import itertools
import sys
import time

from tests.peers.bot_api import BotApi, bot_api

PERSON = 5
LOOK_SECONDS = 0.2


async def main() -> None:
    """Play Telegram until the end of what is typed."""
    async with bot_api() as telegram:
        begins = int(time.time())  # a second town of the same server says nothing twice
        telegram._update_ids, telegram._message_ids = itertools.count(begins), itertools.count(begins)
        _say("export CAUSERIE_CHANNELS__TELEGRAM__ENABLED=true")
        _say(f"export CAUSERIE_CHANNELS__TELEGRAM__TOKEN={telegram.token}")
        _say(f"export CAUSERIE_CHANNELS__TELEGRAM__API_URL={telegram.url}\n")
        showing = asyncio.create_task(_show(telegram))
        while line := await asyncio.to_thread(sys.stdin.readline):
            text = line.strip()
            if not text.startswith("#"):
                await telegram.says(text, by=PERSON)
            elif any(key["text"] == text[1:] for said in telegram.said for key in said.keys):
                await telegram.presses(text[1:], by=PERSON)
            else:
                _say("There is no such key.")
        showing.cancel()


async def _show(telegram: BotApi) -> None:
    shown = 0
    while True:
        for said in telegram.said[shown:]:
            keys = "".join(f"\n   [{key['text']}]" for key in said.keys)
            _say(f"bot: {said.text}{keys}")
        shown = len(telegram.said)
        await asyncio.sleep(LOOK_SECONDS)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
