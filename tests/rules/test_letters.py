"""A template says the same in each language, as each channel shows it; what a contact lacks is told, not sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from profiles.expression import Facts
from profiles.findings import Findings
from profiles.ledger import Ledger
from profiles.profile import Profile
from profiles.timeline import Button, Content
from rules.gatekeeper import Letter, Unrendered
from rules.letters import Letters
from rules.person import Person
from rules.policy import Reach
from rules.run import Run
from rules.template_file import Template, read_template
from tests.cast import NOON, anna, dmitri

CART = """
about: The first reminder of a cart
fr:
  title: Votre panier, {{ contact.first_name }}
  text: Il reste {{ event.total | money }} dans votre panier.
  buttons: [{title: Reprendre, url: "https://shop.example/cart/{{ event.cart_id }}"}]
  on:
    sms: {text: "Panier : {{ event.total | money }}"}
    email: {html: "<p>Bonjour <b>{{ contact.first_name }}</b>,</p><p><a href='https://shop.example'>Reprendre</a></p>"}
en:
  title: Your basket
  text: There is {{ event.total | money }} left in your basket.
variants:
  b: {fr: {title: Encore une minute ?}}
"""
TELEGRAM, SMS, EMAIL = Reach("telegram", "telegram"), Reach("twilio", "sms"), Reach("email", "email", is_thread=False)


def template(text: str = CART) -> Template:
    findings = Findings()
    found = read_template(text, "cart_1", "templates/cart_1.yml", findings)
    assert found, [str(error) for error in findings.errors]
    return found


def mistakes(text: str) -> list[str]:
    findings = Findings()
    assert read_template(text, "x", "templates/x.yml", findings) is None
    return [str(error) for error in findings.errors]


def person(profile: Profile) -> Person:
    return Person(Facts(now=NOON, profile=profile, zone=ZoneInfo("Europe/Paris"), ledger=Ledger(profile.id)))


def run(**start: object) -> Run:
    return Run("r", "cart", "v", "anna", NOON, start={"name": "cart.updated", "at": NOON, **start})


def said(reach: Reach, profile: Profile | None = None, variant: str = "", text: str = CART) -> Content:
    letters = Letters({"cart_1": template(text)}, language="fr")
    letter = letters("cart_1", reach, person(profile or anna()), run(total=80, cart_id="c1"), variant)
    assert isinstance(letter, Letter), letter
    return letter.content


def test_each_contact_reads_their_own_language() -> None:
    content = said(TELEGRAM)
    assert content.title == "Votre panier, Anna"
    assert content.text.replace("\xa0", " ") == "Il reste 80,00 € dans votre panier."
    assert content.buttons == (Button("Reprendre", url="https://shop.example/cart/c1"),)
    assert said(TELEGRAM, dmitri()).text == "There is €80.00 left in your basket."


def test_a_language_that_nobody_wrote_falls_back_to_the_houses() -> None:
    assert said(TELEGRAM, replace(anna(), language="de")).title == "Votre panier, Anna"


@pytest.mark.parametrize(("contact", "written"), [("fr-CA", "fr"), ("en", "en"), ("de", "fr"), (None, "fr")])
def test_a_letter_says_the_language_it_is_written_in_not_the_contacts(contact: str | None, written: str) -> None:
    letters = Letters({"cart_1": template()}, language="fr")
    someone = person(replace(anna(), language=contact))
    letter = letters("cart_1", TELEGRAM, someone, run(total=80, cart_id="c1"), "")
    assert isinstance(letter, Letter) and letter.language == written
    assert ("Votre panier" in letter.content.title) == (written == "fr")


def test_a_channel_says_it_its_own_way_and_html_has_its_plain_text() -> None:
    assert said(SMS).text.startswith("Panier")
    content = said(EMAIL)
    assert content.html.startswith("<p>Bonjour <b>Anna</b>")
    assert content.text == "Bonjour Anna,\n\nReprendre (https://shop.example)"


def test_a_variant_changes_what_it_says_and_nothing_else() -> None:
    content = said(TELEGRAM, variant="b")
    assert content.title == "Encore une minute ?"
    assert content.buttons == said(TELEGRAM).buttons


def test_a_field_that_the_contact_lacks_is_shown_in_a_preview_and_not_sent() -> None:
    letters = Letters({"cart_1": template()}, language="fr")
    letter = letters.write("cart_1", TELEGRAM, person(anna()), run(cart_id="c1"), "")
    assert isinstance(letter, Letter) and letter.missing == ("event.total",)
    assert letters("cart_1", TELEGRAM, person(anna()), run(cart_id="c1"), "") == Unrendered(
        "missing:event.total", "event.total"
    )
    assert letters("nothing", TELEGRAM, person(anna()), run(), "") == Unrendered("unknown", "nothing")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b", "ftp://x"]
)
def test_an_address_leads_to_the_web_a_mailbox_or_a_phone(address: str) -> None:
    text = f"fr:\n  text: x\n  link: '{address}'\n"
    letters = Letters({"cart_1": template(text)}, language="fr")
    assert letters("cart_1", TELEGRAM, person(anna()), run(), "") == Unrendered("address", address)


def test_what_a_customer_wrote_can_not_become_markup_or_a_second_header() -> None:
    rude = anna().learn(
        "first_name",
        "<script>x</script>\r\nBcc: all@example.com",
        source="declared",
        at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    content = said(
        EMAIL, rude, text="fr:\n  title: Bonjour {{ contact.first_name }}\n  html: <p>{{ contact.first_name }}</p>\n"
    )
    assert "\n" not in content.title and "\r" not in content.title
    assert "<script>" not in content.html


def test_mistakes_are_told_where_they_stand() -> None:
    assert mistakes("fr:\n  text: |\n    Bonjour\n    {{ contact.__class__ }}\n") == [
        "templates/x.yml:4:1: text: expected a field that begins with a letter, got __class__."
    ]
    assert mistakes("fr:\n  txet: a\n")[0].startswith("templates/x.yml:2:3: unknown key")
    assert mistakes("about: nothing\n") == ["templates/x.yml:1:1: template: expected the key fr or en, got neither."]


def test_a_push_says_more_than_its_words() -> None:
    push = template(
        """
