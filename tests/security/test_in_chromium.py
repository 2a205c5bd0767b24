"""What a real browser does with our pages behind https: foreign scripts do not run, frames stay empty, cookies are kept close.

Chromium is told that shop.example is a TLS proxy of this test, so the pages have the address that they would have in the world.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from playwright.async_api import BrowserContext, Page, expect

from admin import api_docs, centre, guard, pages
from admin.keys import create_key
from causerie import headers
from profiles.append import heard
from profiles.personal_links import Offer, PersonalLinks
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Attachment, Content
from tests.admin.office import PASSWORD
from tests.channels.email_certificate import certificate
from tests.chromium import browsing
from tests.security.fortress import PUBLIC_URL, Fortress, fortress
from tests.waiting import until

SCRIPT = "<script>window.pwned=1</script>"
IMAGE = '"><img src=x onerror="window.pwned=1"><svg onload="window.pwned=1">'
HARM = SCRIPT + IMAGE
INJECTED = """<script>window.pwned=1</script><script src="https://evil.example/x.js"></script>
<base href="https://evil.example/"><img src="nowhere" onerror="window.pwned=1"><svg onload="window.pwned=1"></svg>
<a id="injected" href="javascript:window.pwned=1">x</a><iframe srcdoc="<script>parent.pwned=1</script>"></iframe>
<object data="data:text/html,<script>parent.pwned=1</script>"></object>"""
CHAT = "/console/inbox/all/telegram%3A7003"
PAGES = (
    "/console/inbox/all", CHAT, "/console/people", "/console/people?q=pwned", "/console/people/chloe", "/console/search?q=pwned",
    "/console/team", "/console/audit", "/console/canned", "/console/learning", "/console/learning/accuracy",
    "/console/learning/versions", "/console/rules", "/console/rules/harm", "/console/rules/harm/decisions",
    "/console/rules/harm/versions", "/console/rule-files", "/console/rule-files/harm.yml", "/console/calendar", "/console/pressure",
    "/console/settings", "/console/settings/second-factor", "/console/keys", "/console/keys/HarmHarm",
)  # fmt: skip


@dataclass
class Screen:
    """A browser in the world outside, and the server behind its proxy."""

    castle: Fortress
    context: BrowserContext
    violations: list[str]

    async def opens(self, path: str) -> Page:
        """Open a page of the shop's and wait until its scripts have run."""
        page = await self.context.new_page()
        page.on("dialog", lambda dialog: self.violations.append(f"a dialog: {dialog.message}"))
        page.on("pageerror", lambda error: self.violations.append(str(error)))
        await page.goto(path if path.startswith("http") else PUBLIC_URL + path)
        await page.wait_for_load_state()
        return page

    async def signs_in(self) -> None:
        """Sign the admin in by the form, as a person does."""
        page = await self.opens("/console/sign-in")
        await page.get_by_label("E-mail address").fill("admin@example.org")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#present")).to_be_attached()
        await page.close()


@pytest.fixture
async def screen(mongo_url: str, database_name: str, free_port: int, tmp_path: Path) -> AsyncIterator[Screen]:
    async with fortress(mongo_url, database_name, free_port, tmp_path) as castle, _tls(tmp_path, free_port) as port:
        await castle.people()
        await castle.agent("admin", "Admin Lindqvist")
        async with browsing(f"--host-resolver-rules=MAP shop.example:443 127.0.0.1:{port}") as program:
            context = await program.new_context(ignore_https_errors=True, locale="en-GB")
            yield Screen(castle, context, [])
            await context.close()


async def test_scripts_in_what_others_wrote_do_not_run_on_any_page_of_the_console(screen: Screen) -> None:
    await _plant(screen.castle)
    await screen.signs_in()
    shown = 0
    for path in PAGES:
        page = await screen.opens(path)
        assert await page.evaluate("window.pwned") is None, path
        shown += (await page.locator("body").inner_text()).count("<script>window.pwned=1")
        await page.close()
    assert shown >= 6  # it was really there, as text
    assert screen.violations == []


