"""A mail server that follows a script: for each line it hears an answer, a silence or a hang-up. For what a good one never does."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

GOOD = {
    "hello": "220 mx.example",
    "EHLO": "250-mx.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 SIZE 10000000",
    "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 go on", ".": "250 2.0.0 queued", "RSET": "250 Ok",
    "QUIT": "221 Bye",
}  # fmt: skip
SILENCE, HANG_UP = "(silence)", "(hang up)"


@dataclass
class MailScript:
    """`says`: what differs from a good server, by the first word heard; "." is the end of a mail, "hello" the greeting."""

    says: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    heard: list[str] = field(default_factory=list)
    heard_recipient: asyncio.Event = field(default_factory=asyncio.Event)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> "MailScript":
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *why: object) -> None:
        assert self._server
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            if await self._answer("hello", writer):
                await self._listen(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).decode("latin-1").rstrip("\r\n"):
            self.heard.append(line)
            word = line.partition(" ")[0].upper()
            if word == "RCPT":
                self.heard_recipient.set()
            if not await self._answer(word, writer):
                return
            if word == "DATA" and self._said("DATA").startswith("354"):
                lines = []
                while (octets := await reader.readline()) not in (b".\r\n", b""):
                    lines.append(octets)
                self.mails.append(b"".join(lines))
                if not await self._answer(".", writer):
                    return

    async def _answer(self, word: str, writer: asyncio.StreamWriter) -> bool:
        answer = self._said(word)
        if answer == HANG_UP:
            return False
        if answer == SILENCE:
            await asyncio.Event().wait()
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        return not answer.startswith("421") and word != "QUIT"

    def _said(self, word: str) -> str:
        return self.says.get(word) or GOOD.get(word, "500 what?")
