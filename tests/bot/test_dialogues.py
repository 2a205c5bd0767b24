"""The dialogues a bot's writer keeps beside the bot."""

import shutil

from bot.dialogues import play_dialogues
from tests.bot.conftest import PIZZA, SHOP


def test_the_shops_own_dialogues_go_as_written(shop):
    assert [str(error) for error in play_dialogues(shop, SHOP)] == []
    assert len(list((SHOP / "tests").glob("*.yml"))) == 2


def test_a_difference_is_shown_where_it_was_written(shop, tmp_path):
    shutil.copytree(SHOP / "tests", tmp_path / "tests")
    path = tmp_path / "tests" / "fr.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("utter_greet", "utter_goodbye").replace("intent: opt_out", "intent: cancel"))
    errors = [str(error) for error in play_dialogues(shop, tmp_path)]
    assert len(errors) == 2
    assert errors[0].startswith("tests/fr.yml:5:") and "expected utter_goodbye; got utter_greet" in errors[0]
    assert "expected intent cancel; got opt_out" in errors[1]


def test_a_dialogue_that_needs_a_custom_action_is_said_to(pizza, tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.yml").write_text("stories:\n- story: x\n  steps:\n  - user: /crash\n")
    assert "needs a custom action" in str(play_dialogues(pizza, tmp_path)[0])
    assert play_dialogues(pizza, PIZZA) == ()
