"""An office whose bot can be taught: its files in a folder of the test, and customers whose questions it did not understand."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.answering import answerer
from bot.workshop import Workshop
from profiles.append import begin, heard, said
from profiles.conversation import Conversation
from profiles.profile import Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import BOT, Content
from tests.admin.office import Office, close_office, open_office, person

SHOP = Path(__file__).parents[2] / "bot" / "content" / "shop"
MUDDLED = "livrez-vous en Corse dans une bouteille"


@asynccontextmanager
async def classroom(url: str, database: str, tmp_path: Path, **more: Any) -> AsyncIterator[Office]:
    """Open it with a copy of the shipped shop's bot."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    office = await open_office(url, database, folder=folder, **more)
    yield office
    await close_office(office)


def workshop(office: Office) -> Workshop:
    """Return where its bot is taught."""
    assert office.desk.workshop
    return office.desk.workshop


async def asks(office: Office, who: str, text: str, *, name: str = "Anna Martin", ago: timedelta = timedelta()) -> str:
    """Let somebody write this on web chat; the bot answers inside the same commit, as at the front door. Return the thread."""
    now, id = office.clock() - ago, f"webchat:{who}"
    answer = answerer(workshop(office)._live)

    def think(snapshot: Snapshot) -> Changes:
        profile = snapshot.profile(who) or person(who, name, now, ("webchat", who))
        thread = snapshot.conversations.get(id) or begin(
            id, profile, channel="webchat", address=who, identity=id, now=now
        )
        thread, message = heard(thread, Content(text), id=f"{id}:{thread.seq + 1}", now=now)
        moment = Snapshot(now, snapshot.profiles, snapshot.conversations)
        came = answer(moment, profile, thread, message)
        thread, replies = came.conversation, []
        for number, content in enumerate(came.says, 1):
            thread, reply = said(
                thread, content, id=f"{message.id}:{number}", author=BOT, now=now, to=id, reply_to=message.id
            )
            replies.append(reply)
        return Changes((came.profile,), (thread,), messages=(message, *replies), events=came.events)

    await office.do(Work(think, conversations=(id,), profiles=(who,)))
    return id


async def replies(office: Office, id: str, by: str, text: str) -> None:
    """Let an agent answer in this conversation."""
    now: datetime = office.clock()

    def think(snapshot: Snapshot) -> Changes:
        thread, message = said(
            snapshot.conversations[id], Content(text), id=f"{id}:by:{by}", author=f"agent:{by}", now=now, to=id
        )
        return Changes(conversations=(thread,), messages=(message,))

    await office.do(Work(think, conversations=(id,)))


async def thread_of(office: Office, id: str) -> tuple[Conversation, Profile]:
    """Return a conversation and whose it is."""
    thread = await office.conversation(id)
    document = await office.desk.store.get("profiles", thread.profile)
    assert document
    return thread, from_document(Profile, document)
