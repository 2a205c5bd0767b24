"""Both languages, whole: no sentence without its French, none left over, and the same names in both."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import admin
from admin import speech, speech_words
from admin.prose import prose
from admin.texts import FOLDER, preferred, texts, typeset
from bot.titles import Titles
from profiles.timeline import Content, Delivery, Event, Message

HERE = Path(admin.__file__).parent
IN_TEMPLATES = re.compile(r"""(?<![\w.])_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
COUNTED = re.compile(r"""_\.count\(\s*["']([^"']*)["']""")
IN_CODE = re.compile(
    r"""(?:(?<![\w.])_|speaks|_speaks|texts_of\(request\)|request\[TEXTS\])\(\s*"((?:[^"\\]|\\.)*)\""""
)


def _said() -> set[str]:
    found: set[str] = set()
    for file in (HERE / "templates").glob("*.html"):
        text = file.read_text()
        found |= {one or two for one, two in IN_TEMPLATES.findall(text)} | set(COUNTED.findall(text))
    for file in HERE.glob("*.py"):
        found |= set(IN_CODE.findall(file.read_text()))
    found |= set(re.findall(r'else _\("(.*?)"\)', (HERE / "speech.py").read_text()))
    return found


def _catalog() -> dict[str, str]:
    with (FOLDER / "fr.po").open("rb") as file:
        catalog = read_po(file, locale="fr")
    known: dict[str, str] = {}
    for message in catalog:
        if message.id:
            id, string = message.id, message.string
            known[id[0] if isinstance(id, tuple) else str(id)] = str(string[0] if isinstance(string, tuple) else string)
    return known


def test_every_sentence_has_its_french_and_none_is_left_over() -> None:
    assert _said() - _catalog().keys() == set()
    assert _catalog().keys() - _said() == set()


def test_a_translation_fills_in_the_same_names() -> None:
    for english, french in _catalog().items():
        assert french and set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", french)), english


def test_the_word_before_the_bar_is_never_shown() -> None:
    assert texts("en")("many|Resolved") == "Resolved"
    assert texts("fr")("many|Resolved") == "Résolues"


@pytest.mark.parametrize(("n", "french"), [(0, "0 conversation"), (1, "1 conversation"), (2, "2 conversations")])
def test_french_counts_zero_as_one(n: int, french: str) -> None:
    assert texts("fr").count("{n} conversation", "{n} conversations", n) == french


def test_the_browser_chooses_between_our_languages_before_sign_in() -> None:
    assert [preferred(header) for header in ("fr-CH, en;q=0.5", "de, fr;q=0.8", "", "xx")] == ["fr", "fr", "en", "en"]


def test_every_reason_an_act_can_be_refused_for_has_a_sentence() -> None:
    code = "".join(
        (HERE / f"{name}.py").read_text() for name in ("acts", "people_pages", "conversation_acts", "attachments")
    )
    reasons = set(re.findall(r'(?:Refusal|refuse)\((?:request, )?"(\w+)"', code)) | set(
        re.findall(r'return "(\w+)"', code)
    )
    assert reasons - speech_words.REFUSALS.keys() == set()


@pytest.mark.parametrize(
    ("language", "n", "shown"),
    [("fr", 1.0, "1 segment par SMS"), ("fr", 1.44, "1,4 segment par SMS"), ("fr", 2.0, "2 segments par SMS"),
     ("en", 1.0, "1 segment an SMS"), ("en", 1.44, "1.4 segments an SMS")],
)  # fmt: skip
def test_a_part_of_one_is_written_as_the_language_does(language: str, n: float, shown: str) -> None:
    assert texts(language).count("{n} segment an SMS", "{n} segments an SMS", n) == shown


def test_the_audit_names_who_is_no_agent() -> None:
    says = speech.bound(texts("fr"))
    assert [says.doer(by, {}) for by in ("system", "first start", "command", "key:till")] == [
        "Causerie", "premier démarrage", "la ligne de commande", "key:till",
    ]  # fmt: skip


def test_no_french_line_begins_or_ends_with_a_mark_alone() -> None:
    speaks = texts("fr")
    assert speaks("{who}:", who="Bot") == "Bot\u00a0:"
    shown = [speaks(english) for english in _catalog() if not re.search(r"\{\w+\}", english)]
    assert [text for text in shown if re.search(r" [:;!?»%€]|« |\w'\w", text)] == []
    assert [text for text in shown if re.search(r"\u00a0[;!?%]|\u202f[:»€]|«\u202f", text)] == []
    assert any("\u202f?" in text for text in shown) and any("\u00a0:" in text for text in shown)