async def test_a_script_that_got_into_a_page_would_not_run_even_then(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    await screen.signs_in()
    _inject(monkeypatch)
    own = PersonalLinks(screen.castle.desk.secret, PUBLIC_URL).preferences("anna", screen.castle.desk.clock())
    for path in (CHAT, "/console/sign-in", "/console/settings", own, "/p/nothing", "/api/docs", "/l/nothing"):
        page = await screen.opens(path)
        await expect(page.locator("#injected")).to_be_attached()
        await page.locator("#injected").evaluate("link => link.click()")
        assert await page.evaluate("window.pwned") is None, path
        assert await page.evaluate("document.baseURI") == page.url, path
        await page.close()
    page = await screen.opens(CHAT)
    refused = await page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return ''; } catch (error) { return String(error); } }"
    )
    assert "TrustedHTML" in refused


async def test_without_those_headers_it_would_run(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    _inject(monkeypatch)
    for module in (guard, headers):
        monkeypatch.setattr(module, "HEADERS", {})
    page = await screen.opens("/console/sign-in")
    assert await page.evaluate("window.pwned") == 1


async def test_no_other_site_shows_our_pages_in_a_frame(screen: Screen) -> None:
    await screen.signs_in()
    personal, now = PersonalLinks(screen.castle.desk.secret, PUBLIC_URL), screen.castle.desk.clock()
    ours = [
        f"{PUBLIC_URL}/console/sign-in", f"{PUBLIC_URL}/console/inbox/all", personal.preferences("anna", now),
        personal.unsubscribe(Offer("anna", "email", "offers"), now), f"{PUBLIC_URL}/api/docs",
        f"{PUBLIC_URL}/channels/webchat/demo/en",
        f"{PUBLIC_URL}/l/nothing", f"{PUBLIC_URL}/metrics",
    ]  # fmt: skip
    async with _elsewhere(ours) as address:
        page = await screen.opens(address)
        frames = page.main_frame.child_frames
        assert len(frames) == len(ours)
        await until(lambda: all(frame.url for frame in frames))
        assert {frame.url for frame in frames} == {"chrome-error://chromewebdata/"}


async def test_the_cookies_of_a_session_are_kept_close(screen: Screen) -> None:
    await screen.signs_in()
    cookies = {one["name"]: one for one in await screen.context.cookies(f"{PUBLIC_URL}/console/")}
    assert set(cookies) == {"__Host-causerie", "__Host-causerie-known", "causerie_form"}
    for cookie in cookies.values():
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax"), cookie
        assert cookie["domain"] == "shop.example"  # this host alone: one for all below it would begin with a dot
    page = await screen.opens("/console/inbox/all")
    assert await page.evaluate("document.cookie") == ""
    assert await page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage)).join()") == ""


async def test_every_page_says_the_headers_that_hold_scripts_frames_and_guesses_out(screen: Screen) -> None:
    castle = screen.castle
    admin = await castle.agent("admin", "Second Admin")
    shows = await castle.signed_in(admin)
    now = castle.desk.clock()
    paths = {
        route.resource.canonical
        for route in castle.app.router.routes()
        if route.method == "GET" and route.resource and "{" not in route.resource.canonical
    }
    paths |= {
        *PAGES,
        "/console/nowhere",
        "/nowhere",
        "/l/nothing",
        "/p/nothing",
        "/u/nothing",
        "/channels/webchat/demo/en",
    }
    paths |= {link.removeprefix(castle.url) for link in (
        castle.links.preferences("anna", now), castle.links.unsubscribe(Offer("anna", "email", "offers"), now))}  # fmt: skip
    shown = 0
    for path in sorted(paths):
        for by in ({}, {**shows, "Accept": "text/html"}):
            answer = await castle.ask("GET", path, by=by)
            policy = answer.headers.get("Content-Security-Policy", "")
            assert "default-src 'none'" in policy or "default-src 'self'" in policy, (path, policy)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Referrer-Policy"] in (
                "no-referrer",
                "same-origin",
                "strict-origin-when-cross-origin",
            ), path
            assert answer.headers["Strict-Transport-Security"], path
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                shown += 1
                script = policy.partition("script-src")[2].partition(";")[0]
                assert "unsafe" not in script and "*" not in script and "http" not in script, (path, policy)
                assert "frame-ancestors 'none'" in policy and "base-uri" in policy or "default-src 'none'" in policy, (
                    path
                )
    assert shown > 30


