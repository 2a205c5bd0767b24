"""`causerie bot ...`: what the owner of a bot's files sees."""

import json
import shutil
from pathlib import Path

import pytest

from causerie.__main__ import main
from causerie.bot_commands import bot_check, bot_explain, bot_test, bot_train
from causerie.progress import silent

SHOP = Path(__file__).parents[2] / "bot" / "content" / "shop"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the shop's bot that may be spoilt."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    return folder


@pytest.fixture
def said() -> list[str]:
    return []


async def test_check_shows_all_mistakes_at_once_and_fails(shop: Path, said: list[str]) -> None:
    rules = shop / "data" / "rules.yml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(
        text.replace("{intent: greet}, {action: utter_greet}", "{intent: greet}, {action: utter_gret}").replace(
            "utter_goodbye", "utter_goodby"
        ),
        encoding="utf-8",
    )
    assert await bot_check(shop, said.append, strict=False) == 1
    assert 'got "utter_gret". Hint: did you mean "utter_greet"?' in said[0] and '"utter_goodby"' in said[0]
    assert said[-1] == "2 mistakes; the server does not start with this bot."


async def test_check_says_what_there_is_when_nothing_is_wrong(said: list[str]) -> None:
    assert await bot_check(SHOP, said.append, strict=True) == 0
    assert "nothing to complain about" in said[-1]


async def test_a_notice_fails_only_the_strict(shop: Path, said: list[str]) -> None:
    nlu = shop / "data" / "nlu.en.yml"
    text = nlu.read_text(encoding="utf-8")
    twice = next(
        line.strip()[2:] for line in text.splitlines() if line.strip().startswith("- ") and "intent" not in line
    )
    nlu.write_text(text + f"\n- intent: goodbye\n  examples: |\n    - {twice}\n", encoding="utf-8")
    assert await bot_check(shop, said.append, strict=False) == 0
    assert await bot_check(shop, said.append, strict=True) == 1
    assert any("is an example of" in line for line in said)


async def test_an_action_that_nobody_wrote_is_named(shop: Path, said: list[str]) -> None:
    _declares(shop, "action_pay, action_ask_return_reason, validate_order_form")
    rules = shop / "data" / "rules.yml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("{action: utter_goodbye}", "{action: action_pay}"), encoding="utf-8")
    assert await bot_check(shop, said.append, strict=False) == 1
    assert [line for line in said if "nobody wrote" in line][0].endswith(
        'nobody wrote "action_pay" in the bot\'s actions. Hint: did you mean "action_pays"?'
    )
    assert sum("nobody wrote" in line for line in said) == 3


async def test_an_action_that_nobody_wrote_nor_calls_fails_only_the_strict(shop: Path, said: list[str]) -> None:
    _declares(shop, "action_pay, action_pays")
    assert await bot_check(shop, said.append, strict=False) == 0
    notice = next(line for line in said if "action_pay" in line)
    assert (
        notice.startswith("notice: domain.yml:") and "nothing calls it" in notice and said[-1].endswith(": 1 notice.")
    )
    assert await bot_check(shop, said.append, strict=True) == 1


def _declares(bot: Path, actions: str) -> None:
    """Have the bot declare these, and a file that holds one other than `action_pay`."""
    domain = bot / "domain.yml"
    domain.write_text(domain.read_text(encoding="utf-8") + f"\nactions: [{actions}]\n", encoding="utf-8")
    action = "from rasa_sdk import Action\nclass Pay(Action):\n    def name(self): return 'action_pays'\n"
    (bot / "actions.py").write_text(action + "    def run(self, dispatcher, tracker, domain): return []\n")


async def test_actions_that_cannot_be_imported_are_said_with_the_reason(shop: Path, said: list[str]) -> None:
    domain = shop / "domain.yml"
    domain.write_text(domain.read_text(encoding="utf-8") + "\nactions: [action_pay]\n", encoding="utf-8")
    (shop / "actions.py").write_text("import nothing_like_this\n")
    assert await bot_check(shop, said.append, strict=False) == 1
    assert "nothing_like_this" in said[-1]


