"""Everything an open page hears by itself: one WebSocket per page, one listener per process that tells them all.

Pages never poll. A page that was away (restart, sleep, lag) loads the visible list and the end of its timeline afresh.
"""

import asyncio
import contextlib
import json
import logging
from typing import Any

from aiohttp import WSMsgType, web

from admin import sessions
from admin.desk import DESK, Desk
from admin.erasing import DONE
from admin.guard import AGENT, SESSION, agent_of, is_ours
from admin.live_page import Page
from admin.presence import TYPING_FOR, Visit
from admin.roles import may
from admin.telling import Telling
from channels.websocket_close import close, see_off
from profiles.live import Abroad, Lagging
from profiles.store import Unavailable
from profiles.tasks import end

log = logging.getLogger("admin.live")

FRAMES_A_SECOND = 20
LARGEST_FRAME = 4_096
CHECK_SESSION_EVERY = 30.0
TAKES_WITHIN_SECONDS = 20.0  # a page that leaves one frame untaken for so long does not read any more
GOODBYE_SECONDS = 5.0  # in which one who closes, or is closed, may still read what was sent
RESTART = 1012  # RFC 6455, section 7.4: the server restarts
PRESENCE, ENDED = "console.presence", "console.ended"  # hints between processes
PAUSE = 0.1  # at most ten rounds of news a second: what comes meanwhile is told together


class Live:
    """The pages of this process and the two tasks that tell them what happened."""

    def __init__(self, desk: Desk) -> None:
        self.pages: set[Page] = set()
        self.desk = desk
        self._telling = Telling(desk)
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_over = False
        """Whether this server is stopping, and takes no new pages."""
        desk.feed.hints.keep(PRESENCE, desk.presence.told)
        desk.feed.hints.on(PRESENCE, self._hear_who_is_there)
        desk.feed.hints.on(ENDED, self._hear_ended)
        desk.feed.hints.on(DONE, self._hear_erased)

    async def start(self) -> None:
        """Begin to listen."""
        self._tasks = [asyncio.create_task(self._listen(), name="console.listen"),
                       asyncio.create_task(self._run(), name="console.tell")]  # fmt: skip

    def restart(self) -> None:
        """Ask all pages to come back in a moment: to this server when it is there again, or to another."""
        self.is_over = True
        for page in self.pages:
            page.cut(RESTART)

    async def stop(self) -> None:
        """Let all pages go, and tell nobody anything more."""
        self.restart()
        await end(*self._tasks)

    def end(self, agent: str, *, spare: str | None = None) -> None:
        """Let go of an agent's pages, but those of the session to spare: their sessions were revoked."""
        self._end(agent, spare)
        self.desk.feed.hints.tell(ENDED, {"agent": agent, "spare": spare})

    def _end(self, agent: str, spare: str | None) -> None:
        for page in self.pages:
            if page.visit.agent == agent and page.visit.session != spare:
                page.cut()

    def leave(self, session: str) -> None:
        """Let go of the pages of one session, which has ended."""
        self._leave(session)
        self.desk.feed.hints.tell(ENDED, {"session": session})

    def _leave(self, session: str) -> None:
        for page in self.pages:
            if page.visit.session == session:
                page.cut()

    def say_who_is_here(self) -> None:
        """Tell all pages, here and in the other processes, which agents are here and what they look at."""
        self._telling.presence_changed = True
        self._wake.set()
        self.desk.feed.hints.changed(PRESENCE)

    def _hear_who_is_there(self, process: str, visits: Any) -> None:
        if self.desk.presence.hear(process, visits):
            self._telling.presence_changed = True
            self._wake.set()

    def _hear_ended(self, process: str, value: Any) -> None:
        """Sessions that another process ended; a hint that is lost costs CHECK_SESSION_EVERY."""
        if value and "session" in value:
            self._leave(str(value["session"]))
        elif value:
            self._end(str(value["agent"]), value["spare"])

    def _hear_erased(self, process: str, value: Any) -> None:
        """Somebody is gone, whichever process erased them: their pages leave, and all lists are drawn afresh."""
        if not value:
            return
        for page in self.pages:
            if page.profiles.intersection(value):
                page.tell({"kind": "gone"})
                page.profiles = frozenset()
        self._telling.news.is_too_much = True
        self._wake.set()

    async def _listen(self) -> None:
        """Take in every commit at once, so that this listener never lags behind the writer."""
        while True:
            try:
                with self.desk.feed.listen(lambda _: bool(self.pages), abroad=self._abroad()) as changes:
                    async for change in changes:
                        self._telling.news.add(change)
                        self._wake.set()
            except Lagging:
                self._telling.news.is_too_much = True
                self._wake.set()

    def _abroad(self) -> Abroad:
        """Of other processes' commits: every row of the inbox, and what happens to the people whose timelines are shown."""
        return Abroad(
            row=lambda _: bool(self.pages),
            item=lambda _, profile: any(profile in page.profiles for page in self.pages),
            rest=lambda: bool(self.pages),
        )

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._telling.tell(self.pages)
            except Unavailable as error:
                log.warning("console.tell failed reason=%s", error)
                self._telling.news.is_too_much = True
            except Exception as error:  # noqa: BLE001 (one odd record must not silence the console for good)
                log.error("console.tell broke error=%s", type(error).__name__, exc_info=error)
                self._telling.news.is_too_much = True
            await asyncio.sleep(PAUSE)


