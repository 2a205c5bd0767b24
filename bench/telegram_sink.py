"""`python -m bench.telegram_sink`: a Bot API that takes every message and keeps none (bench/sink.py)."""

import json

import uvloop

from bench.bot_api import ME
from bench.sink import HttpSink, serve

SENT = {"message_id": 7, "date": 1790000000, "chat": {"id": 1, "type": "private", "first_name": "Anna"}, "text": "ok"}


class Sink(HttpSink):
    """One connection."""

    def answer(self, head: bytes, body: bytes) -> None:
        """Take a message that says where and what; say who we are."""
        line = head.partition(b"\r\n")[0]
        if b"/sendmessage" in line:
            is_right = b"chat_id" in body and b"text" in body
            Sink.taken += is_right
            self._tell({"ok": is_right, "result": SENT})
        else:
            self._tell({"ok": True, "result": ME if b"/getme" in line else True})

    def _tell(self, said: object) -> None:
        self.say(b"200 OK", json.dumps(said).encode(), b"Content-Type: application/json")


if __name__ == "__main__":
    uvloop.run(serve(Sink))
