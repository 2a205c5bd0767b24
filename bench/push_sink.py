"""`python -m bench.push_sink`: a push service that takes every message and keeps none (bench/sink.py)."""

import uvloop

from bench.sink import HttpSink, serve


class Sink(HttpSink):
    """One connection."""

    def answer(self, head: bytes, body: bytes) -> None:
        """Take what is encrypted and signed as the standards want, refuse the rest."""
        is_right = b"content-encoding: aes128gcm" in head and b"authorization: vapid t=" in head and b"ttl: " in head
        Sink.taken += is_right
        if is_right:
            self.say(b"201 Created", b"", b"Location: http://127.0.0.1/m/1")
        else:
            self.say(b"400 No")


if __name__ == "__main__":
    uvloop.run(serve(Sink))
