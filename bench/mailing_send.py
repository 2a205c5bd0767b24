"""`python -m bench.mailing_send URL DATABASE FOLDER PORT`: one process of the product that fills its outbox, then sends it.

The rules walk a campaign over everybody in the database: gates, caps, the template rendered for each, links and picture signed,
deliveries committed and leased to this process. Only then the back door begins; it has none of them in memory, so all are read
from MongoDB in batches. The last line is one JSON object.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, cast

import uvloop

from bench import cpu
from bench.campaign import EVERYBODY, RULE
from bench.stage import Clock, Stage, Writes, stage, write_book
from bench.walker import AHEAD, BEFORE
from causerie.garbage import collect_seldom, keep_one_heap
from channels.backlog import Backlog
from channels.channel import Door
from channels.email import Email, Options
from channels.outbound import BackDoor
from channels.sweeper import Sweeper
from profiles.calendar import utc_now
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.personal_links import PersonalLinks
from profiles.snapshot import Changes
from profiles.timeline import Message
from rules.tracking import Tracker

PUBLIC, SECRET = "https://crm.shop.example", b"s" * 32
CONNECTIONS = 8
LOOK_SECONDS = 0.02
_ROWS = "".join(f"<tr><td>Article {number}</td><td>{number},50 €</td></tr>" for number in range(40))
TEMPLATE = f"""
about: What the benchmark sends
fr:
  title: "{{{{ contact.first_name }}}}, les soldes commencent samedi"
  text: "Bonjour {{{{ contact.first_name }}}},\\n\\nLes soldes commencent samedi : https://shop.example/soldes\\n\\nÀ bientôt !"
  on:
    email:
      html: '<html><body><p>Bonjour {{{{ contact.first_name }}}},</p><table>{_ROWS}</table>
        <p><a href="https://shop.example/soldes">Les soldes</a>, <a href="https://shop.example/points">vos
        {{{{ contact.points }}}} points</a></p></body></html>'
"""


async def send(url: str, database: str, folder: Path, port: int, mongod: int) -> dict[str, Any]:
    """Fill the outbox, send it, and return what each took."""
    keep_one_heap()  # as the server does when it starts
    at = utc_now() + BEFORE
    write_book(
        folder, {"sales": RULE.format(at=f"{at:%Y-%m-%d %H:%M}", audience=EVERYBODY), "templates/sales": TEMPLATE}
    )
    writes = Writes(PersonalLinks(SECRET, PUBLIC), Tracker(PUBLIC, SECRET))
    async with stage(url, database, folder, clock=Clock(), writes=writes) as process:
        last: list[Message] = []
        process.writer.listen(lambda group: _remember(group, last))
        await process.rules.occurrences.plan()
        process.clock.ahead = AHEAD
        await process.rules.occurrences.plan()
        collect_seldom()  # as the server does when it is ready
        began = _now(mongod)
        contacts = await process.rules.occurrences.walk()
        filled = _spent(began, _now(mongod), contacts)
        mails = await process.store.count("messages", {"delivery.leased_by": "bench"})
        sent, at_rest = await _send(process, port, mongod, mails, last)
        recorded = await process.store.count("messages", {"delivery.state": "sent"})
    return {
        "contacts": contacts, "mails": mails, "recorded": recorded, "filled": filled, "sent": sent,
        "resting_mb": at_rest, "most_mb": cpu.most_resident_mb(os.getpid()),
    }  # fmt: skip


def _remember(group: list[Changes], last: list[Message]) -> None:
    last[:] = [message for changes in group for message in changes.messages][-1:] or last


async def _send(
    process: Stage, port: int, mongod: int, mails: int, last: list[Message]
) -> tuple[dict[str, float], float]:
    store, writer, clock = process.store, process.writer, process.clock
    nothing = cast(Any, None)
    door = Door(nothing, PUBLIC, clock, store, writer, nothing, SECRET)
    channel = Email(_options(port), door)
    permits = Permits(store, Ledgers(store), clock=clock)
    back_door = BackDoor({"email": channel}, writer, clock=clock, permits=permits)
    backlog = Backlog(store, back_door, process="bench")
    sweeper = Sweeper(store, back_door, process="bench", clock=clock)
    await sweeper.start()
    at_rest, began = cpu.resident_mb(os.getpid()), _now(mongod)
    backlog.note(last[0])
    backlog.wake("email")
    while back_door.is_behind or back_door.held():  # noqa: ASYNC110 (nothing tells when an outbox is empty)
        await asyncio.sleep(LOOK_SECONDS)
    await permits.close()
    spent = _spent(began, _now(mongod), mails)
    await sweeper.close()
    await backlog.close()
    await back_door.close()
    await channel.close()
    return spent, at_rest


def _options(port: int) -> Options:
    return Options(
        host="127.0.0.1", port=port, tls="none", from_address="news@shop.example", from_name="La boutique",
        connections=CONNECTIONS, mails_per_connection=0, per_domain=50, return_path="bounces@shop.example",
    )  # fmt: skip


def _now(mongod: int) -> tuple[float, float, float]:
    return time.perf_counter(), time.process_time(), cpu.seconds_of(mongod)


def _spent(began: tuple[float, float, float], ended: tuple[float, float, float], number: int) -> dict[str, float]:
    seconds, app, db = (end - begin for begin, end in zip(began, ended, strict=True))
    return {"per_second": number / seconds, "app_us": app / number * 1e6, "db_us": db / number * 1e6}


if __name__ == "__main__":
    _, _url, _database, _folder, _port, _mongod = sys.argv
    print(json.dumps(uvloop.run(send(_url, _database, Path(_folder), int(_port), int(_mongod)))))
