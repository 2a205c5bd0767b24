"""The soft prompt and the worker in a real Chromium: by keyboard, on a small screen, in the dark, by people who change their mind.

Chromium's own push service is Google's, so pushManager is played here (real Firefox subscribes and decrypts in
test_webpush_firefox.py); the worker gets its pushes through the browser's own developer protocol.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, CDPSession, Page, expect

from channels.webpush_subscriptions import id_of
from profiles.timeline import Button, Content, Message
from tests.channels.push_shop import PushShop, push_shop
from tests.waiting import until

PLAYED = """
  const given = %s;
  let current = sessionStorage.getItem("played") ? made() : null;
  function made() {
    return { endpoint: given.endpoint, options: {}, toJSON: () => given,
      unsubscribe: async () => { current = null; sessionStorage.removeItem("played"); return true; } };
  }
  PushManager.prototype.subscribe = async (options) => {
    window.subscribedWith = { visible: options.userVisibleOnly, key: options.applicationServerKey.length };
    sessionStorage.setItem("played", "yes");
    return current = made();
  };
  PushManager.prototype.getSubscription = async () => current;
  window.permission = "granted";
  Notification.requestPermission = async () => { window.asked = (window.asked || 0) + 1; return window.permission; };
  const before = () => (sessionStorage.getItem("played") ? "granted" : "default");
  Object.defineProperty(Notification, "permission", { get: () => (window.asked ? window.permission : before()) });
