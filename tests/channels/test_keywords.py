"""The words that a person may always say."""

import pytest

from channels.keywords import CONFIRMATIONS, IN_CHAT, chat_confirmation, confirmation, keyword
from profiles.gsm import alphabet, count


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "Stop !", "«STOP»", "STOPALL", "stop all", "UNSUBSCRIBE", "Cancel", "END", "quit",
     "REVOKE", "opt-out", "OptOut", "ARRET", "Arrêt", "arrêter", "DÉSABONNER", "me désabonner", "STOPP", "Baja",
     "stop 🙏", "ＳＴＯＰ", "st\u200bop", "arre\u0302t", "STOP\n", "\u202bstop\u202c"],
)  # fmt: skip
def test_a_person_who_says_stop_is_heard(text: str) -> None:
    assert keyword(text) == "stop"


@pytest.mark.parametrize("text", ["START", "unstop", "Reprendre", "reprendre !", "Réabonner"])
def test_a_person_may_come_back(text: str) -> None:
    assert keyword(text) == "start"


@pytest.mark.parametrize("text", ["HELP", "info", "Aide ?", "AIDE"])
def test_a_person_may_ask_for_help(text: str) -> None:
    assert keyword(text) == "help"


@pytest.mark.parametrize(
    "text",
    ["", "   ", "🙏", "stop by tomorrow?", "non-stop", "arrêtez la musique", "please help me", "the end", "infos",
     "STOP" * 20, "yes", "oui", "start-up", "\ud800", "\x00"],
)  # fmt: skip
def test_a_sentence_that_only_contains_a_word_is_a_message(text: str) -> None:
    assert keyword(text) is None


@pytest.mark.parametrize("text", ["YES", "Oui !"])
def test_yes_resumes_only_for_somebody_opted_out(text: str) -> None:
    assert keyword(text) is None
    assert keyword(text, opted_out=True) == "start"


@pytest.mark.parametrize("text", ["stop", "STOP !", "Arrêt", "/stop", "unsubscribe", "désabonnement"])
def test_stop_is_heard_where_a_bot_talks(text: str) -> None:
    assert keyword(text, in_chat=True) == "stop"


@pytest.mark.parametrize(
    "text", ["/start", " /start", "/help", "cancel", "end", "quit", "help", "info", "yes", "/stop now"]
)
def test_what_is_said_to_bots_all_day_is_no_keyword_there(text: str) -> None:
    assert keyword(text, in_chat=True, opted_out=True) is None


def test_the_longest_is_still_looked_at() -> None:
    assert keyword("stop" + "!" * 36) == "stop"
    assert keyword("stop" + "!" * 37) is None


def test_a_million_characters_are_looked_at_in_no_time() -> None:
    assert keyword("stop " * 200_000) is None


def test_every_confirmation_exists_in_french_and_english() -> None:
    assert {kind: set(texts) for kind, texts in CONFIRMATIONS.items()} == dict.fromkeys(
        ("stop", "start", "help"), {"en", "fr"}
    )


def test_every_confirmation_in_a_chat_exists_in_french_and_english() -> None:
    assert {kind: set(texts) for kind, texts in IN_CHAT.items()} == dict.fromkeys(("stop", "start"), {"en", "fr"})
    assert chat_confirmation("stop", "fr-FR") == (IN_CHAT["stop"]["fr"], "Choisir en détail")


def test_the_confirmation_follows_the_language_and_falls_back_to_english() -> None:
    assert confirmation("stop", "fr-CA") == CONFIRMATIONS["stop"]["fr"]
    assert confirmation("stop", "FR") == CONFIRMATIONS["stop"]["fr"]
    assert confirmation("help", "de") == CONFIRMATIONS["help"]["en"]
    assert confirmation("start", None) == CONFIRMATIONS["start"]["en"]


@pytest.mark.parametrize("text", [text for texts in CONFIRMATIONS.values() for text in texts.values()])
def test_every_confirmation_is_one_plain_segment(text: str) -> None:
    assert (alphabet(text), count(text)) == ("gsm7", 1)
