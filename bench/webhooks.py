"""What Telegram would post: one update per message, from 10,000 people, as whole HTTP requests ready to be written."""

import random
from collections.abc import Iterator, Sequence

import orjson

from bench.sayings import questions, small_talk

CUSTOMERS = 10_000
FIRST_CUSTOMER = 700_000_000  # ids as long as Telegram's
SECRET = "bench-secret-token"
PATH = "/channels/telegram/webhook"

SMALL_TALK = tuple(small_talk())
QUESTIONS = tuple(questions())


class Webhooks:
    """Hands out one request after the other and remembers which messages it has handed out."""

    def __init__(self, port: int, texts: Sequence[str], *, seed: int, first: int = 1) -> None:
        self._texts = [orjson.dumps(text) for text in texts]
        self._random = random.Random(seed)
        self._head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: "
        ).encode()
        self.next = first
        self.sent: dict[int, tuple[int, bytes]] = {}
        """message number -> its customer and text, as handed out."""

    def __call__(self) -> bytes:
        """Return the next message of some customer."""
        return self.of(FIRST_CUSTOMER + self._random.randrange(CUSTOMERS))

    def of(self, customer: int) -> bytes:
        """Return the next message of this customer."""
        number, text = self.next, self._random.choice(self._texts)
        self.next += 1
        self.sent[number] = (customer, text)
        return self._request(number, customer, text)

    def again(self, number: int) -> bytes:
        """Return a request handed out before, as a provider does that saw no answer."""
        return self._request(number, *self.sent[number])

    def _request(self, number: int, customer: int, text: bytes) -> bytes:
        body = (
            b'{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Anna",'
            b'"language_code":"en"},"chat":{"id":%d,"first_name":"Anna","type":"private"},"date":1795000000,"text":%b}}'
        ) % (number, number, customer, customer, text)
        return self._head + b"%d\r\n\r\n" % len(body) + body


def customers() -> Iterator[int]:
    """Yield the Telegram id of every customer."""
    yield from range(FIRST_CUSTOMER, FIRST_CUSTOMER + CUSTOMERS)