"""


@pytest.fixture
async def shop(mongo_url: str, database_name: str, free_port: int) -> AsyncIterator[PushShop]:
    async with push_shop(mongo_url, database_name, free_port) as running:
        yield running


async def visit(
    browser: Chromium, shop: PushShop, path: str = "/shop/en", *, played: bool = True, **how: Any
) -> tuple[BrowserContext, Page]:
    how = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **how}
    context = await browser.new_context(**how)
    if played:
        given = shop.peer.browser("chromium").subscription()
        await context.add_init_script(PLAYED % json.dumps(given))
    page = await context.new_page()
    page.errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    await page.goto(shop.url + path)
    return context, page


async def test_nothing_is_asked_before_somebody_presses_the_button(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop)
    await expect(page.get_by_role("button", name="Tell me about offers")).to_be_visible()
    assert await page.evaluate("window.asked") is None
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    assert await shop.store.count("push_subscriptions", {}) == 0


async def test_a_person_agrees_by_keyboard_alone(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop)
    button = page.get_by_role("button", name="Tell me about offers")
    await expect(button).to_be_visible()
    await button.focus()
    await page.keyboard.press("Enter")
    card = page.get_by_role("dialog", name="May we write to you here?")
    await expect(card).to_be_visible()
    await expect(card.get_by_role("checkbox", name="Offers I agree to offers.")).not_to_be_checked()
    await expect(card.get_by_role("checkbox", name="Loyalty")).not_to_be_checked()
    await expect(card.get_by_role("checkbox")).to_have_count(2)  # not the one that is sent on paper alone
    await expect(card.get_by_role("checkbox", name="Offers")).to_be_focused()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(button).to_be_focused()
    assert await page.evaluate("window.subscribedWith") == {"visible": True, "key": 65}
    (proof,) = await shop.proofs()
    assert (proof["change"], proof["channel"], proof["topic"], proof["version"]) == ("given", "webpush", "offers", "3")
    assert proof["wording"] == "I agree to offers."
    assert page.errors == []  # type: ignore[attr-defined]


async def test_escape_and_not_now_ask_nothing_of_the_browser(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop)
    for way in ("Escape", "Not now", "Close"):
        await page.get_by_role("button", name="Tell me about offers").click()
        card = page.get_by_role("dialog", name="May we write to you here?")
        await expect(card).to_be_visible()
        if way == "Escape":
            await page.keyboard.press("Escape")
        else:
            await card.get_by_role("button", name=way).click()
        await expect(card).to_have_count(0)
    assert await page.evaluate("window.asked") is None


async def test_no_topic_chosen_is_no_yes(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop)
    await page.get_by_role("button", name="Tell me about offers").click()
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("status")).to_have_text("Choose at least one.")
    assert await page.evaluate("window.asked") is None


async def test_a_person_changes_their_topics_and_stops(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop)
    button = page.get_by_role("button", name="Tell me about offers")
    await button.click()
    await page.get_by_role("checkbox", name="Offers").check()
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    await page.reload()
    await button.click()
    card = page.get_by_role("dialog", name="Messages in this browser")
    await expect(card.get_by_role("checkbox", name="Offers")).to_be_checked()
    await card.get_by_role("checkbox", name="Offers").uncheck()
    await card.get_by_role("checkbox", name="Loyalty").check()
    await card.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    assert sorted((one["topic"], one["change"]) for one in await shop.proofs()) == [
        ("loyalty", "asked"), ("loyalty", "confirmed"), ("offers", "given"), ("offers", "withdrawn"),
    ]  # fmt: skip
    await page.keyboard.press("Escape")
    await button.click()
    await page.get_by_role("button", name="Stop all messages here").click()
    await expect(page.get_by_role("dialog", name="Stopped")).to_be_visible()
    assert await page.evaluate("CauseriePush.state()") == "off"
    assert await shop.store.count("push_subscriptions", {}) == 0


async def test_a_server_that_forgot_the_browser_is_asked_anew(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop, "/shop/en?topics=offers")
    button = page.get_by_role("button", name="Tell me about offers")
    await button.click()
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    await page.keyboard.press("Escape")
    for collection in ("push_subscriptions", "identities", "profiles", "ledgers"):
        await shop.store.remove(collection, {})
    await button.click()
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    assert await shop.store.count("push_subscriptions", {}) == 1
    await shop.store.remove("push_subscriptions", {})
    await page.evaluate("CauseriePush.unsubscribe()")
    assert await page.evaluate("CauseriePush.state()") == "off"


async def test_one_topic_alone_shows_the_very_words(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop, "/shop/fr?topics=offers")
    await page.get_by_role("button", name="Tell me about offers").click()
    card = page.get_by_role("dialog", name="Pouvons-nous vous écrire ici ?")
    await expect(card).to_contain_text("J'accepte les offres.")
    await expect(card.get_by_role("checkbox")).to_have_count(0)
    await card.get_by_role("button", name="Oui, prévenez-moi").click()
    await expect(page.get_by_role("dialog", name="C’est fait")).to_be_visible()
    assert [(one["topic"], one["wording"]) for one in await shop.proofs()] == [("offers", "J'accepte les offres.")]


async def test_a_no_to_the_browser_is_explained_and_kept_nowhere(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop, "/shop/en?topics=offers")
    await page.evaluate("window.permission = 'denied'")
    await page.get_by_role("button", name="Tell me about offers").click()
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog", name="Your browser blocks messages from this site")).to_be_visible()
    assert (await shop.proofs(), await shop.store.count("profiles", {})) == ([], 0)


async def test_words_that_changed_meanwhile_are_shown_again(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop, "/shop/en?topics=offers")
    await page.get_by_role("button", name="Tell me about offers").click()
    await expect(page.get_by_role("dialog")).to_contain_text("I agree to offers.")
    shop.topics["offers"] = replace(shop.topics["offers"], version="4", wordings={"en": "I agree to all offers."})
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog")).to_contain_text("I agree to all offers.")
    assert await shop.proofs() == []
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    assert [one["version"] for one in await shop.proofs()] == ["4"]


@pytest.mark.parametrize(("accent", "ink"), [("#ffd400", "rgb(0, 0, 0)"), ("#101840", "rgb(255, 255, 255)")])
async def test_the_shops_colour_carries_words_that_can_be_read(
    browser: Chromium, shop: PushShop, accent: str, ink: str
) -> None:
    _, page = await visit(browser, shop, f"/shop/en?accent={accent.replace('#', '%23')}", color_scheme="light")
    await page.get_by_role("button", name="Tell me about offers").click()
    yes = page.get_by_role("button", name="Yes, tell me")
    await expect(yes).to_have_css("color", ink)
    await page.get_by_role("button", name="Not now").focus()
    await page.keyboard.press("Tab")
    await expect(yes).to_have_css("outline-color", "rgb(28, 29, 31)" if accent == "#ffd400" else "rgb(16, 24, 64)")


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1440, "light"), (1440, "dark")])
async def test_the_card_fits_every_screen(browser: Chromium, shop: PushShop, width: int, scheme: str) -> None:
    _, page = await visit(
        browser,
        shop,
        "/shop/fr",
        viewport={"width": width, "height": 640},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    await page.get_by_role("button", name="Tell me about offers").click()
    card = page.get_by_role("dialog")
    await expect(card).to_be_visible()
    box = await card.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
    assert box["y"] >= 0 and box["y"] + box["height"] <= 640
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for button in await card.get_by_role("button").all():
        held = await button.bounding_box()
        assert held and held["height"] >= (44 if width == 360 else 24) and held["x"] + held["width"] <= width


# -- the worker


class Worker:
    """A page's service worker, reached as the browser reaches it."""

    def __init__(self, page: Page, protocol: CDPSession, shop: PushShop, id: str) -> None:
        self._page, self._protocol, self._shop, self._id = page, protocol, shop, id

    async def gets(self, said: Any) -> None:
        """Hand over a push, decrypted."""
        text = said if isinstance(said, str) else json.dumps(said)
        await self._protocol.send(
            "ServiceWorker.deliverPushMessage", {"origin": self._shop.url, "registrationId": self._id, "data": text}
        )

    async def shown(self, said: Any) -> dict[str, Any]:
        """Hand over a push until its notification stands there, and return it: the protocol never says that one was lost."""
        tries = 0

        async def stands() -> list[dict[str, Any]]:
            nonlocal tries
            if tries % 100 == 0:  # some two seconds; the same message twice is shown once
                await self.gets(said)
            tries += 1
            return await self.shows()

        (one,) = await until(stands)
        return dict(one)

    async def shows(self) -> list[dict[str, Any]]:
        """Return the notifications that stand on the screen."""
        shown: list[dict[str, Any]] = await self._page.evaluate(
            "navigator.serviceWorker.ready.then((one) => one.getNotifications()).then((all) => all.map((one) => ({"
            "title: one.title, body: one.body, tag: one.tag, lang: one.lang, image: one.image,"
            "actions: one.actions.map((a) => a.title)})))"
        )
        return shown

    async def dispatch(self, kind: str, action: str = "") -> None:
        """Let the person press (`notificationclick`) or put away (`notificationclose`) the one that stands there."""
        (worker,) = self._page.context.service_workers
        await worker.evaluate(
            "async ([kind, action]) => { const [one] = await registration.getNotifications();"
            " self.dispatchEvent(new NotificationEvent(kind, { notification: one, action })); }",
            [kind, action],
        )

    async def renews(self, token: str, fresh: dict[str, Any]) -> str:
        """Let the browser change its subscription by itself (`pushsubscriptionchange`); return the token the worker has then."""
        (worker,) = self._page.context.service_workers
        held: str = await worker.evaluate(
            "async ([token, fresh]) => { const cache = await caches.open('causerie-push');"
            " await cache.put('/token', new Response(token)); let done;"
            " const event = new ExtendableEvent('pushsubscriptionchange');"
            " Object.defineProperty(event, 'waitUntil', { value: (work) => { done = work; } });"
            " Object.defineProperty(event, 'newSubscription', { value: { toJSON: () => fresh } });"
            " self.dispatchEvent(event); await done; return (await cache.match('/token')).text(); }",
            [token, fresh],
        )
        return held