def _inject(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page hold what an attacker would put there if a template forgot to escape."""
    whole, docs = pages.render, api_docs.page

    def injected(*arguments: Any, **known: Any) -> str:
        return whole(*arguments, **known).replace("</body>", INJECTED + "</body>")

    for module in (pages, centre):
        monkeypatch.setattr(module, "render", injected)
    monkeypatch.setattr(api_docs, "page", lambda *arguments: docs(*arguments).replace("</body>", INJECTED + "</body>"))


async def _plant(castle: Fortress) -> None:
    """Put a script wherever somebody else's words go: names, messages, a file's name, a rule, canned replies, notes, proposals."""
    (castle.book / "harm.yml").write_text(
        f"rule: harm\nabout: {HARM!r}\nowner: crm@example.org\nstate: live\nclass: service\ntopic: offers\n"
        "labels: [cart]\nwhen: {event: cart.updated}\nsteps:\n  - send: {channel: telegram, template: cart_1}\n"
    )
    assert castle.desk.rules
    await castle.desk.rules.bookcase.look(at_once=True)

    def think(snapshot: Snapshot) -> Changes:
        content = Content(HARM, attachments=(Attachment("file", HARM, "text/html", 9, file="none"),))
        thread, message = heard(snapshot.conversations["telegram:7003"], content, id="x:1", now=snapshot.now)
        who = snapshot.profile("chloe")
        assert who
        for name in ("first_name", "last_name", "city"):
            who = who.learn(name, HARM, source="declared", at=snapshot.now, by="test")
        return Changes(profiles=(who,), conversations=(thread,), messages=(message,))

    await castle.writer.commit(Work(think, profiles=("chloe",), conversations=("telegram:7003",)))
    shows = await castle.signed_in(await castle.agent("supervisor", "Super Lindqvist"))
    form = {"csrf": shows["X-CSRF"]}
    note = {"id": "0123456789abcdef0123456789abcdef", "text": HARM}
    await castle.ask("POST", "/console/conversations/telegram%3A7003/note", by=shows, json=note)
    await castle.ask("POST", "/console/canned", by=shows, data={**form, "shortcut": "x", "text": HARM})
    await castle.ask(
        "POST", "/console/settings", by=shows, data={**form, "name": HARM[:80], "language": "en", "signature": HARM}
    )
    proposal = {**form, "title": SCRIPT, "en": HARM, "fr": HARM, "examples": HARM, "text": HARM, "language": "en"}
    await castle.ask("POST", "/console/learning/answers", by=shows, data=proposal)
    await castle.ask("GET", f"/console/people/chloe?x={quote(HARM)}", by=shows)
    await create_key(castle.store, HARM[:100], ["events:write"], now=castle.desk.clock(), id="HarmHarm")


@asynccontextmanager
async def _tls(folder: Path, target: int) -> AsyncIterator[int]:
    """Within the block, a port that ends TLS and passes everything on to the server, as a proxy does."""
    _, context = certificate(folder)
    tasks: set[asyncio.Task[None]] = set()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(_copied(source, sink))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(passed, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in tasks:
        task.cancel()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def _elsewhere(frames: list[str]) -> AsyncIterator[str]:
    """Within the block, a page of another site that shows these addresses in frames."""

    async def page(request: web.Request) -> web.Response:
        text = "".join(f'<iframe src="{address}"></iframe>' for address in frames)
        return web.Response(text=f"<!doctype html><title>x</title>{text}", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()
