"""`python -m tests.faults.controls.hasty_server PORT URL`: answers a webhook at once and stores what came every second.

What many do so that the provider is answered fast. It writes as safely as we do; only too late.
"""

import asyncio
import sys
from typing import Any

from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient

Document = dict[str, Any]
TOGETHER_SECONDS = 1.0


async def main(port: int, url: str) -> None:
    """Serve until killed."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(url, w="majority", journal=True)
    waiting: list[Document] = []

    async def take(request: web.Request) -> web.Response:
        message = (await request.json())["message"]
        waiting.append({"_id": f"telegram:{message['chat']['id']}.{message['message_id']}"})
        return web.Response()

    app = web.Application()
    app.router.add_post("/channels/telegram/webhook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    while True:
        await asyncio.sleep(TOGETHER_SECONDS)
        some, waiting[:] = list(waiting), []
        if some:
            await client["hasty"]["messages"].insert_many(some)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
