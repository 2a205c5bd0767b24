"""The API's routes about webhooks of rules: what became of them, and one given up sent once more."""

from typing import Any

from admin import api_answers as answers
from admin import api_kinds as kinds
from admin import api_schemas as shapes
from admin.api_profiles import LIMIT, PAGE
from admin.api_route import Call, Refused, Reply, Route
from admin.paging import Key, after_key, key_of
from admin.schema import Choice, Field, Problem
from rules.effects import ERRANDS
from rules.errands import again

_STATES: dict[str, Any] = {"waiting": None, "done": "done", "dead": "dead"}


async def list_webhooks(call: Call) -> Reply:
    """Answer webhooks, the latest first."""
    limit, after = call.query.get("limit", PAGE), key_of(call.query.get("after"))
    if "after" in call.query and after is None:
        raise Refused("invalid", faults=(Problem("after", "expected the `after` of a page"),), in_query=True)
    where: dict[str, Any] = {"kind": "webhook"}
    if "state" in call.query:
        where["state"] = _STATES[call.query["state"]]
    rows = await call.desk.store.find(
        ERRANDS, after_key(where, "at", after), sort=[("at", -1), ("_id", 1)], limit=limit + 1
    )
    last = rows[limit - 1] if len(rows) > limit else None
    items = [answers.webhook(row) for row in rows[:limit]]
    return Reply(200, {"items": items, "after": str(Key(last["at"], last["_id"])) if last else None})


async def retry_webhook(call: Call) -> Reply:
    """Let a webhook that was given up be tried again."""
    done = await again(call.desk.store, call.path["id"], call.now)
    if done is None:
        raise Refused("unknown_webhook")
    if not done:
        raise Refused("not_ended")
    row = await call.desk.store.get(ERRANDS, call.path["id"])
    assert row
    return Reply(200, answers.webhook(row))


ROUTES = (
    Route("GET", "/webhooks", list_webhooks, "rules:read", "List webhooks of rules, the latest first.",
          "Lister les webhooks des règles, du plus récent au plus ancien.", shapes.WEBHOOKS,
          query={"state": Field(Choice(tuple(_STATES)), "Only these."), "limit": LIMIT,
                 "after": Field(kinds.ID, "The `after` of the page before.")}),
    Route("POST", "/webhooks/{id}/retry", retry_webhook, "rules:write", "Try a webhook that was given up again.",
          "Réessayer un webhook abandonné.", shapes.WEBHOOK, problems=("unknown_webhook", "not_ended"),
          repeats_safely=True),
)  # fmt: skip
