"""What each open page is told: the rows, timeline items, counts and people that concern it, in its agent's language."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from admin import agents, inbox, timeline
from admin.agents import Agent
from admin.desk import Desk
from admin.inbox import Row, Wanted
from admin.live_page import Page
from admin.news import Announced, News
from admin.pages import render
from admin.speech import Words, bound
from admin.texts import texts
from profiles.profile import Profile
from profiles.record import from_document
from profiles.timeline import Event, Message
from profiles.tracking import impersonal

WITH_THE_BOT = ("all", "bot")  # only these views show conversations that nobody has to look at
GIVEN = ("conversation.assigned", "conversation.queued")  # by a colleague, by the queue
FRESH_FOR = timedelta(minutes=1)
"""A message older than this is no news: its conversation was only given to somebody."""


class Telling:
    """Turns gathered news into frames."""

    def __init__(self, desk: Desk) -> None:
        self.news = News()
        self.presence_changed = False
        self._desk, self._announced = desk, Announced()

    async def tell(self, pages: Iterable[Page]) -> None:
        """Tell the pages all that was gathered so far."""
        pages = list(pages)
        news, self.news = self.news, News()
        presence, self.presence_changed = self.presence_changed, False
        if not pages:
            return
        known = await agents.everyone(self._desk.store)
        if presence:
            self._tell_presence(pages, known)
        if news.is_too_much:
            _tell_all(pages, {"kind": "reload"})
        if news.conversations:
            await self._tell_rows(pages, known, news)
        if news.items or news.amended:
            await self._tell_items(pages, known, news)
        for page in pages:
            if page.profiles & news.profiles:
                page.tell({"kind": "person"})
        if news.conversations or news.is_too_much or presence:
            await self._tell_counts(pages)
        for page in pages:
            if page.visit.agent in news.mentioned or presence:
                page.tell({"kind": "mentions", "count": await inbox.mentions(self._desk.store, page.visit.agent)})

    async def _tell_rows(self, pages: list[Page], known: dict[str, Agent], news: News) -> None:
        events = [item for item in news.items.values() if isinstance(item, Event)]
        touched = {event.conversation for event in events}
        given = {event.conversation: event.by for event in events if event.name in GIVEN}
        rows = await inbox.rows(self._desk.store, list(news.conversations.values()))
        for row in rows:
            frames = functools.cache(functools.partial(self._row, row, known, given.get(row.conversation.id)))
            is_handover = self._announced.is_new(row.conversation)
            for page in pages:
                # what a bot answers is news only where it is shown, or when it was an agent's until now
                if row.conversation.owner != "bot" or page.view in WITH_THE_BOT or row.conversation.id in touched:
                    page.tell(frames(page.visit.language))
                if is_handover and known[page.visit.agent].may("converse"):
                    page.tell(_handover(row, page.visit.language))

    def _row(self, row: Row, known: dict[str, Agent], given_by: str | None, language: str) -> dict[str, Any]:
        conversation = row.conversation
        html = render("_row.html", texts(language), row=row, wanted=Wanted("all"), agents=known, current=None)
        return {
            "kind": "row", "id": conversation.id, "html": html, "owner": conversation.owner,
            "assignee": conversation.assignee, "status": conversation.status, "unread": conversation.unread,
            "read": conversation.customer_read_seq, "author": conversation.last_author,
            "fresh": conversation.last_at is not None and self._desk.clock() - conversation.last_at < FRESH_FOR,
            "name": bound(texts(language)).who(row.profile), "text": impersonal(conversation.last_text), "given_by": given_by,
        }  # fmt: skip

    async def _tell_items(self, pages: list[Page], known: dict[str, Agent], news: News) -> None:
        # what was said and sent since the last look is told as it stands now, not as it was said
        items: list[Message | Event] = [item for item in news.items.values() if item.id not in news.amended]
        looked_at = frozenset[str]().union(*(page.profiles for page in pages))
        if news.amended:
            items += await timeline.some(self._desk.store, news.amended)
        items = sorted((item for item in items if item.profile in looked_at), key=timeline.place_of)
        whose = await self._profiles({item.profile for item in items})
        for item in items:
            if isinstance(item, Event) and item.name in timeline.HIDDEN_EVENTS:
                continue
            frames = functools.cache(functools.partial(_item, item, known, whose.get(item.profile), self._desk.words))
            for page in pages:
                if item.profile in page.profiles:
                    page.tell(frames(page.visit.language))

    async def _profiles(self, ids: set[str]) -> dict[str, Profile]:
        documents = await self._desk.store.get_many("profiles", ids, only=inbox.NAMES) if ids else []
        return {document["_id"]: from_document(Profile, document) for document in documents}

    async def _tell_counts(self, pages: list[Page]) -> None:
        counts = await inbox.counts(self._desk.store)
        for page in pages:
            mine, unread = counts.mine or {}, counts.unread or {}
            page.tell({
                "kind": "counts", "unassigned": counts.unassigned, "mine": mine.get(page.visit.agent, 0),
                "unread": unread.get(page.visit.agent, 0),
            })  # fmt: skip

    def _tell_presence(self, pages: list[Page], known: dict[str, Agent]) -> None:
        presence, now = self._desk.presence, self._desk.clock()
        here = [_present(known[id]) for id in sorted(presence.agents()) if id in known]
        for page in pages:
            at: list[dict[str, Any]] = []
            if page.visit.looks_at:
                at = [
                    {**_present(known[id]), "typing": typing}
                    for id, typing in presence.at(page.visit.looks_at, now)
                    if id in known and id != page.visit.agent
                ]
            page.tell({"kind": "presence", "here": here, "looking": at})


def _tell_all(pages: Iterable[Page], frame: dict[str, Any]) -> None:
    for page in pages:
        page.tell(frame)


def _item(
    item: Message | Event, known: dict[str, Agent], profile: Profile | None, words: Words, language: str
) -> dict[str, Any]:
    html = render("_item.html", texts(language), item=item, agents=known, profile=profile, read_seq=0, words=words)
    by_customer = isinstance(item, Message) and item.direction == "inbound"
    return {"kind": "item", "id": item.id, "conversation": item.conversation, "by_customer": by_customer, "html": html}


def _handover(row: Row, language: str) -> dict[str, Any]:
    handover = row.conversation.handover
    return {
        "kind": "handover", "id": row.conversation.id, "name": bound(texts(language)).who(row.profile),
        "summary": handover.summary if handover else "", "team": row.conversation.team,
    }  # fmt: skip


def _present(agent: Agent) -> dict[str, Any]:
    return {"id": agent.id, "name": agent.name, "initials": agent.initials, "away": agent.is_away}
