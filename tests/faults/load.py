"""`python -m tests.faults.load`: people who write to Telegram's webhook without end, in a process of their own.

Each message is posted again until it is answered with 200, as Telegram does, and then noted in the journal of acknowledgements, on
disk. The order is a JSON line on stdin; the end of stdin says to stop.
"""

import asyncio
import json
import random
import sys
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import aiohttp

from tests.faults.journal import Journal, now

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
AGAIN_SECONDS = 0.05
TEXTS = ("Bonjour", "Quels sont vos horaires ?", "merci beaucoup", "hello", "What are your opening hours?")


@dataclass(frozen=True, slots=True)
class Order:
    """Where to write, as whom, and where acknowledgements are kept."""

    ports: tuple[int, ...]
    secret: str
    journal: str
    seed: int
    clients: int = 16
    first_person: int = 700_000_000
    people: int = 5_000  # far fewer, and each would be a flood, which the bot does not answer (channels/floods.py)


def update(number: int, person: int, text: str, *, date: int = 1_795_000_000) -> bytes:
    """Return what Telegram posts for one message."""
    sender = {"id": person, "is_bot": False, "first_name": "Anna", "language_code": "fr"}
    chat = {"id": person, "first_name": "Anna", "type": "private"}
    message = {"message_id": number, "from": sender, "chat": chat, "date": date, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


def stored_id(number: int, person: int) -> str:
    """Return the id under which the server keeps this message."""
    return f"telegram:{person}.{number}"


async def main(order: Order) -> None:
    """Write until stdin ends; what is under way then is still waited for, a little."""
    stopping, numbers, journal = asyncio.Event(), count(1), Journal(Path(order.journal))
    asyncio.get_running_loop().run_in_executor(None, sys.stdin.read).add_done_callback(lambda _: stopping.set())
    timeout = aiohttp.ClientTimeout(total=15)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        writing = [_writes(session, order, journal, stopping, numbers, client) for client in range(order.clients)]
        await asyncio.gather(*writing)


async def _writes(
    session: aiohttp.ClientSession,
    order: Order,
    journal: Journal,
    stopping: asyncio.Event,
    numbers: "count[int]",
    client: int,
) -> None:
    chance = random.Random(f"{order.seed}.{client}")
    while not stopping.is_set():
        number, text = next(numbers), chance.choice(TEXTS)
        person = order.first_person + chance.randrange(order.people // order.clients) * order.clients + client
        tries, body = 0, update(number, person, text)
        while not stopping.is_set():
            tries += 1
            if await _posted(session, chance.choice(order.ports), order.secret, body):
                journal.note(number=number, person=person, text=text, tries=tries, at=now())
                break
            await asyncio.sleep(AGAIN_SECONDS)


async def _posted(session: aiohttp.ClientSession, port: int, secret: str, body: bytes) -> bool:
    url = f"http://127.0.0.1:{port}/channels/telegram/webhook"
    headers = {SECRET_HEADER: secret, "Content-Type": "application/json"}
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def written(order: Order) -> bytes:
    """Return the order as it stands on stdin."""
    return json.dumps(asdict(order)).encode() + b"\n"


if __name__ == "__main__":
    read = json.loads(sys.stdin.readline())
    asyncio.run(main(Order(**{**read, "ports": tuple(read["ports"])})))
