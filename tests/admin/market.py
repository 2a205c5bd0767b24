"""A shop with a rule book: the files of a cart reminder and what stands around it, and things that happen to its people."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from profiles.record import from_document
from profiles.snapshot import Changes, Done, Snapshot, Work
from profiles.timeline import Event, Message
from tests.admin.office import Office

TOPICS = """
offers:
  title: {fr: Offres, en: Offers}
  version: 1
  wording: {fr: Oui aux offres, en: Yes to offers}
"""
PRESSURE = """
at most: 2 per 7d
quiet hours: 23:00-23:01
"""
SEGMENTS = 'parisians: contact.city == "Paris"\n'
CART = """\
# brings back a cart
rule: cart
about: Bring back a cart left for an hour
owner: crm@example.org
state: live
class: service
topic: offers
labels: [cart]
when: {event: cart.updated, where: event.total >= 50, key: event.cart_id, again: restart}
for: contact.country in ("FR", "BE")
exit on: [{event: order.paid}]
goal: {event: order.paid, within: 3d, value: event.total}
timing: {late after: 12h}
steps:
  - id: first
    send: {channel: telegram, template: cart_1, variants: {a: 50, b: 50}}
  - wait: 1h
  - id: rich
    if: start.total > 500
    then:
      - hand over: {team: vip}
    else:
      - id: second
        send: {channel: [twilio, telegram], template: cart_1}
"""
WEEKLY = """\
rule: weekly
about: News on Monday morning
state: live
class: marketing
topic: offers
when: {schedule: mon 09:00}
for: contact.country == "FR"
steps:
  - send: {channel: telegram, template: cart_1}
"""
BIRTHDAY = """\
rule: birthday
state: live
class: marketing
topic: offers
when: {date: contact.born_on at 10:00}
steps:
  - send: {channel: telegram, template: cart_1}
"""
TEMPLATE = """
about: The reminder
fr:
  title: Votre panier vous attend
  text: Bonjour {{ contact.first_name }}, votre panier vous attend.
en:
  text: Hello {{ contact.first_name }}, your cart waits.
"""
BOOK = {
    "topics.yml": TOPICS,
    "pressure.yml": PRESSURE,
    "segments.yml": SEGMENTS,
    "cart.yml": CART,
    "weekly.yml": WEEKLY,
}


def shelve(folder: Path, **more: str) -> Path:
    """Write the book into a folder; `more` replaces or adds files by their name without ending."""
    for name, text in {**BOOK, **{f"{name}.yml": text for name, text in more.items()}}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "cart_1.yml").write_text(TEMPLATE, encoding="utf-8")
    return folder


async def live_in(office: Office, who: str, country: str) -> None:
    """Let us know where somebody lives."""
    await learned(office, who, "country", country)


async def learned(office: Office, who: str, name: str, value: Any) -> None:
    """Let us know something about somebody."""

    def think(snapshot: Snapshot) -> Changes:
        profile = snapshot.profile(who)
        assert profile
        return Changes(profiles=(profile.learn(name, value, source="declared", at=snapshot.now, by="test"),))

    assert isinstance(await office.do(Work(think, profiles=(who,))), Done)


async def happens(office: Office, name: str, who: str, *, at: datetime | None = None, **properties: Any) -> Event:
    """Let this happen to somebody, and wait until the rules have thought about it."""
    rules = office.desk.rules
    assert rules
    now = at or office.clock()
    event = Event(f"{name}-{who}-{now.timestamp()}", who, name, now, properties=properties)
    outcome = await office.do(Work(lambda snapshot: Changes(events=(event,)), key=event.id, key_in="events"))
    assert isinstance(outcome, Done)
    await rules.engine.settled()
    return event


async def passes(office: Office, **length: float) -> None:
    """Let time pass and whatever is due happen."""
    office.clock.ahead += timedelta(**length)
    assert office.desk.rules
    while await office.desk.rules.engine.look():
        await office.desk.rules.engine.settled()


async def sent_to(office: Office, who: str) -> list[Message]:
    """Return what rules sent to somebody, oldest first."""
    rows = await office.desk.store.find("messages", {"profile": who, "metadata.rule": {"$gt": ""}}, sort=[("at", 1)])
    return [from_document(Message, row) for row in rows]
