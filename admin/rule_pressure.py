"""How much do we write to people? Who is near a limit, which rules starve behind them, and what people may resent."""

from datetime import timedelta
from typing import Any

from aiohttp import web

from admin.desk import DESK
from admin.frame import frame
from admin.guard import agent_of, texts_of
from admin.inbox import NAMES
from admin.pages import page
from admin.roles import may
from admin.rule_book import running
from profiles.profile import Profile
from profiles.record import from_document
from rules.intrusion import warnings
from rules.spent import HIGHEST, MOST_READ, spent
from rules.tallies import tallies

WEEK = timedelta(days=7)


@may("rules")
async def show(request: web.Request) -> web.Response:
    """Show the pressure of the last 7 days."""
    desk, agent, language = request.config_dict[DESK], agent_of(request), texts_of(request).language
    rules, now = running(desk), desk.clock()
    book = rules.bookcase.book
    found = await spent(desk.store, book.policy.caps, now - WEEK, now)
    counted = await tallies(desk.store, book.rules, now - WEEK)
    starving = sorted(((rule, tally) for rule, tally in counted.items() if tally.full), key=lambda one: -one[1].starved)
    people = await desk.store.get_many("profiles", [id for id, _ in found.top], only=NAMES)
    known: dict[str, Any] = {
        "spent": found,
        "most": MOST_READ,
        "highest": HIGHEST,
        "starving": starving[:25],
        "people": {row["_id"]: from_document(Profile, row) for row in people},
        "warnings": [(one.rule, one.text.in_(language), one.at) for one in warnings(book)],
    }
    return page(request, "pressure.html", **known, **await frame(desk, agent))