LIVE: web.AppKey[Live] = web.AppKey("live", Live)


@may("people")
async def socket(request: web.Request) -> web.StreamResponse:
    """Keep one page told, until it goes or its session ends."""
    desk, live, agent = request.config_dict[DESK], request.config_dict[LIVE], agent_of(request)
    if not is_ours(desk, request):
        raise web.HTTPForbidden(text="this page is not the console's")
    if live.is_over:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
    channel = web.WebSocketResponse(heartbeat=20, max_msg_size=LARGEST_FRAME, compress=True)
    await channel.prepare(request)
    transport = request.transport  # aiohttp forgets it when it begins to close
    page = Page(Visit(request[AGENT].id, request[SESSION].id, agent.language))
    live.pages.add(page)
    if agent.may("converse"):
        desk.presence.arrive(page.visit)
    live.say_who_is_here()
    writing = asyncio.create_task(_write(desk, page, channel, transport), name="console.page")
    try:
        await _read(request, page, channel)
    finally:
        live.pages.discard(page)  # before anything is waited for, which can break off or be stopped
        desk.presence.leave(page.visit)
        live.say_who_is_here()
        try:
            await end(writing)
        finally:
            see_off(transport, GOODBYE_SECONDS)
    return channel


async def _write(desk: Desk, page: Page, channel: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
    """Send what is queued until the page is let go, or its session is found to have ended, however much there is to tell."""
    seconds = asyncio.get_running_loop().time
    look_at = seconds() + CHECK_SESSION_EVERY
    while True:
        frame: str | None = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(look_at):
                frame = await page.frames.get()
        if frame is None:
            await close(channel, page.closes_with, "")
            return
        if seconds() >= look_at:
            with contextlib.suppress(Unavailable):
                if not await sessions.is_alive(desk, page.visit.session):
                    await close(channel, 4001, "session")
                    return
            look_at = seconds() + CHECK_SESSION_EVERY
        if frame:
            try:
                async with asyncio.timeout(TAKES_WITHIN_SECONDS):
                    await channel.send_str(frame)
            except TimeoutError:
                if transport:
                    transport.abort()  # who reads nothing hears no goodbye
                return
            except ConnectionError:
                return  # it went in the middle of the frame: `_read` hears of it too


async def _read(request: web.Request, page: Page, channel: web.WebSocketResponse) -> None:
    live = request.config_dict[LIVE]
    second, count = 0, 0
    async for frame in channel:
        now = int(asyncio.get_running_loop().time())
        second, count = now, count + 1 if now == second else 1
        if frame.type is not WSMsgType.TEXT or count > FRAMES_A_SECOND:
            await close(channel, 1008, "flood")
            return
        try:
            said = json.loads(frame.data)
        except (ValueError, RecursionError):
            await close(channel, 1003, "json")
            return
        if isinstance(said, dict):
            await _hear(live, page, said)


async def _hear(live: Live, page: Page, said: dict[str, Any]) -> None:
    """Note what the page shows now, and pass on that its agent types."""
    desk, visit = live.desk, page.visit
    if isinstance(view := said.get("view"), str):
        page.view = view[:20]
    if "looks_at" in said and (said["looks_at"] is None or isinstance(said["looks_at"], str)):
        visit.looks_at = said["looks_at"] and said["looks_at"][:400]
        visit.typing_until = None
        live.say_who_is_here()
    if isinstance(people := said.get("profiles"), list):
        page.profiles = frozenset(str(id)[:60] for id in people[:50])
    if said.get("begins"):  # from here on it is told: what came before, since it was drawn, it now asks for
        page.tell({"kind": "hello"})
    may_answer = visit in desk.presence.visits
    if isinstance(typing := said.get("typing"), bool) and visit.looks_at and may_answer:
        visit.typing_until = desk.clock() + TYPING_FOR if typing else None
        live.say_who_is_here()
        if typing:
            await _tell_customer(desk, visit.looks_at)


async def _tell_customer(desk: Desk, conversation: str) -> None:
    """Let the customer see that somebody writes, where the channel can show it."""
    channel = desk.channels.get(conversation.partition(":")[0])
    show = getattr(channel, "typing", None)
    if show is None:
        return
    answer = show(conversation)
    if asyncio.iscoroutine(answer):
        await answer
