"""The bot that ships: what a customer and a shop see of it."""

import re

import pytest

from bot.choices import choices_of, chosen
from profiles.timeline import Button, Content


def test_a_greeting_is_answered_with_what_the_bot_can_do(story):
    turn = (story() >> "bonjour").turn
    assert [button.title for button in turn.says[0].buttons][:2] == ["Suivre ma commande", "Horaires"]
    assert turn.language == "fr"


def test_an_english_customer_is_answered_in_english(story):
    story() >> "what are your hours?" << "Monday to Saturday, 9 to 18"


def test_the_order_form_asks_refuses_kindly_and_accepts(story):
    told = story()
    told >> "où est ma commande ?" << "Quel est votre numéro de commande"
    told >> "abc" << "Je ne reconnais pas de numéro" << "Quel est votre numéro"
    told >> "123" << "Je ne reconnais pas de numéro" << "Quel est votre numéro"
    told >> "c'est le 12345678 je crois" << "pas encore d’information sur la commande 12345678"
    assert told.turn.says[0].buttons[0].payload == "/human"


def test_an_order_the_profile_knows_is_answered_from_it(story):
    told = story(orders={"12345678": "shipped", "999999": "delivered"})
    told >> "where is my order?" << "What is your order number"
    told >> "#12345678" << "order 12345678 is on its way"
    told >> "where is my order 999999?" << "order 999999 has been delivered"


def test_a_number_said_with_the_question_is_not_asked_again(story):
    story() >> "où est ma commande 4567890 ?" << "commande 4567890"


def test_a_second_order_is_asked_for_afresh(story):
    told = story() >> "suivi de commande" << "Quel est votre numéro"
    told >> "12345678" << "12345678"
    told >> "suivi de commande" << "Quel est votre numéro"


def test_a_question_inside_the_form_is_answered_and_the_form_goes_on(story):
    told = story() >> "where is my order?" << "What is your order number"
    told >> "what are your opening hours?" << "9 to 18" << "What is your order number"
    told >> "12345678" << "order 12345678"


def test_a_form_can_be_left(story):
    told = story() >> "je veux retourner un article" << "numéro de la commande"
    told >> "laisse tomber" << "on laisse cela"
    told >> "12345678"
    assert "retour" not in told.unread[0]


def test_a_return_is_noted_with_its_reason(story):
    told = story() >> "I want to return an item" << "number of the order"
    told >> "12345678" << "Why would you like"
    told >> "1" << "return of order 12345678 (Wrong size)"
    assert [name for name, _ in told.turn.events] == ["return.requested"]


def test_points_come_from_the_profile(story):
    story(points=120.0) >> "combien ai-je de points ?" << "Vous avez 120 points"
    story() >> "combien ai-je de points ?" << "Je ne trouve pas de carte"


@pytest.mark.parametrize(
    ("said", "day"),
    [("demain", "dimanche 22 novembre 2026"), ("le 1er décembre", "mardi 1er décembre 2026"), ("mardi", "24 novembre")],
)
def test_an_appointment_understands_days_as_people_say_them(story, said, day):
    told = story() >> "je voudrais prendre rendez-vous" << "Quel jour"
    told >> said << day


def test_a_day_too_far_away_is_refused(story):
    told = story() >> "make an appointment" << "Which day"
    told >> "2027-11-24" << "within three months" << "Which day"


def test_an_opt_out_becomes_an_event_with_its_proof(story):
    told = story() >> "désinscrivez-moi" << "vous ne recevrez plus"
    ((name, properties),) = told.turn.events
    assert name == "consent.withdrawn"
    assert (
        properties["topic"] == ["offers", "loyalty"]
        and properties["message"] == "m1"
        and properties["channel"] == "webchat"
    )


def test_an_email_said_is_learned_as_declared(story):
    told = story() >> "bonjour, mon adresse est Anna@Example.FR"
    assert ("email", "anna@example.fr", "declared") in told.turn.learned


