"""The trail stays short, and forgets first what stories do not see."""

import pytest

from bot.domain import Domain, Slot
from bot.events import LISTEN, action_run, slot_set
from bot.stories import Stories
from bot.tracker import Tracker
from bot.trail import LONGEST_TRAIL, pending_followup, shortened
from profiles.written import Place

DOMAIN = Domain(slots={"size": Slot("size", "text", Place("domain.yml"))})
LONG = LONGEST_TRAIL + 20


def heard(intent):
    return {"event": "user", "text": intent, "parse_data": {"intent": {"name": intent}, "entities": []}}


@pytest.fixture
def talk():
    tracker = Tracker(DOMAIN)
    tracker.apply(action_run(LISTEN))

    def talk(intent, action, is_hidden=False, **slots):
        tracker.apply(heard(intent))
        for name, value in slots.items():
            tracker.apply(slot_set(name, value))
        tracker.apply(action_run(action, is_hidden))
        tracker.apply(action_run(LISTEN, is_hidden))
        return tracker

    return talk


def seen(tracker):
    return [(one.intent, one.last, one.slots) for one in Stories().visible(DOMAIN, tracker.past())]


def test_a_short_trail_stays_as_it_is(talk):
    tracker = talk("greet", "utter_hi")
    assert shortened(tracker.trail, LONG) == (tracker.trail, False)


def test_hidden_turns_go_first_and_stories_see_no_difference(talk):
    talk("greet", "utter_hi", size="s")
    for number in range(40):
        tracker = talk(f"ask{number}", "utter_answer", is_hidden=True, size=f"s{number}")
    tracker = talk("bye", "utter_bye")
    before = seen(tracker)
    again = Tracker.recall(DOMAIN, tracker.memory(LONG))
    assert len(again.trail) <= LONG and not again.is_cut
    assert seen(again) == before
    assert [intent for intent, _, _ in before] == [None, "greet", "greet", "bye", "bye", "bye"]


def test_a_trail_that_lost_something_visible_says_so(talk):
    for number in range(60):
        tracker = talk(f"ask{number}", "utter_answer")
    again = Tracker.recall(DOMAIN, tracker.memory(LONG))
    assert again.is_cut and len(again.trail) == LONG
    assert seen(again)[-10:] == seen(tracker)[-10:]


def test_shortening_leaves_the_stored_trail_alone(talk):
    talk("greet", "utter_hi")
    for number in range(40):
        tracker = talk(f"ask{number}", "utter_answer", is_hidden=True)
    before = [list(entry) for entry in tracker.trail]
    shortened(tracker.trail, LONG)
    assert tracker.trail == before


@pytest.mark.parametrize(
    ("trail", "asked_for"),
    [
        ([], LISTEN),
        ([["slot", "size", None]], LISTEN),
        ([["action", "utter_hi", None]], None),
        ([["action", "utter_hi", None], ["followup", "utter_bye"]], "utter_bye"),
        ([["followup", "utter_bye"], ["user", None, [], False]], None),
    ],
)
def test_what_was_asked_for_is_known_from_the_trail(trail, asked_for):
    assert pending_followup(trail) == asked_for