@pytest.mark.parametrize(
    ("written", "printed"),
    [("Désolé ! Encore ?", "Désolé\u202f! Encore\u202f?"),
     ("Oui ; « là » : 5 %, 3 €",
      "Oui\u202f; «\u00a0là\u00a0»\u00a0: 5\u202f%, 3\u00a0€"),
     ("Really? Yes: now!", "Really? Yes: now!"), ("déjà :) ou ;) :-)", "déjà :) ou ;) :-)")],
)  # fmt: skip
def test_a_french_mark_stays_with_its_word_wherever_words_are_shown(written: str, printed: str) -> None:
    assert typeset(written, "fr") == str(prose(written)) == printed
    assert typeset(written, "en") == written


def test_days_and_countries_are_shown_as_they_are_read() -> None:
    says = speech.bound(texts("fr"))
    assert says.shown("born_on", "1950-09-16") == says.shown("born_on", date(1950, 9, 16)) == "16 septembre 1950"
    assert (says.shown("country", "GB"), says.shown("country", "??")) == ("Royaume-Uni", "??")
    assert says.shown("born_on", "1950-99-16") == "1950-99-16"


def test_values_and_teams_that_are_shipped_are_said_in_words() -> None:
    french, english = speech.bound(texts("fr")), speech.bound(texts("en"))
    assert (french.shown("rfm", "at_risk"), english.shown("rfm", "lost")) == ("S’éloignent", "Lost")
    assert (french.team("returns"), french.team("vip_paris")) == ("Retours", "Vip paris")
    assert (french.shown("rfm", "other"), french.shown("city", "lost")) == ("other", "lost")


def test_events_attributes_and_reasons_are_said_in_the_words_of_the_house() -> None:
    says, words = (
        speech.bound(texts("fr")),
        {"order.paid": {"fr": "a payé"}, "contact.ltv": {"fr": "le total d'achats"}},
    )
    event = Event("e1", "p1", "order.paid", datetime(2026, 11, 22, tzinfo=UTC))
    assert (says.event(event, {}, words), says.event(event, {})) == ("A payé", "order.paid")
    assert (says.attribute("ltv", words), says.attribute("ltv")) == ("le total d’achats", "ltv")
    assert says.why("exit:order.paid", words) == "devenu inutile\u00a0: a payé"


def test_names_of_the_bots_files_are_said_in_words() -> None:
    titles = Titles(intents={"a_b": {"fr": "Retour d'un article"}}, slots={"vat_id": {"fr": "Numéro de TVA"}})
    says = speech.bound(texts("fr"))
    assert [says.intent(name, titles) for name in ("a_b", "opening_hours", "out_of_scope", "nlu_fallback")] == [
        "Retour d’un article", "Opening hours", "Pas notre affaire", "Pas compris",
    ]  # fmt: skip
    assert (says.entity("vat_id", titles), says.attribute("vat_id", {}, titles)) == ("Numéro de TVA", "Numéro de TVA")
    words = {"contact.vat_id": {"fr": "le numéro de TVA"}}
    assert (says.attribute("vat_id", words, titles), says.attribute("vat_no", {}, titles)) == (
        "le numéro de TVA",
        "vat no",
    )


def test_sizes_and_numbers_are_written_as_the_language_has_them() -> None:
    sizes = [[texts(code).size(size) for size in (15, 999_499, 999_500, 1_440_000)] for code in ("en", "fr")]
    assert sizes[0] == ["1\u202fkB", "999\u202fkB", "1\u202fMB", "1.4\u202fMB"]
    assert sizes[1] == ["1\u202fko", "999\u202fko", "1\u202fMo", "1,4\u202fMo"]
    shown = [speech.bound(texts("fr")).shown("spent", value) for value in (52.0, 52.5, 1234567, "52.0")]
    assert shown == ["52", "52,5", "1234567", "52.0"]


def test_shares_and_signs_are_written_as_the_language_has_them() -> None:
    english, french = texts("en"), texts("fr")
    assert (english.share(0.691), french.share(0.691), french.share(0.691, 1)) == ("69%", "69\u202f%", "69,1\u202f%")
    assert (english.signed(-35.14), french.signed(1.26), french.signed(1234.5)) == ("−35.1", "+1,3", "+1\u202f234,5")


def test_an_address_that_was_cut_is_no_link() -> None:
    shown = prose("Stop: https://crm.shop.example/u/… or see https://shop.example/u/lamps… now")
    assert shown.count("<a ") == 1 and "Stop: https://crm.shop.example/u/… or" in shown


def test_a_french_colon_keeps_its_space_before_why_a_message_did_not_arrive() -> None:
    failed = Message(
        "m", "telegram:1", "chloe", "telegram", "outbound", "agent:maya", Content("Bonjour"), 1,
        datetime(2026, 11, 21, tzinfo=UTC), delivery=Delivery("telegram:1", state="failed", reason="blocked"),
    )  # fmt: skip
    assert speech.bound(texts("fr")).delivery(failed).startswith("Non arrivé\u00a0: ")
    assert speech.bound(texts("en")).delivery(failed).startswith("Not delivered: ")
