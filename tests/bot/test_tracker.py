"""The bot's memory of a conversation: what was done can be walked back and taken back."""

import pytest

from bot.domain import Domain, Form, Slot
from bot.events import LISTEN, action_run, loop_set, slot_set
from bot.tracker import Tracker
from bot.trail import LONGEST_TRAIL
from profiles.written import Place

AT = Place("domain.yml")
DOMAIN = Domain(
    slots={"size": Slot("size", "text", AT), "count": Slot("count", "float", AT, initial=1.0)},
    forms={"order_form": Form("order_form", AT, ("size",))},
)


def heard(intent):
    return {"event": "user", "text": intent, "parse_data": {"intent": {"name": intent}, "entities": []}}


@pytest.fixture
def tracker():
    tracker = Tracker(DOMAIN)
    tracker.apply(action_run(LISTEN))
    return tracker


def _apply(tracker, *events):
    for event in events:
        tracker.apply(event)


def test_the_past_is_read_backwards(tracker):
    _apply(tracker, heard("greet"), slot_set("size", "large"), action_run("utter_hi"), slot_set("size", "small"))
    _apply(tracker, action_run(LISTEN), heard("bye"))
    moments = list(tracker.moments())
    assert [moment.last for moment in moments] == [LISTEN, "utter_hi", LISTEN, None]
    assert [moment.intent for moment in moments] == ["bye", "greet", "greet", None]
    assert [moment.slot("size") for moment in moments] == ["small", "small", "large", None]


def test_a_rewind_takes_back_the_message_and_all_it_caused(tracker):
    _apply(tracker, heard("greet"), action_run("utter_hi"), action_run(LISTEN))
    before = tracker.memory()
    _apply(tracker, heard("what"), slot_set("size", "x"), loop_set("order_form"), action_run("action_default_fallback"))
    _apply(tracker, {"event": "rewind"}, action_run(LISTEN))
    assert tracker.memory() == before


def test_the_happy_path_inside_a_form_leaves_no_trace_for_rules(tracker):
    _apply(tracker, heard("order"), action_run("order_form"), loop_set("order_form"), action_run(LISTEN))
    _apply(tracker, heard("inform"), slot_set("size", "large"), action_run("order_form"))
    now = next(tracker.moments())
    assert (now.intent, now.last, now.loop, now.slot("size")) == ("order", "order_form", "order_form", "large")


def test_an_interrupted_form_leaves_its_trace(tracker):
    _apply(tracker, heard("order"), action_run("order_form"), loop_set("order_form"), action_run(LISTEN))
    _apply(tracker, heard("faq"), {"event": "action_execution_rejected", "name": "order_form"}, action_run("utter_faq"))
    _apply(tracker, action_run("order_form"))
    assert [moment.last for moment in tracker.moments()][:3] == ["order_form", "utter_faq", LISTEN]


def test_memory_comes_back_as_it_was(tracker):
    _apply(tracker, heard("order"), action_run("order_form"), loop_set("order_form"), slot_set("size", "s"))
    again = Tracker.recall(DOMAIN, tracker.memory())
    assert again.memory() == tracker.memory()
    assert list(again.moments()) == list(tracker.moments())


def test_memory_keeps_only_what_differs_from_the_beginning(tracker):
    assert tracker.memory()["slots"] == {}
    _apply(tracker, slot_set("count", None), slot_set("size", "x"))
    assert tracker.memory()["slots"] == {"count": None, "size": "x"}


def test_the_trail_is_bounded(tracker):
    for _ in range(500):
        _apply(tracker, heard("greet"), action_run("utter_hi"), action_run(LISTEN))
    assert len(tracker.memory()["trail"]) == LONGEST_TRAIL


def test_a_fork_changes_nothing_of_its_origin(tracker):
    before = tracker.memory()
    _apply(tracker.fork(), slot_set("size", "x"), loop_set("order_form"), heard("bye"))
    assert tracker.memory() == before


def test_a_restart_begins_afresh(tracker):
    _apply(tracker, slot_set("size", "x"), loop_set("order_form"), {"event": "restart"})
    assert tracker.loop is None and tracker.slots["size"] is None and tracker.trail == []


def test_events_of_no_meaning_are_passed_over(tracker):
    before = tracker.memory()
    _apply(tracker, {"event": "entities"}, {"event": "agent"}, {"event": "made_up"})
    assert tracker.memory() == before