async def working(browser: Chromium, shop: PushShop) -> Worker:
    """Return the worker of a page whose person allowed messages."""
    context, page = await visit(browser, shop, played=False)
    await context.grant_permissions(["notifications"], origin=shop.url)
    protocol = await context.new_cdp_session(page)
    found: list[str] = []
    protocol.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    await protocol.send("ServiceWorker.enable")
    await page.evaluate(
        "navigator.serviceWorker.register('/shop/worker.js').then(() => navigator.serviceWorker.ready).then(() => 1)"
    )
    await until(lambda: found and page.context.service_workers)
    return Worker(page, protocol, shop, found[0])


async def sent(shop: PushShop, content: Content) -> tuple[Message, dict[str, Any]]:
    """Send a message to a played browser; return it, and what its worker gets."""
    id, _ = await shop.subscribed("chromium")
    message = await shop.send(id, content)
    await until(lambda: shop.peer.taken)
    return message, shop.peer.taken[-1].said


async def state(shop: PushShop, message: Message, wanted: str) -> None:
    async def reached() -> bool:
        return await shop.state_of(message.id) == wanted

    await until(reached)


CART = Content(
    title="Your cart", text="It waits for you.", link="https://shop.example/cart", image="https://shop.example/jug.png",
    buttons=(Button("Go on", url="https://shop.example/pay"), Button("Later")),
)  # fmt: skip