fr:
  title: Votre commande arrive
  badge: "{{ event.waiting }}"
  banner: yes
  valid: 2h
  data: {order: "{{ event.cart_id }}", place: /commandes}
"""
    )
    letter = Letters({"push": push}, language="fr").write("push", SMS, person(anna()), run(cart_id="c7", waiting=3), "")
    assert isinstance(letter, Letter)
    content = letter.content
    assert (content.badge, content.banner, content.silent) == (3, True, False)
    assert content.data == {"order": "c7", "place": "/commandes"}
    assert content.expires_at == NOON + timedelta(hours=2)


def test_a_silent_push_needs_no_words() -> None:
    push = template("fr: {silent: yes, data: {sync: orders}, badge: 0}")
    letter = Letters({"push": push}, language="fr").write("push", SMS, person(anna()), run(), "")
    assert isinstance(letter, Letter)
    assert letter.content == Content(silent=True, data={"sync": "orders"}, badge=0)


@pytest.mark.parametrize("written", ["beaucoup", "-1", "1.5", "12345678"])
def test_a_badge_that_is_no_number_sends_nothing(written: str) -> None:
    push = template('fr: {title: Bonjour, badge: "{{ event.waiting }}"}')
    letter = Letters({"push": push}, language="fr").write("push", SMS, person(anna()), run(waiting=written), "")
    assert letter == Unrendered("badge", written)


@pytest.mark.parametrize("name", ["google.sent", "from", "aps", "Order", "a-b", "gcm_x"])
def test_names_that_belong_to_the_push_services_are_refused(name: str) -> None:
    assert "data" in mistakes(f"fr: {{title: Bonjour, data: {{{name}: x}}}}")[0]


def test_a_message_is_not_valid_for_ever() -> None:
    assert "at most 90d" in mistakes("fr: {title: Bonjour, valid: 1y}")[0]
