"""titles.yml: what agents read in place of the names in a bot's files."""

import pytest

from bot.content import read_content
from bot.project import read_project
from bot.titles import Titles, as_words
from profiles.findings import Findings
from tests.bot.conftest import SHOP

DOMAIN = """
intents: [order_status, faq, goodbye]
entities: [order_number]
slots:
  order_number: {type: text, mappings: [{type: from_entity, entity: order_number}]}
  is_gift: {type: bool, mappings: [{type: controlled}]}
  order_state: {type: categorical, values: [shipped], mappings: [{type: controlled}]}
responses:
  utter_menu:
  - {text: Menu, metadata: {language: fr}, buttons: [{title: Suivre ma commande, payload: /order_status}]}
  - {text: Menu, metadata: {language: en}, buttons: [{title: Track my order, payload: /order_status}]}
"""
NLU = """
nlu:
- intent: faq/hours
  examples: "- when are you open"
"""


@pytest.fixture
def titles(tmp_path):
    def of(written=""):
        (tmp_path / "data").mkdir()
        (tmp_path / "domain.yml").write_text(DOMAIN)
        (tmp_path / "data" / "nlu.yml").write_text(NLU)
        if written:
            (tmp_path / "titles.yml").write_text(written)
        findings = Findings()
        return read_project(tmp_path, findings).titles, [str(one) for one in findings.errors]

    return of


def test_a_name_without_a_title_is_read_as_words(titles):
    said, wrong = titles()
    assert wrong == []
    assert (said.slot("order_number", "fr"), said.intent("goodbye", "fr")) == ("Order number", "Goodbye")
    assert said.intent("faq/opening_hours", "en") == "Faq · Opening hours"
    assert (as_words("_"), as_words("été")) == ("_", "Été")


def test_a_button_names_the_intent_it_means(titles):
    said, _ = titles()
    assert [said.intent("order_status", language) for language in ("fr", "en")] == [
        "Suivre ma commande",
        "Track my order",
    ]


def test_a_title_comes_before_button_and_name_in_the_language_of_who_reads(titles):
    said, wrong = titles(
        "intents: {order_status: {fr: Suivi, en: Status}, faq/hours: Hours}\n"
        "slots: {order_number: {fr: Numéro}, order_state: {en: State, values: {shipped: {fr: expédiée}}}}\n"
    )
    assert wrong == []
    assert (said.intent("order_status", "fr"), said.intent("order_status", "en")) == ("Suivi", "Status")
    assert (said.intent("faq/hours", "fr"), said.slot("order_number", "en")) == ("Hours", "Numéro")
    assert (said.entity("order_number", "fr"), said.value("order_state", "shipped", "fr")) == ("Numéro", "expédiée")
    assert (said.value("is_gift", True, "fr"), said.value("order_number", ["1", 2], "fr")) == ("oui", "1, 2")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("intent: {}", 'got "intent". Hint: did you mean "intents"?'),
        ("intents: {order_statu: Status}", 'intents: unknown name "order_statu"'),
        ("slots: {order_number: [a]}", "order_number: expected a title, or one for each language"),
        ("slots: {order_number: {fr: [a]}}", "fr: expected a name"),
        ("rules: {Say goodbye: [a]}", "Say goodbye: expected a title, or one for each language"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(titles, written, said):
    _, wrong = titles(written)
    assert len(wrong) == 1 and wrong[0].startswith("titles.yml:1:") and said in wrong[0]


def test_the_shipped_bot_names_all_it_has_in_both_languages():
    findings = Findings()
    project = read_project(SHOP, findings)
    named, domain = project.titles, project.domain
    assert findings.errors == []
    for names, said in ((domain.intents, named.intents), (domain.slots, named.slots)):
        assert {name for name in names if not {"fr", "en"} <= said.get(name, {}).keys()} == set()
    states = domain.slots["order_state"].values
    assert {state for state in states if not {"fr", "en"} <= named.values["order_state"].get(state, {}).keys()} == set()
    assert {str(rule["rule"]) for rule in project.rules} == named.rules.keys()
    assert {name for name, said in named.rules.items() if not said.get("fr")} == set() and findings.notices == []


def test_a_rule_has_its_own_name_where_it_has_no_title():
    named = Titles(rules={"Say goodbye": {"fr": "Dire au revoir"}})
    assert (named.rule("Say goodbye", "fr"), named.rule("Say goodbye", "en")) == ("Dire au revoir", "Say goodbye")
    assert named.rule("Taught since", "fr") == "Taught since"


def test_titles_are_kept_with_the_versions_of_a_bot():
    assert "titles.yml" in read_content(SHOP)
