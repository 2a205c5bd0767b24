"""Who may erase a contact, and give out all that is known of them: on the console, and by the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from playwright.async_api import expect

from admin.erasing import Erasing
from profiles.erased import Hashes
from tests.admin.api_client import caller_on
from tests.admin.erasure_stage import found
from tests.admin.office import SECRET, Office
from tests.admin.test_in_chromium import RIGHT_AWAY, Screens
from tests.chromium import browsing

ANNA = ("anna.martin@example.org", "a1b2c3d4e5f6a7b8", "A-1042")


@asynccontextmanager
async def carrying_out(office: Office) -> AsyncIterator[Erasing]:
    """Let the office erase what it is asked to."""
    desk = office.desk
    erasing = Erasing(desk.store, desk.writer, desk.feed, Hashes(SECRET), clock=office.clock)
    await erasing.start()
    try:
        yield erasing
    finally:
        await erasing.close()


async def test_only_who_has_the_right_and_says_they_are_sure_erases(shop: Office) -> None:
    maya = await shop.signed_in(await shop.agent())
    assert (await maya.post("/people/anna/erase", {"sure": True})).status == 403
    assert (await maya.get("/people/anna/export")).status == 403
    assert 'data-act="erase"' not in await maya.page("/people/anna")
    samir = await shop.signed_in(await shop.agent("Samir Haddad", "supervisor"))
    assert (await samir.post("/people/anna/erase", {})).status == 422
    assert (await samir.post("/people/nobody/erase", {"sure": True})).status == 404
    assert await shop.desk.store.find("erasing", {}) == []
    assert (await samir.post("/people/anna/erase", {"sure": True})).status == 200
    (row,) = await shop.desk.store.find("erasing", {})
    assert (row["_id"], row["by"]) == ("anna", "agent:samir")
    assert "This contact is being erased." in await samir.page("/people/anna")


async def test_what_is_given_out_is_whole_and_audited(shop: Office) -> None:
    samir = await shop.signed_in(await shop.agent("Samir Haddad", "supervisor"))
    answer = await samir.get("/people/anna/export")
    assert answer.headers["Cache-Control"] == "no-store"
    known = await answer.json()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="anna.json"'
    assert [one["address"] for one in known["identities"]] == ["a1b2c3d4e5f6a7b8", "anna.martin@example.org"]
    assert len(known["messages"]) == await shop.desk.store.count("messages", {"profile": "anna"})
    (row,) = await shop.desk.store.find("audit", {"act": "profile.exported"})
    assert (row["by"], row["about"]) == ("samir", "anna")


async def test_all_that_is_known_of_a_contact_is_given_out_twice_an_hour(shop: Office) -> None:
    """Each reads everything of them: unbounded, one who asks again and again would keep the database busy."""
    shop.clock.ahead = timedelta(seconds=1800 - shop.clock().timestamp() % 3600)  # in the middle of an hour
    samir = await shop.signed_in(await shop.agent("Samir Haddad", "supervisor"))
    assert [(await samir.get("/people/anna/export")).status for _ in range(3)] == [200, 200, 429]
    assert (await samir.get("/people/boris/export")).status == 200
    lucie = await shop.signed_in(await shop.agent("Lucie Faure", "supervisor"))
    assert (await lucie.get("/people/anna/export")).status == 200
    shop.clock.ahead += timedelta(hours=1)
    assert (await samir.get("/people/anna/export")).status == 200


async def test_a_program_with_the_scope_erases_once(mongo_url: str, database_name: str) -> None:
    async with caller_on(mongo_url, database_name) as program:
        status, made = await program.ask(
            "POST", "/profiles", {"identities": [{"space": "email", "address": "z@example.org"}]}
        )
        assert status == 201
        path, reader = f"/profiles/{made['id']}", await program.as_one_who_may("profiles:read", "profiles:write")
        assert (await reader.ask("DELETE", path))[0] == 403
        assert (await reader.ask("GET", f"{path}/export"))[0] == 403
        status, known = await program.ask("GET", f"{path}/export")
        assert (status, known["identities"][0]["address"]) == (200, "z@example.org")
        asked = [(await program.ask("GET", f"{path}/export"))[0] for _ in range(4)]
        assert 200 not in asked[2:] and asked[-1] == 429
        first, again = await program.ask("DELETE", path), await program.ask("DELETE", path)
        assert (first, first[0]) == (again, 202)
        desk = program.desk
        await Erasing(desk.store, desk.writer, desk.feed, Hashes(desk.secret), clock=desk.clock).look()
        assert (await program.ask("DELETE", path))[0] == 404
        assert await found(desk.store, "z@example.org") == {}


async def test_an_agent_erases_a_contact_and_the_pages_of_the_others_leave_it(shop: Office) -> None:
    samir, maya = await shop.agent("Samir Haddad", "supervisor", language="fr"), await shop.agent(is_away=True)
    async with browsing() as program, carrying_out(shop):
        screens = Screens(program, shop)
        other = await screens.of(maya, "/inbox/all/webchat%3Aa1b2c3d4e5f6a7b8")
        await expect(other.locator(".timeline")).to_contain_text("A-1042")
        page = await screens.of(samir, "/people/anna", viewport={"width": 360, "height": 780}, locale="fr-FR")
        await page.locator("[data-act=panel]").click()
        await page.get_by_role("button", name="Effacer ce contact").click()
        dialog = page.get_by_role("dialog", name="Effacer Anna Martin ?")
        await expect(dialog).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await dialog.get_by_role("button", name="Effacer définitivement").click()
        assert await shop.desk.store.find("erasing", {}) == [], "without the tick nothing is asked"
        await dialog.get_by_label("Oui, effacer ce contact").check()
        await dialog.get_by_role("button", name="Effacer définitivement").click()
        await expect(page).to_have_url(shop.base + "/people")
        await expect(other).to_have_url(shop.base + "/inbox/all", timeout=RIGHT_AWAY)
        await expect(other.locator(".rows, #rows").first).not_to_contain_text("Anna")
        assert await found(shop.desk.store, *ANNA) == {}
        # it may just be asking for what is gone: 404, and then it leaves
        assert [said for said in screens.complaints if "404" not in said] == []
