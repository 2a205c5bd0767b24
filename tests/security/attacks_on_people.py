"""Attacks on what a person decided: links, consents, refusals, erasure, and who they are taken for."""

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from admin.erasure_log import entries
from causerie.erase_commands import replay_log
from profiles.consent import verdict
from profiles.personal_links import Offer
from tests.security.fortress import PUBLIC_URL, Fortress
from tests.waiting import until


async def attack_33(castle: Fortress) -> None:
    """Another visitor's, message's or person's number reached by counting up one's own."""
    hit = {"id": "attack-00001", "name": "page.viewed"}
    page = {"Origin": PUBLIC_URL, "Content-Type": "text/plain"}
    first = await castle.ask("POST", "/t/events", by=page, data=json.dumps({"consent": True, "events": [hit]}))
    token = first.json["visitor"]
    version, address, signature = token.split(".")
    counted = f"{int(address, 16) + 1:032x}"
    body = {"consent": True, "visitor": f"{version}.{counted}.{signature}", "events": [hit]}
    second = await castle.ask("POST", "/t/events", by=page, data=json.dumps(body))
    assert second.json["visitor"].split(".")[1] not in (address, counted)
    assert await castle.store.get("identities", f"webchat:{counted}") is None
    link = castle.links.preferences("anna", castle.desk.clock())
    for changed in (
        link[:-1] + ("A" if link[-1] != "A" else "B"),
        link[:-5],
        link + "A",
        link.replace("/p/", "/p/A"),
        link.swapcase().replace("HTTP", "http").replace("/P/", "/p/"),
    ):
        assert (await castle.ask("GET", changed)).status == 404, changed
    for guess in ("aaaaaaaa", "22222222", "a" * 40):
        assert (await castle.ask("GET", f"/q/{guess}")).status == 404
        assert (await castle.ask("GET", f"/l/{guess}")).status == 404


async def attack_61(castle: Fortress) -> None:
    """An unsubscribe link that a scanner opens, that is forwarded, edited for another person, channel or topic."""
    now = castle.desk.clock()
    link = castle.links.unsubscribe(Offer("anna", "email", "offers", "rule:1"), now)
    for method in ("GET", "HEAD", "GET"):
        assert (await castle.ask(method, link)).status == 200
    assert await _said_no(castle, "anna") is None
    body, _, signature = link.rpartition(".")
    for other in (
        Offer("boris", "email", "offers", "rule:1"),
        Offer("anna", "sms", "offers", "rule:1"),
        Offer("anna", "*", "*", "rule:1"),
    ):
        foreign = castle.links.unsubscribe(other, now).rpartition(".")[0]
        assert (
            await castle.ask("POST", f"{foreign}.{signature}", data={"List-Unsubscribe": "One-Click"})
        ).status == 404
    assert (await castle.ask("POST", link.replace("/u/", "/p/"), data={})).status in (404, 405)
    assert await castle.store.count("consents", {}) == 0
    assert (await castle.ask("POST", link, data={"List-Unsubscribe": "One-Click"})).status == 200
    assert await _said_no(castle, "anna") == "opted_out:topic:offers" and await _said_no(castle, "boris") is None
    page = await castle.ask("GET", link)  # forwarded: it shows nothing of Anna but that topic
    assert "anna.martin" not in page.text and "Martin" not in page.text


async def attack_63(castle: Fortress) -> None:
    """An import that turns people in who had refused: one, a crowd at once, under other spellings of the source."""
    program = await castle.key("consents:write", "consents:read")
    no = {"channel": "*", "topic": "*", "state": "withdrawn", "source": "form"}
    assert (await castle.ask("POST", "/api/v1/profiles/anna/consents", by=program, json=no)).status == 200
    yes = {"channel": "email", "topic": "offers", "state": "given", "source": "import", "evidence": "file.csv:1"}
    tries = await asyncio.gather(
        *(castle.ask("POST", "/api/v1/profiles/anna/consents", by=program, json=yes) for _ in range(20))
    )
    assert {answer.status for answer in tries} <= {409, 422}
    for source in ("Import", "import ", " import", "IMPORT", ""):
        answer = await castle.ask("POST", "/api/v1/profiles/anna/consents", by=program, json={**yes, "source": source})
        assert answer.status in (409, 422), source
    assert (
        await castle.ask("POST", "/api/v1/profiles/anna/consents", by=program, json={**yes, "evidence": ""})
    ).status in (409, 422)
    assert await _said_no(castle, "anna") == "opted_out:all"
    assert await castle.store.count("consents", {"change": "given"}) == 0


async def attack_70(castle: Fortress) -> None:
    """Somebody is erased, then the database is put back to the day before: with the log of erasures they are gone again."""
    link = castle.links.preferences("anna", castle.desk.clock())
    assert (await castle.ask("POST", f"{link}/erasure", data={"sure": "yes"})).status == 303
    backup = {name: await castle.store.find(name, {}) for name in ("profiles", "identities", "ledgers", "requests")}
    shows = await castle.signed_in(await castle.agent("supervisor"))
    assert (await castle.ask("POST", "/console/people/anna/erase", by=shows, json={"sure": True})).status == 200

    async def is_gone() -> bool:
        return await castle.store.get("profiles", "anna") is None

    await until(is_gone)
    assert (await castle.ask("GET", link)).status == 404
    log = [entry async for entry in entries(castle.store)]
    for name, rows in {**backup, "erasures": []}.items():
        await castle.store.remove(name, {})
        await castle.store.insert_missing(name, rows)
    assert (await castle.ask("GET", link)).status == 200, "the control: with the backup she is back"
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "erasures.jsonl"
        kept.write_text("".join(entry.line() + "\n" for entry in log))
        assert await replay_log(castle.store, str(kept), [].append) == 0
    await until(is_gone)
    assert (await castle.ask("GET", link)).status == 404
    assert await castle.store.count("requests", {"profile": "anna"}) == 0


async def _said_no(castle: Fortress, profile: str) -> str | None:
    consents = castle.desk.consents
    assert consents
    ledger = (await consents._ledgers.read([profile]))[profile]
    return verdict(ledger, "email", "offers", "not_withdrawn")
