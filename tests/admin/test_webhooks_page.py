"""Webhooks that were given up: who sees them, what they say, and another try."""

from datetime import timedelta
from typing import Any

from rules.effects import ERRANDS
from tests.admin.office import Office


def _errand(office: Office, id: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": id, "kind": "webhook", "target": f"https://erp.example/{id}?key=secret", "rule": "birthday", "run": "r",
        "profile": "chloe", "at": office.clock(), "attempts": 9, "state": "dead", "reason": "500",
        "ended_at": office.clock(), "start": {}, "fields": {}, **more,
    }  # fmt: skip


async def test_what_was_given_up_is_shown_without_its_key_and_tried_again_once(shop: Office) -> None:
    for row in (_errand(shop, "w1"), _errand(shop, "w2", reason="timeout"), _errand(shop, "w3", state="done")):
        await shop.desk.store.insert(ERRANDS, row)
    caller = await shop.signed_in(await shop.agent("Ines Moreau", "marketer", language="fr"))
    text = await (await caller.get("/webhooks")).text()
    assert "erp.example/w1" in text and "Il a répondu 500." in text and "Il n’a pas répondu à temps." in text
    assert "secret" not in text and "/w3" not in text
    answer = await caller.post("/webhooks/w1/retry", form={})
    assert "erp.example/w1" not in await answer.text()
    tried = await shop.desk.store.get(ERRANDS, "w1")
    assert tried and "state" not in tried and tried["attempts"] == 0 and tried["due_at"] <= shop.clock()
    assert (await caller.post("/webhooks/nothing/retry", form={})).status == 404
    assert await shop.desk.store.count("audit", {"act": "webhook.again", "about": "w1"}) == 1


async def test_what_failed_and_is_tried_again_stands_there_with_its_next_try(shop: Office) -> None:
    failed, fresh = _errand(shop, "w1", reason="silent", attempts=3), _errand(shop, "w2")
    for row in (failed, fresh):
        row.pop("ended_at"), row.pop("state")
        row["due_at"] = shop.clock() + timedelta(hours=2)
    fresh.pop("reason")
    for row in (failed, fresh, _errand(shop, "w3", reason="not_https")):
        await shop.desk.store.insert(ERRANDS, row)
    page = await (await shop.signed_in(await shop.agent("Ines Moreau", "marketer"))).page("/webhooks")
    waiting, _, ended = page.partition("Given up")
    assert "erp.example/w1" in waiting and "left alone for a moment" in waiting and "next try" in waiting
    assert "erp.example/w2" not in page and "secret" not in page
    assert "erp.example/w3" in ended and "does not begin with https" in ended and page.count("Try again") == 1


async def test_an_agent_may_not_try_again_what_rules_send(shop: Office) -> None:
    await shop.desk.store.insert(ERRANDS, _errand(shop, "w1"))
    caller = await shop.signed_in(await shop.agent())
    assert (await caller.post("/webhooks/w1/retry", form={})).status == 403
    row = await shop.desk.store.get(ERRANDS, "w1")
    assert row and row["state"] == "dead"
