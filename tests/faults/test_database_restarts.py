"""The database dies and comes back under running servers: nobody starts them again, and live updates fill the gap."""

from pathlib import Path

from profiles.store import Store
from tests.faults.figures import Figures
from tests.faults.journal import now
from tests.faults.mongods import databases, local
from tests.faults.patience import until
from tests.faults.servers import Nursery, server
from tests.stories.town import Visitor

SAID = ["bonjour", "quels sont vos horaires ?", "merci"]


async def test_a_page_on_another_server_hears_what_was_said_before_during_and_after(
    nursery: Nursery, folder: Path, figures: Figures
) -> None:
    chat = {"CAUSERIE_CHANNELS__WEBCHAT__ENABLED": "true", "CAUSERIE_CHANNELS__WEBCHAT__DEMO": "true"}
    async with databases(local(folder)) as one:
        (node,) = one.nodes
        here, there = (
            server(nursery, folder / name, name=name, database_url=one.url, **chat) for name in ("here", "there")
        )
        await here.start()
        await there.start()
        try:
            writer = await Visitor(here.url).opens()
            await writer.says(SAID[0])
            await until(lambda: len(writer.acked) == 1)
            reader = await Visitor(there.url, token=writer.token).opens()
            await until(lambda: _heard(reader, 1))

            node.kill()
            killed = now()
            await writer.says(SAID[1])  # during the outage
            node.start()
            await one.primary()
            await _comes_back(writer)
            await until(lambda: len(writer.acked) == 2)
            figures.took("recovery of a database under running servers", now() - killed)
            await writer.says(SAID[2])
            await until(lambda: len(writer.acked) == 3)
            await _comes_back(reader)
            await until(lambda: _heard(reader, 3))
            assert sorted(reader.messages) == list(range(1, len(reader.messages) + 1)), "no gap in what they see"
            store = Store(one.url, "causerie")
            assert await store.count("messages", {"direction": "inbound"}) == 3
            await store.close()
            await writer.leaves()
            await reader.leaves()
        finally:
            await here.stop()
            await there.stop()
    figures.add(**{"killed mongod under two servers": 1})


async def _comes_back(visitor: Visitor) -> None:
    """Do what the widget does when its socket was closed: open it again with the last seq it saw."""
    if visitor._socket is None or visitor._socket.closed or visitor.unacked:
        await visitor.leaves()
        await visitor.opens()


def _heard(visitor: Visitor, count: int) -> bool:
    return [text for author, text in visitor.transcript if author == "customer"] == SAID[:count]
