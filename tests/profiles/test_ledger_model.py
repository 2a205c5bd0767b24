"""Whatever is said, spent, given back and forgotten, in whatever order: the gate answers as a small model does."""

import asyncio
from datetime import UTC, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from profiles.calendar import utc_now
from profiles.caps import Cap, Slot
from profiles.consents import Consents, Said
from profiles.ledger_answer import Granted, Wanted
from profiles.ledgers import Ledgers
from profiles.permits import Permits
from profiles.store import Store
from profiles.topics import Topic

HOUR = timedelta(hours=1)
CAPS = (
    Cap(4, 72 * HOUR),
    Cap(2, 24 * HOUR, "channel", "email"),
    Cap(3, 48 * HOUR, "label", "promo"),
    Cap(2, 48 * HOUR, below=60),
)
PEOPLE, CHANNELS, TOPICS = ("anna", "boris"), ("email", "sms"), ("offers", "news")
HERE = Said("form")


class Model:
    """One person, said again as simply as it can be: a list of what was said and a list of what was sent."""

    def __init__(self) -> None:
        self.words: list[tuple[bool | None, str, str]] = []
        self.sent: list[dict[str, Any]] = []

    def has_consent(self, channel: str, topic: str) -> bool:
        answer = False
        for yes, on, about in self._standing():
            if (yes and (on, about) == (channel, topic)) or (
                not yes and on in ("*", channel) and about in ("*", topic)
            ):
                answer = bool(yes)
        return answer

    def _standing(self) -> list[tuple[bool | None, str, str]]:
        """Leave out each no to a channel that was taken back later."""
        return [
            word
            for place, word in enumerate(self.words)
            if word[0] is not None and not (word[0] is False and (None, word[1], word[2]) in self.words[place:])
        ]

    def has_room(self, slot: dict[str, Any]) -> bool:
        def count(hours: int, **of: Any) -> int:
            return sum(
                one["age"] < hours and all(one[name] == value for name, value in of.items()) for one in self.sent
            )

        low = sum(one["age"] < 48 and one["priority"] < 60 for one in self.sent)
        return (
            count(72) < 4
            and (slot["channel"] != "email" or count(24, channel="email") < 2)
            and (not slot["promo"] or count(48, promo=True) < 3)
            and (slot["priority"] >= 60 or low < 2)
        )

    def reserve(self, slot: dict[str, Any]) -> bool:
        if any(one["rid"] == slot["rid"] for one in self.sent):
            return True
        if not self.has_consent(slot["channel"], slot["topic"]) or not self.has_room(slot):
            return False
        self.sent.append({**slot, "age": 0})
        return True


class Gate(RuleBasedStateMachine):
    """The ledger beside the model."""

    url = name = ""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.store = Store(self.url, self.name)
        self.ledgers = Ledgers(self.store)
        self.consents = Consents(self.store, self.ledgers, Permits(self.store, self.ledgers, clock=utc_now))
        self.models = {person: Model() for person in PEOPLE}
        self.runner.run(self.store.remove("ledgers", {}))
        for channel in CHANNELS:  # so that slots are given at all
            self.yes("anna", channel, "offers")

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()

    @rule(person=st.sampled_from(PEOPLE), channel=st.sampled_from(CHANNELS), topic=st.sampled_from(TOPICS))
    def yes(self, person: str, channel: str, topic: str) -> None:
        self.runner.run(self.consents.give(person, Topic(topic), channel, HERE, now=utc_now()))
        self.models[person].words.append((True, channel, topic))

    @rule(
        person=st.sampled_from(PEOPLE), channel=st.sampled_from((*CHANNELS, "*")), topic=st.sampled_from((*TOPICS, "*"))
    )
    def no(self, person: str, channel: str, topic: str) -> None:
        self.runner.run(self.consents.withdraw(person, channel, topic, HERE, now=utc_now()))
        self.models[person].words.append((False, channel, topic))

    @rule(person=st.sampled_from(PEOPLE), channel=st.sampled_from(CHANNELS))
    def start_again(self, person: str, channel: str) -> None:
        self.runner.run(self.consents.restore(person, channel, HERE, now=utc_now()))
        self.models[person].words.append((None, channel, "*"))

    @rule(
        way=st.sampled_from(("one", "each", "all")), number=st.integers(0, 8), channel=st.sampled_from(CHANNELS),
        topic=st.sampled_from(TOPICS), promo=st.booleans(), priority=st.sampled_from((20, 60, 90)),
    )  # fmt: skip
    def reserve(self, way: str, number: int, channel: str, topic: str, promo: bool, priority: int) -> None:
        about = {"channel": channel, "topic": topic, "promo": promo, "priority": priority}
        rid = f"${number}.{channel}.{topic}.{promo}.{priority}"  # one intent is about one thing
        slot = Slot(rid, channel, topic, labels=("promo",) if promo else (), priority=priority)
        answers = self.runner.run(self._ask(way, slot))
        for person, granted in answers.items():
            assert granted == self.models[person].reserve({"rid": rid, **about})

    async def _ask(self, way: str, slot: Slot) -> dict[str, bool]:
        now = utc_now()
        wanted = [Wanted(person, slot, CAPS, UTC, now) for person in PEOPLE]
        if way == "all":
            answers = await self.ledgers.reserve_all(PEOPLE, slot, CAPS, zones={}, now=now)
        elif way == "each":
            answers = dict(zip(PEOPLE, await self.ledgers.reserve_each(wanted, now=now), strict=True))
        else:
            answers = {one.profile: await self.ledgers.reserve(one, now=now) for one in wanted}
        return {person: isinstance(answer, Granted) for person, answer in answers.items()}

    @precondition(lambda self: any(model.sent for model in self.models.values()))
    @rule(person=st.sampled_from(PEOPLE), place=st.integers(0, 3))
    def give_back(self, person: str, place: int) -> None:
        sent = self.models[person].sent
        if sent:
            gone = sent.pop(place % len(sent))
            self.runner.run(self.ledgers.release(person, gone["rid"]))

    @rule(hours=st.sampled_from((1, 23, 25, 47)))
    def grow_older(self, hours: int) -> None:
        """Move what was sent into the past: the database's own clock can not be moved."""
        older = {"$map": {"input": "$h", "as": "e", "in": {
            "$mergeObjects": ["$$e", {"t": {"$subtract": ["$$e.t", hours * 3_600_000]}}]
        }}}  # fmt: skip
        self.runner.run(self.store.change_many("ledgers", {"h": {"$exists": True}}, [{"$set": {"h": older}}]))
        for model in self.models.values():
            for one in model.sent:
                one["age"] += hours

    @invariant()
    def both_remember_the_same(self) -> None:
        if hasattr(self, "models"):
            ledgers = self.runner.run(self.ledgers.read(PEOPLE))
            for person, model in self.models.items():
                assert {entry.rid for entry in ledgers[person].entries} == {one["rid"] for one in model.sent}


def test_the_gate_answers_as_its_model(mongo_url: str, database_name: str) -> None:
    Gate.url, Gate.name = mongo_url, database_name
    quick = settings(
        max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    run_state_machine_as_test(Gate, settings=quick)


def test_the_model_knows_a_no_from_a_yes() -> None:
    model = Model()
    model.words = [(True, "email", "offers"), (False, "email", "*"), (None, "email", "*"), (False, "*", "news")]
    assert model.has_consent("email", "offers") and not model.has_consent("email", "news")
