"""The nearest story: the longer it agrees from the end backwards, the surer; where stories disagree, less so."""

import pytest

from bot.moments import Past
from bot.nearest import LONGEST, learn_points
from bot.states import Expected


def story(*steps):
    """Return the states and actions of a story told as intents (`?x`) and actions."""
    states, pairs, intent = [Expected()], [], None
    for step in steps:
        if step.startswith("?"):
            intent = step[1:]
            states.append(Expected(intent=intent, last="action_listen"))
        else:
            pairs.append((tuple(states), step))
            states.append(Expected(intent=intent, last=step))
    return pairs


def past(*steps):
    told = [("user", step[1:], ()) if step.startswith("?") else ("action", step, False) for step in steps]
    return Past({}, None, (), None, None, tuple(told))


BUY = story("?greet", "utter_hi", "?buy", "utter_which", "?yes", "utter_paid")
SUBSCRIBE = story("?subscribe", "utter_letter", "?yes", "utter_sent")


def test_a_whole_story_is_certain():
    assert learn_points([*BUY, *SUBSCRIBE]).guess(past("?greet", "utter_hi", "?buy", "utter_which", "?yes")) == (
        "utter_paid",
        1.0,
    )


def test_the_longer_it_agrees_the_surer():
    stories = learn_points(BUY)
    sure = [stories.guess(past(*steps))[1] for steps in (("?yes",), ("?buy", "utter_which", "?yes"))]
    assert sure == [pytest.approx(1 / 5), pytest.approx(3 / 5)]


def test_the_longest_agreement_decides():
    stories = learn_points([*BUY, *SUBSCRIBE])
    assert stories.guess(past("?buy", "?subscribe", "utter_letter", "?yes"))[0] == "utter_sent"


def test_stories_that_disagree_make_each_other_doubtful():
    action, sure = learn_points([*BUY, *SUBSCRIBE]).guess(past("?yes"))
    assert action == "utter_sent"  # one of three steps agrees, there one of five
    assert sure == pytest.approx((1 / 3) ** 2 / (1 / 3 + 1 / 5))


@pytest.mark.parametrize("steps", [(), ("?never_heard",), ("?greet", "utter_never_said")])
def test_what_no_story_knows_is_not_guessed(steps):
    assert learn_points(BUY).guess(past(*steps)) == (None, 0.0)


def test_what_only_rules_did_does_not_count():
    rule = (("user", "faq", ()), ("action", "utter_faq", True), ("action", "action_listen", True))
    asked = past()._replace(steps=(*past("?greet", "utter_hi").steps, *rule, ("user", "buy", ())))
    assert learn_points(BUY).guess(asked) == ("utter_which", 1.0)


def test_a_story_may_begin_with_what_a_rule_did():
    rule = (("user", "faq", ()), ("action", "utter_faq", True), ("action", "action_listen", True))
    asked = past()._replace(steps=(*past().steps, *rule, ("user", "yes", ())))
    stories = learn_points([*BUY, *SUBSCRIBE, *story("utter_faq", "?yes", "utter_more")])
    assert stories.guess(asked) == ("utter_more", 1.0)


def test_long_conversations_cost_no_more():
    steps = ["?greet", "utter_hi"] * 500
    assert learn_points(story(*steps, "?buy", "utter_which")).guess(past(*steps, "?buy")) == ("utter_which", 1.0)
    assert LONGEST == 12