async def test_a_mistake_in_the_actions_own_code_is_said_with_its_line_and_blames_no_package(
    shop: Path, said: list[str]
) -> None:
    (shop / "actions.py").write_text("import json\n\nx = json.loads(chr(91))\n")
    domain = shop / "domain.yml"
    domain.write_text(domain.read_text(encoding="utf-8") + "\nactions: [action_x]\n", encoding="utf-8")
    assert await bot_check(shop, said.append, strict=False) == 1
    assert "JSONDecodeError" in said[0] and said[0].endswith("(actions.py, line 3).")


def test_test_passes_and_writes_a_report(said: list[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert bot_test(SHOP, None, report, said.append) == 0
    assert any("dialogues went as written" in line for line in said)
    read = json.loads(report.read_text(encoding="utf-8"))
    assert read["dialogues"]["total"] == read["dialogues"]["passed"] > 5 and read["failed"] == []
    assert read["intents"]["accuracy"] == 1.0 and read["intents"]["labels"]["greet"]["recall"] == 1.0


def test_a_failed_dialogue_is_shown_step_by_step(shop: Path, said: list[str], tmp_path: Path) -> None:
    path = shop / "tests" / "en.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("intent: human", "intent: greet"), encoding="utf-8")
    report = tmp_path / "report.json"
    assert bot_test(shop, None, report, said.append) == 1
    assert any(line.startswith("FAILED tests/en.yml:") for line in said)
    assert any("WRONG  expected intent greet; got human (" in line and "(tests/en.yml:" in line for line in said)
    assert any(line.startswith("greet was taken for human: 1 of ") for line in said)
    (failed,) = json.loads(report.read_text(encoding="utf-8"))["failed"]
    assert [step["right"] for step in failed["steps"]].count(False) == 1


def test_stories_may_stand_in_a_file_of_their_own(said: list[str], tmp_path: Path) -> None:
    stories = tmp_path / "more.yml"
    stories.write_text("stories:\n- story: x\n  steps:\n  - user: hello\n    intent: greet\n  - action: utter_greet\n")
    assert bot_test(SHOP, stories, None, said.append) == 0
    assert said[-1].startswith("1 of 1 dialogues")
    assert bot_test(SHOP, tmp_path, None, said.append) == 1
    assert "expected dialogues, got none" in said[-1]


def test_train_says_how_long_how_well_and_what_is_confused(said: list[str]) -> None:
    steps: list[str] = []
    assert bot_train(SHOP, said.append, steps.append) == 0
    assert "examples of" in said[0] and " s, reading included." in said[0]
    assert said[1].startswith("Model ") and len(said[1]) > 12
    assert said[-1].startswith("Held-out sentences understood: ") and "%" in said[-1]
    assert any(" was taken for " in line and "(data/nlu." in line for line in said)
    assert steps, "long work shows that it goes on"


def test_equal_files_give_the_same_model(said: list[str]) -> None:
    bot_train(SHOP, said.append, silent)
    first = said[1]
    said.clear()
    bot_train(SHOP, said.append, silent)
    assert said[1] == first


async def test_a_rasa_bot_copied_as_it_stands_passes_its_own_tests(said: list[str]) -> None:
    formbot = SHOP.parents[2] / "tests" / "bot" / "formbot"
    assert await bot_check(formbot, said.append, strict=True) == 0
    assert bot_test(formbot, None, None, said.append) == 0
    assert said[-1].startswith("3 of 3 dialogues")


def test_explain_says_why(said: list[str]) -> None:
    assert bot_explain(SHOP, "12345678", "en", ["where is my order?"], said.append) == 0
    assert any("order_form: the form is running" in line for line in said)


@pytest.mark.parametrize("act", [["check"], ["test"], ["train"], ["explain", "hello", "--bot"]])
def test_a_folder_without_a_bot_is_told_so(act: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bot", *act, str(tmp_path)]) == 1
    assert "expected a bot's folder" in capsys.readouterr().out


def test_the_command_line_reaches_each_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bot", "check", str(SHOP)]) == 0
    assert main(["bot", "explain", "hello", "--bot", str(SHOP), "--language", "en", "--after", "bye"]) == 0
    assert "does      utter_greet" in capsys.readouterr().out
