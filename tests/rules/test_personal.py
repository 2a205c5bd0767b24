"""What a template may name of a contact's own addresses: each opens what the message is about, for that contact alone."""

from zoneinfo import ZoneInfo

from profiles.expression import Facts
from profiles.findings import Findings
from profiles.ledger import Ledger
from profiles.personal_links import Asked, Offer, PersonalLinks
from profiles.profile import Profile
from rules.gatekeeper import Letter, Unrendered
from rules.letters import Letters
from rules.person import Person
from rules.personal import links_of
from rules.policy import Reach
from rules.run import Run
from rules.template_file import Template, read_template
from tests.cast import NOON, anna

PERSONAL = PersonalLinks(b"0123456789abcdef0123456789abcdef", "https://shop.example")
SMS, EMAIL = Reach("twilio", "sms"), Reach("email", "email", is_thread=False)
TEXT = """
fr: {text: "Choisir : {{ links.preferences }} Arrêter : {{ links.unsubscribe }}"}
en: {text: "Choose: {{ links.preferences }} Stop: {{ links.unsubscribe }}"}
"""
CONFIRM = """
fr: {text: "{{ links.confirm }}"}
en: {text: "{{ links.confirm }}"}
"""


def person(profile: Profile) -> Person:
    return Person(Facts(now=NOON, profile=profile, zone=ZoneInfo("Europe/Paris"), ledger=Ledger(profile.id)))


def run(rule: str = "cart", **start: object) -> Run:
    return Run("r", rule, "v", "anna", NOON, start={"name": "cart.updated", "at": NOON, **start})


def template(text: str) -> Template:
    found = read_template(text, "t", "templates/t.yml", Findings())
    assert found
    return found


def letters(text: str) -> Letters:
    topics = {"cart": "offers"}
    return Letters({"t": template(text)}, language="fr", links=links_of(PERSONAL, lambda run: topics.get(run.rule, "")))


def token(text: str) -> str:
    return text.rpartition("/")[2]


def test_a_template_writes_the_contacts_own_page_and_the_end_of_its_topic_on_its_channel() -> None:
    for reach, channel in ((EMAIL, "email"), (SMS, "sms")):
        letter = letters(TEXT).write("t", reach, person(anna()), run(), "", "en")
        assert isinstance(letter, Letter) and letter.missing == ()
        _, page, _, ends = letter.content.text.split()
        assert PERSONAL.page_of(token(page), NOON) == anna().id
        assert PERSONAL.offer_of(token(ends), NOON) == Offer(anna().id, channel, "offers")


def test_a_rule_without_a_topic_ends_the_whole_channel() -> None:
    letter = letters(TEXT).write("t", EMAIL, person(anna()), run("direct:1"), "", "en")
    assert isinstance(letter, Letter)
    assert PERSONAL.offer_of(token(letter.content.text), NOON) == Offer(anna().id, "email", "*")


def test_the_rule_on_a_waiting_yes_writes_the_link_that_confirms_it() -> None:
    began = run(channel="email", topic="news", asked="01PROOF")
    letter = letters(CONFIRM).write("t", EMAIL, person(anna()), began, "")
    assert isinstance(letter, Letter)
    assert PERSONAL.asked_of(token(letter.content.text), NOON) == Asked(anna().id, "email", "news", "01PROOF")


def test_a_confirmation_that_nothing_waits_for_is_a_missing_field() -> None:
    assert letters(CONFIRM)("t", EMAIL, person(anna()), run(), "") == Unrendered(
        "missing:links.confirm", "links.confirm"
    )


def test_previews_show_nobodys_page() -> None:
    shown = Letters({"t": template(TEXT)}, language="fr").write("t", EMAIL, person(anna()), run(), "")
    assert isinstance(shown, Letter) and "https://example.org/preferences" in shown.content.text