async def test_the_worker_shows_the_message_once_and_says_that_it_did(browser: Chromium, shop: PushShop) -> None:
    message, said = await sent(shop, CART)
    worker = await working(browser, shop)
    shown = await worker.shown(said)
    assert (shown["title"], shown["body"]) == ("Your cart", "It waits for you.")
    assert shown["actions"] == ["Go on", "Later"]
    await state(shop, message, "delivered")
    await worker.gets(said)  # the push service repeats itself
    assert len(await worker.shows()) == 1


async def test_a_press_on_a_button_is_a_click_of_its_own(browser: Chromium, shop: PushShop) -> None:
    message, said = await sent(shop, CART)
    worker = await working(browser, shop)
    await worker.shown(said)
    await state(shop, message, "delivered")
    await worker.dispatch("notificationclick", "0")
    await state(shop, message, "read")
    (event,) = await until(lambda: shop.store.find("events", {"name": "message.clicked"}))
    assert event["properties"]["button"] == "Go on"
    assert event["properties"]["url"] == "https://shop.example/pay"
    assert await worker.shows() == []


async def test_a_message_put_away_is_told_and_is_not_read(browser: Chromium, shop: PushShop) -> None:
    message, said = await sent(shop, CART)
    worker = await working(browser, shop)
    await worker.shown(said)
    await state(shop, message, "delivered")
    await worker.dispatch("notificationclose")
    await until(lambda: shop.store.find("events", {"name": "message.dismissed"}))
    assert await shop.state_of(message.id) == "delivered"


async def test_a_browser_that_renews_by_itself_is_still_reached(browser: Chromium, shop: PushShop) -> None:
    old, token = await shop.subscribed("chromium")
    owner = (await shop.owner(old))["_id"]
    worker, fresh = await working(browser, shop), shop.peer.browser("renewed")
    held = await worker.renews(token, fresh.subscription())
    new = id_of(fresh.endpoint)
    assert (await shop.owner(new))["_id"] == owner and held != token
    assert [row["_id"] for row in await shop.store.find("push_subscriptions", {})] == [new]


@pytest.mark.parametrize("said", ["no JSON", "[]", "null", '{"t": "another sender"}', ""])
async def test_what_is_not_ours_is_not_shown_by_us(browser: Chromium, shop: PushShop, said: str) -> None:
    worker = await working(browser, shop)
    await worker.gets(said)
    shown = await worker.shown({"g": "ours", "t": "the next one works"})
    assert shown["title"] == "the next one works"


# -- the demo


async def test_the_demo_shop_asks_softly_and_knows_anna_who_signs_in(browser: Chromium, shop: PushShop) -> None:
    _, page = await visit(browser, shop, "/channels/webchat/demo/en", viewport={"width": 360, "height": 740})
    await page.get_by_role("button", name="Tell me about offers").click()
    await page.get_by_role("checkbox", name="Offers").check()
    await page.get_by_role("button", name="Yes, tell me").click()
    await expect(page.get_by_role("dialog", name="Done")).to_be_visible()
    id = id_of(shop.browser("chromium").endpoint)
    assert [one["channel"] for one in (await shop.owner(id))["identities"]] == ["webpush"]
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Sign in as Anna").click()

    async def is_annas() -> bool:
        return "user:demo-anna" in [
            f"{one['channel']}:{one['address']}" for one in (await shop.owner(id))["identities"]
        ]

    await until(is_annas)
    await page.get_by_role("button", name="Sign out (Anna)").click()

    async def is_nobodys() -> bool:
        return [one["channel"] for one in (await shop.owner(id))["identities"]] == ["webpush"]

    await until(is_nobodys)
    assert page.errors == []  # type: ignore[attr-defined]
