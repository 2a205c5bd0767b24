"""The book that ships, set live: each of its rules tells its story, in the contact's language."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from profiles.ledger import Ledger
from profiles.profile import Identity, Profile
from profiles.timeline import Event
from rules.book import Book, Surroundings
from rules.book_folder import pictures_in, read_folder
from rules.book_reading import read_book
from rules.choice import as_listed
from rules.effects import ERRANDS
from rules.intrusion import warnings
from rules.letters import Letters
from rules.memory import Contacts
from rules.options import RulesOptions, folder_of
from rules.policy import Reach, Reaches
from rules.rule_step import Send, walk
from rules.running import editions_of
from rules.simulation import Simulation, with_value

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=PARIS)
REACHES = Reaches([Reach("telegram", "telegram"), Reach("webchat", "webchat"), Reach("twilio", "sms"),
                   Reach("webpush", "webpush", is_thread=False)])  # fmt: skip
FOLDER = folder_of(RulesOptions())
AROUND = Surroundings(frozenset({*REACHES.words, "wallet"}), zone=PARIS, language="fr", pictures=pictures_in(FOLDER))


def shipped(*, live: bool = True) -> Book:
    """Return the shipped book, with every rule set live."""
    texts = read_folder(FOLDER)
    return read_book(
        {file: text.replace("state: draft", "state: live") if live else text for file, text in texts.items()}, AROUND
    )


class Shop:
    """Anna (French, Telegram and SMS) and Dan (English, Telegram) said yes to everything, Eva (a French browser) to offers there.

    It is a Monday, ten in the morning.
    """

    def __init__(self) -> None:
        book = shipped()
        self.contacts = Contacts()
        said = {f"{space}:{topic}": True for space in ("telegram", "sms", "webchat") for topic in book.policy.topics}
        for person in (
            _person("anna", "Anna", "fr", "telegram", "sms"),
            _person("dan", "Dan", "en", "telegram"),
        ):
            self.contacts.add(person, ledger=Ledger(person.id, said))
        eva = _person("eva", "", "fr", "webpush")
        self.contacts.add(eva, ledger=Ledger("eva", {"webpush:offers": True}))
        rules = {id: replace(rule, entry=replace(rule.entry, holdout=0.0)) for id, rule in book.rules.items()}
        self._simulation = Simulation(
            self.contacts, editions_of(replace(book, rules=rules)), policy=book.policy, reaches=REACHES,
            renders=Letters(book.templates, language="fr"), prefers=as_listed, start=MONDAY,
        )  # fmt: skip
        self._ids = count(1)

    async def happens(self, name: str, who: str = "anna", conversation: str | None = None, **properties: Any) -> None:
        now = self._simulation.now
        event = Event(f"e{next(self._ids)}", who, name, now, conversation=conversation, properties=properties)
        self._simulation.expect([event])
        await self._simulation.run(now)

    async def passes(self, **length: float) -> None:
        await self._simulation.run(self._simulation.now + timedelta(**length))

    def knows(self, who: str = "anna", **facts: Any) -> None:
        """Let something be known before anything happens."""
        for name, value in facts.items():
            known = self.contacts.profiles[who]
            self.contacts.profiles[who] = with_value(known, name, value, self._simulation.now)

    async def learns(self, attribute: str, before: Any, after: Any, who: str = "anna") -> None:
        """Let an attribute change, as its event tells."""
        self.knows(who, **{attribute: before})
        await self.happens("profile.changed", who, attribute=attribute, before=before, after=after)

    def got(self, who: str = "anna") -> list[str]:
        """Return what was sent: local day and hour, channel, text."""
        mine = [one for one in self.contacts.messages.values() if one.profile == who and one.direction == "outbound"]
        return [f"{one.at.astimezone(PARIS):%d %H:%M} {one.channel} {one.content.text}" for one in mine]

    def why(self, rule: str, who: str = "anna") -> list[str]:
        rows = [row for row in self._simulation.decisions if (row["rule"], row["profile"]) == (rule, who)]
        return [str(row["reason"]) for row in rows]

    def cards(self, who: str = "anna") -> list[tuple[str, dict[str, str]]]:
        """Return the wallet cards that are to be kept: which, and what a rule set on it."""
        rows = [row for (kind, _), row in self.contacts.records.items() if kind == ERRANDS and row["profile"] == who]
        return [(row["target"], row["fields"]) for row in rows if row["kind"] == "wallet"]

    def value(self, attribute: str, who: str = "anna") -> Any:
        return self.contacts.profiles[who].value(attribute)


def _person(id: str, first: str, language: str, *spaces: str) -> Profile:
    long_ago = MONDAY - timedelta(days=500)
    address = {"sms": "+33639980012"}
    found = tuple(Identity(space, address.get(space, id), long_ago, verified_at=long_ago) for space in spaces)
    profile = Profile(id, long_ago, found, language=language)
    return profile.learn("first_name", first, source="declared", at=long_ago) if first else profile


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_book_has_no_mistake_and_nothing_that_people_resent_live_or_not() -> None:
    for live in (False, True):
        book = shipped(live=live)
        assert [str(one) for one in book.mistakes] == []
        assert [str(one) for one in warnings(book)] == []


def test_it_ships_as_drafts_so_that_a_new_server_writes_to_nobody() -> None:
    assert {rule.state for rule in shipped(live=False).rules.values()} == {"draft"}


def test_every_template_is_used_and_says_both_languages() -> None:
    book = shipped()
    used = {step.template for rule in book.rules.values() for step in walk(rule.steps) if isinstance(step, Send)}
    assert used == set(book.templates)
    assert all(set(template.languages) == {"fr", "en"} for template in book.templates.values())


def test_every_rule_says_what_it_is_about_and_has_a_story_here() -> None:
    stories = Path(__file__).read_text(encoding="utf-8")
    for rule in shipped().rules.values():
        assert {"fr", "en"} == rule.title.keys() == rule.about.keys()
        assert f"test_{rule.id.replace('-', '_')}" in stories


async def test_welcome_greets_and_offers_help_when_nothing_was_bought(shop: Shop) -> None:
    await shop.happens("account.created")
    await shop.passes(days=5)
    first, second = shop.got()
    assert first.startswith("23 10:00 telegram Bienvenue Anna !")
    assert second.startswith("26 10:00 telegram Vous n'avez pas encore")


async def test_welcome_leaves_a_buyer_alone(shop: Shop) -> None:
    await shop.happens("account.created", "dan")
    await shop.passes(hours=5)
    await shop.happens("order.paid", "dan", order_id="A-1", total=20)
    await shop.passes(days=5)
    assert [line.split(" ", 3)[3][:7] for line in shop.got("dan")] == ["Welcome", "Thank y"]
    assert shop.why("welcome", "dan")[-1] == "exit:goal"


async def test_welcome_reaches_a_browser_in_words_that_fit_it(shop: Shop) -> None:
    await shop.happens("account.created", "eva")
    await shop.passes(minutes=1)
    (line,) = shop.got("eva")
    assert line.startswith("23 10:00 webpush Bienvenue !") and "Répondez" not in line


async def test_push_welcome_answers_a_subscription_at_any_hour_and_once(shop: Shop) -> None:
    await shop.passes(hours=13)
    await shop.happens("identity.subscribed", "eva", channel="webpush", origin="https://shop.example")
    await shop.happens("identity.subscribed", "eva", channel="webpush", origin="https://shop.example")
    await shop.happens("identity.subscribed", "dan", channel="app", origin="")
    await shop.passes(minutes=1)
    (line,) = shop.got("eva")
    assert line.startswith("23 23:00 webpush Merci ! Nos messages arriveront ici.")
    assert shop.got("dan") == []


async def test_cart_reminder_goes_on_by_sms_when_nobody_looks(shop: Shop) -> None:
    await shop.happens("cart.updated", cart_id="c1", total=80)
    await shop.passes(days=3)
    first, second, *_ = shop.got()
    assert first.startswith("23 11:00 telegram Anna, ") and "80,00\xa0€" in first
    assert second.split(" ")[2] == "twilio", "no reaction in four hours: the next channel, when caps let it"


async def test_cart_reminder_ends_with_the_order_and_leaves_small_carts_alone(shop: Shop) -> None:
    await shop.happens("cart.updated", cart_id="c1", total=80)
    await shop.happens("cart.updated", "dan", cart_id="c2", total=20)
    await shop.passes(minutes=30)
    await shop.happens("order.paid", cart_id="c1", order_id="A-1", total=80)
    await shop.passes(days=3)
    assert shop.why("cart-reminder") == ["exit:order.paid"]
    assert shop.got("dan") == []


async def test_birthday_soon_and_the_day_itself(shop: Shop) -> None:
    shop.knows(born_on="1990-12-08")
    await shop.passes(days=20)
    soon, today = shop.got()
    assert soon.startswith("24 10:00 telegram Anna, votre anniversaire approche")
    assert today.startswith("08 09:00 telegram Joyeux anniversaire Anna !")
    assert (shop.why("birthday-soon"), shop.why("birthday")) == (["sent"], ["sent"])


async def test_birthday_soon_says_nothing_to_who_was_born_in_spring(shop: Shop) -> None:
    shop.knows(born_on="1990-04-08")
    await shop.passes(days=20)
    assert shop.got() == []


async def test_rfm_names_customers_and_win_back_writes_to_good_ones_who_drift_away(shop: Shop) -> None:
    now = MONDAY
    orders = [
        *(Event(f"o{days}", "anna", "order.paid", now - timedelta(days=days), properties={"total": 90}) for days in (120, 200)),
        *(Event(f"d{days}", "dan", "order.paid", now - timedelta(days=days), properties={"total": 50}) for days in (3, 9, 30)),
    ]  # fmt: skip
    for event in orders:
        shop.contacts.put_event(event)
    await shop.passes(days=9)
    assert (shop.value("rfm"), shop.value("rfm_monetary")) == ("at_risk", 180)
    assert shop.value("rfm_recency") in (126, 127)
    assert shop.value("rfm", "dan") == "champion"
    (line,) = shop.got()
    assert line.startswith("01 10:00 telegram Anna, cela fait un moment")
    assert shop.got("dan") == []


async def test_win_back_asks_once_more_and_then_is_silent(shop: Shop) -> None:
    shop.knows(rfm="at_risk")
    await shop.passes(days=60)
    assert [line[:8] for line in shop.got()] == ["24 10:00", "04 10:00"]


async def test_appointment_is_confirmed_at_once_and_appointment_reminder_comes_the_day_before(shop: Shop) -> None:
    await shop.happens("appointment.booked", "dan", on="2026-11-27", hour="15:00", place="12 rue des Lilas")
    assert "27 November 2026 at 15:00, 12 rue des Lilas" in shop.got("dan")[0]
    await shop.passes(days=5)
    confirmation, reminder = shop.got("dan")
    assert reminder.startswith("26 10:00 telegram A reminder: your appointment on Friday")


async def test_appointment_reminder_is_not_sent_for_what_was_cancelled(shop: Shop) -> None:
    await shop.happens("appointment.booked", on="2026-11-27", hour="15:00", place="12 rue des Lilas")
    await shop.passes(days=1)
    await shop.happens("appointment.cancelled")
    await shop.passes(days=5)
    assert len(shop.got()) == 1 and shop.why("appointment-reminder") == []


async def test_order_confirmation_comes_at_night_too(shop: Shop) -> None:
    await shop.passes(hours=13)
    await shop.happens("order.paid", order_id="A-1042", total=1299.5)
    (line,) = shop.got()
    assert line.startswith("23 23:00 telegram Merci Anna ! Votre commande A-1042 de 1\u202f299,50\xa0€")


async def test_satisfaction_is_asked_after_a_conversation_and_a_bad_mark_brings_people(shop: Shop) -> None:
    await shop.happens("conversation.resolved", conversation="telegram:anna")
    await shop.passes(hours=2)
    assert shop.got()[0].startswith("23 11:00 telegram Avons-nous pu vous aider")
    await shop.happens("survey.answered", score=1)
    (thread,) = shop.contacts.threads_of("anna")
    assert shop.value("csat_last") == 1
    assert thread.handover and thread.handover.team == "support"


async def test_satisfaction_thanks_for_a_good_mark(shop: Shop) -> None:
    await shop.happens("conversation.resolved", "dan", conversation="telegram:dan")
    await shop.passes(hours=2)
    await shop.happens("survey.answered", "dan", score=5)
    assert shop.got("dan")[-1].endswith("Thank you, that means a lot to all of us.")


async def test_points_reached_tells_of_the_reward_once(shop: Shop) -> None:
    await shop.learns("points", 980, 1_020)
    await shop.learns("points", 990, 1_010)
    (line,) = shop.got()
    assert line.startswith("23 10:00 telegram Bravo Anna ! Avec 1\u202f020 points")
    assert shop.why("points-reached") == ["sent", "grace"]


async def test_subscription_ending_is_told_a_month_and_a_week_before_unless_it_is_renewed(shop: Shop) -> None:
    for who in ("anna", "dan"):
        shop.knows(who, subscription_ends_on="2026-12-24")
    await shop.passes(days=3)
    await shop.happens("subscription.renewed", "dan")
    await shop.passes(days=30)
    assert [line[:8] for line in shop.got()] == ["24 10:00", "17 10:00"]
    assert "24 décembre 2026" in shop.got()[0]
    assert len(shop.got("dan")) == 1


async def test_loyalty_card_follows_the_points(shop: Shop) -> None:
    await shop.learns("points", 100, 120)
    assert shop.cards() == [], "she has no card on a phone"
    anna = shop.contacts.profiles["anna"]
    card = Identity("wallet", "f" * 32, anna.created_at, verified_at=anna.created_at)
    shop.contacts.profiles["anna"] = anna.with_identity(card)
    await shop.learns("points", 120, 140)
    await shop.learns("points", 140, 150)
    assert shop.cards() == [("loyalty", {}), ("loyalty", {})]
    assert shop.got() == []


async def test_points_reached_is_written_on_the_card_too(shop: Shop) -> None:
    await shop.learns("points", 990, 1_010)
    await shop.passes(days=1)
    offers = [fields["offer"] for card, fields in shop.cards() if card == "loyalty" and fields]
    assert len(offers) == 1
    assert "Votre récompense vous attend" in offers[0]