def test_an_email_already_known_is_not_learned_again(story):
    told = story(email="anna@example.fr") >> "bonjour, anna@example.fr"
    assert told.turn.learned == ()


def test_out_of_scope_is_answered_with_what_is_in_scope(story):
    told = story() >> "quelle est la capitale de l'Italie ?" << "je ne sais pas"
    assert told.turn.handover is None


def test_every_intent_of_the_shop_has_fifteen_examples_in_each_language(shop):
    counts: dict[tuple[str, str], int] = {}
    for example in shop.script.project.training.examples:
        counts[example.intent, example.language] = counts.get((example.intent, example.language), 0) + 1
    wanted = set(shop.script.domain.intents) - {"start", "shown"}  # said by apps and pictures, never in words
    assert {intent for intent, _ in counts} == wanted
    assert {pair: count for pair, count in counts.items() if count < 15} == {}
    assert len(counts) == 2 * len(wanted)


def test_every_answer_of_the_shop_exists_in_both_languages(shop):
    assert shop.notices == ()
    for name, variations in shop.script.domain.responses.items():
        assert {variation.language for variation in variations} == {"fr", "en"}, name


def test_the_shop_needs_no_custom_action(shop):
    assert not shop.has_actions


def test_what_french_customers_read_has_curved_apostrophes(story):
    project = story().brain.script.project
    read = [
        text
        for told in project.domain.responses.values()
        for one in told
        if one.language == "fr"
        for text in (one.text, *(button["title"] for button in one.buttons))
    ]
    assert len(read) > 20 and [text for text in read if re.search(r"\w'\w", text)] == []


def test_a_choice_is_taken_whichever_apostrophe_it_is_typed_with():
    memory = choices_of([Content("?", (Button("Je n’en veux plus", "/deny"),))])
    assert chosen("je n'en veux plus", memory) == chosen("Je n’en veux plus", memory) == ("Je n’en veux plus", "/deny")


def test_another_number_instead_of_a_reason_corrects_the_order_and_asks_again(story):
    told = story() >> "I want to return an item" << "number of the order" >> "12345678" << "Why would you like"
    told >> "no wait, 87654321" << "Why would you like"
    told >> "it's too small" << "return of order 87654321 (it's too small)"


def test_a_question_instead_of_a_reason_is_answered_and_is_no_reason(story):
    told = story() >> "je veux retourner un article" << "numéro de la commande" >> "12345678" << "Pour quelle raison"
    told >> "dans quel délai serai-je remboursé ?"
    assert told.turn.says[-1].text.startswith("Pour quelle raison") and told.turn.events == ()


@pytest.mark.parametrize(
    "said", ["non, plutôt mercredi", "non, pas mardi mais mercredi", "non, mercredi", "finalement mercredi"]
)
def test_a_day_that_was_noted_can_be_corrected(story, said):
    told = story() >> "je voudrais prendre rendez-vous" << "Quel jour" >> "mardi" << "mardi 24 novembre"
    told >> said << "mercredi 25 novembre 2026"


@pytest.mark.parametrize(("said", "number"), [("no, 54321", "54321"), ("sorry, I meant 54321", "54321")])
def test_an_order_number_that_was_taken_can_be_corrected(story, said, number):
    told = story() >> "where is my order?" << "What is your order number" >> "12345" << "order 12345"
    told >> said << f"order {number}"


@pytest.mark.parametrize("said", ["putain de merde", "connard", "fuck you", "shit", "c'est inadmissible"])
def test_who_swears_is_offered_a_person_and_loses_no_consent(story, said):
    told = story() >> said
    assert [button.payload for button in told.turn.says[0].buttons] == ["/human"] and told.turn.events == ()


@pytest.mark.parametrize(("said", "left"), [("go back", "let's leave it"), ("revenir en arrière", "on laisse cela")])
def test_going_back_leaves_a_form(story, said, left):
    (story() >> "make an appointment" << "Which day" >> said) << left
