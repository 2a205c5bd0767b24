"""How a WebSocket is closed: with which code, and never waiting for long on who does not answer (RFC 6455, section 7)."""

import asyncio
from contextlib import suppress

from aiohttp import web

# below 4000 the registered codes (section 7.4), above it the web chat's own
RESTART, TRY_LATER, BROKEN = 1012, 1013, 1011
MALFORMED, IDENTITY, NO_HELLO, FLOOD = 4400, 4401, 4408, 4429


async def close(ws: web.WebSocketResponse, code: int, reason: str) -> None:
    """Close, giving the other side a second to say goodbye; one that floods or does not read is not waited for."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(1):
            await ws.close(code=code, message=reason.encode())
    request = ws._req  # noqa: SLF001 (aiohttp has no public way from a socket to its transport)
    if request is not None and request.transport is not None:
        request.transport.abort()


def see_off(transport: asyncio.Transport | None, after_seconds: float) -> None:
    """Let who said goodbye and does not read keep the connection for this long only."""
    if transport and transport.get_write_buffer_size():
        asyncio.get_running_loop().call_later(after_seconds, transport.abort)
